package io.longhorn.replica.server;

import io.longhorn.LonghornException;
import io.longhorn.MissingFileException;
import io.longhorn.replica.PathDirectory;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Verifies a disk directory that no server uses: reads its metadata, every layer's block map and every block that the maps vouch for. Changes nothing. Records
 * that are still in the journal, after a crash, are the next start's matter and are not looked at.
 *
 * @param replicas what each replica is, in words
 * @param blocks blocks whose checksum was compared
 * @param damages what is wrong, each naming where; empty if nothing is
 */
public record DiskCheck(Path directory, List<String> replicas, long blocks, List<String> damages) {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    public DiskCheck {
        replicas = List.copyOf(replicas);
        damages = List.copyOf(damages);
    }

    /**
     * Reads the whole disk.
     *
     * @throws MissingFileException if the directory is no disk of a replica server
     * @throws io.longhorn.DiskLockedException if a server uses it
     */
    public static DiskCheck of(Path directory) throws IOException {
        if (!Files.exists(directory.resolve(DiskMeta.NAME))) {
            throw new MissingFileException(directory.resolve(DiskMeta.NAME));
        }
        List<String> replicas = new ArrayList<>();
        List<String> damages = new ArrayList<>();
        long[] blocks = {0};
        try (PathDirectory disk = PathDirectory.open(directory)) {
            DiskMeta.read(disk);
            for (String name : disk.list("replicas")) {
                try {
                    replicas.add(replica(disk, "replicas/" + name, damages, blocks));
                } catch (LonghornException e) {
                    damages.add("replica " + name + ": " + e.getMessage());
                }
            }
        }
        return new DiskCheck(directory, replicas, blocks[0], damages);
    }

    private static String replica(PathDirectory disk, String path, List<String> damages, long[] blocks)
            throws IOException {
        ReplicaMeta meta = ReplicaMeta.read(disk, path);
        OpenLayers open = new OpenLayers(DiskSettings.DEFAULTS);
        long before = blocks[0];
        for (Message.Layer layer : meta.layers()) {
            LayerFiles files = new LayerFiles(disk, path, layer.id(), open);
            if (files.exists()) {
                layer(files, path, damages, blocks);
            }
        }
        open.closeAll();
        return "volume " + meta.volumeName() + " replica " + meta.replicaId() + ": " + meta.sizeBytes() + " bytes, "
                + meta.layers().size() + " layers, checkpointed through " + meta.checkpointed() + ", "
                + (blocks[0] - before) + " blocks verified" + (meta.mixed() ? ", being rebuilt" : "");
    }

    private static void layer(LayerFiles files, String path, List<String> damages, long[] blocks) throws IOException {
        ByteBuffer data = ByteBuffer.allocateDirect(BLOCK);
        for (long number = 0; number < files.pageEnd(); number++) {
            MapPage page = files.page(number);
            if (page == null) {
                continue;
            }
            if (page.isDamaged()) {
                damages.add(path + " layer " + files.id + ": map page " + number + " is damaged");
                continue;
            }
            for (int i = 0; i < MapPage.ENTRIES; i++) {
                if (page.state(i) == BlockState.DATA) {
                    long block = number * MapPage.ENTRIES + i;
                    files.readBlocks(block, data.clear());
                    blocks[0]++;
                    if (Checksum.block(data, 0) != page.crc(i)) {
                        damages.add(path + " layer " + files.id + ": block " + block + " does not match its checksum");
                    }
                }
            }
        }
    }
}
