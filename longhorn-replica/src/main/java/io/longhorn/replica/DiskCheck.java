package io.longhorn.replica;

import io.longhorn.LonghornException;
import io.longhorn.MissingFileException;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.disk.DiskMeta;
import io.longhorn.replica.disk.MetadataFile;
import io.longhorn.replica.disk.OpenFiles;
import io.longhorn.replica.disk.PathDirectory;
import io.longhorn.replica.disk.RunMarker;
import io.longhorn.replica.journal.JournalGap;
import io.longhorn.replica.journal.JournalSettings;
import io.longhorn.replica.journal.RecoverySink;
import io.longhorn.replica.journal.SegmentFile;
import io.longhorn.replica.journal.SegmentHeader;
import io.longhorn.replica.journal.SegmentScan;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPageCache;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Verifies a disk directory that no server uses: reads its metadata, its journal, every layer's block map and every block that the maps vouch for. Changes nothing. After a
 * crash the next start writes the journal's records into the layers; a block that one of them replaces is not held against the disk.
 *
 * @param replicas what each replica is, in words
 * @param blocks blocks of layers whose checksum was compared
 * @param records valid records in the journal, those included that are in the layers already
 * @param damages what is wrong, each naming where; empty if nothing is
 */
public record DiskCheck(Path directory, List<String> replicas, long blocks, long records, List<String> damages) {

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
        // Opening makes the directory and its lock file: not in a place that is no disk.
        Path named = directory.resolve(DiskMeta.FILE);
        if (!Files.exists(named)) {
            throw new MissingFileException(named);
        }
        try (PathDirectory disk = PathDirectory.openToRead(directory)) {
            DiskMeta meta = DiskMeta.read(disk);
            return new Reader(disk, meta).read(directory);
        }
    }

    /** What one check holds while it reads. */
    private static final class Reader {
        private static final int BLOCK = FrameLayout.BLOCK_BYTES;

        private final DiskDirectory disk;
        private final DiskMeta meta;
        private final boolean clean;
        private final List<String> replicas = new ArrayList<>();
        private final List<String> damages = new ArrayList<>();
        private final ByteBuffer data = ByteBuffer.allocateDirect(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        /** Blocks that records of the journal write, by the replica's slot. */
        private final Map<Integer, BitSet> journaled = new HashMap<>();

        private long blocks;
        private long records;

        Reader(DiskDirectory disk, DiskMeta meta) throws IOException {
            this.disk = disk;
            this.meta = meta;
            clean = RunMarker.read(disk, meta.diskId()).clean();
        }

        DiskCheck read(Path directory) throws IOException {
            for (String name : disk.list(JournalSettings.DIRECTORY)) {
                OptionalInt index = SegmentFile.indexOf(name);
                if (index.isPresent()) {
                    segment(index.getAsInt());
                }
            }
            for (String name : disk.list(ReplicaMeta.DIRECTORY)) {
                try {
                    replica(ReplicaMeta.DIRECTORY + "/" + name);
                } catch (LonghornException e) {
                    damages.add("replica " + name + ": " + e.getMessage());
                }
            }
            return new DiskCheck(directory, replicas, blocks, records, damages);
        }

        private void segment(int index) throws IOException {
            Path path = MetadataFile.path(disk, SegmentFile.name(index));
            SegmentFile file = SegmentFile.open(disk, index);
            try (DiskFile opened = file.disk()) {
                ByteBuffer b = ByteBuffer.allocate(SegmentHeader.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                opened.read(0, b.clear());
                SegmentHeader header = SegmentHeader.decode(b, index, meta.diskId(), path);
                if (header == null) {
                    return;
                }
                ByteBuffer whole = ByteBuffer.allocate(header.segmentBytes()).order(ByteOrder.LITTLE_ENDIAN);
                file.readWhole(whole);
                new SegmentScan(whole, header.number()).run(0, 0, new RecordSink());
            } catch (LonghornException e) {
                damages.add(path + ": " + e.getMessage());
            }
        }

        private final class RecordSink implements RecoverySink {
            @Override
            public void record(long position, ByteBuffer b, int at) {
                records++;
                int type = FrameLayout.type(b, at);
                if (type != FrameType.WRITE.code()
                        && type != FrameType.WRITE_ZEROES.code()
                        && type != FrameType.DISCARD.code()) {
                    return;
                }
                long count = RecordLayout.length(b, at) / BLOCK;
                long first = RecordLayout.offset(b, at) / BLOCK;
                if (first + count <= Integer.MAX_VALUE) {
                    journaled
                            .computeIfAbsent(FrameLayout.slot(b, at), slot -> new BitSet())
                            .set((int) first, (int) (first + count));
                }
            }

            @Override
            public void gap(JournalGap gap) {
                damages.add("journal segment " + gap.segment() + ", positions " + gap.from() + " to " + gap.to() + ": "
                        + gap.reason());
            }
        }

        private void replica(String path) throws IOException {
            ReplicaMeta replica = ReplicaMeta.read(disk, path);
            OpenFiles files = new OpenFiles(disk, 2);
            MapPageCache pages = new MapPageCache(0);
            long before = blocks;
            for (Message.Layer layer : replica.layers()) {
                LayerFiles opened =
                        new LayerFiles(files, pages, path, replica.replicaId(), layer.id(), layer.sizeBytes());
                opened.verify();
                opened.retain();
                try {
                    layer(opened, path, journaled.getOrDefault(replica.slot(), new BitSet()));
                } finally {
                    opened.release();
                    opened.close();
                }
            }
            replicas.add("volume " + replica.volumeName() + " replica " + replica.replicaId() + ": "
                    + replica.sizeBytes() + " bytes, " + replica.layers().size() + " layers, checkpointed through "
                    + replica.checkpointedSequence() + ", " + (blocks - before) + " blocks verified"
                    + (replica.mixed() == null ? "" : ", being rebuilt")
                    + (replica.damaged() ? ", lost records of its journal" : "")
                    + (replica.uncertain() ? ", to be caught up after a crash of its host" : ""));
        }

        private void layer(LayerFiles layer, String path, BitSet replaced) throws IOException {
            if (!clean) {
                layer.map().expectTornAnywhere();
            }
            layer.map().walk(0, layer.map().blocks(), 0, (block, entry, crc) -> {
                if (!clean && block < Integer.MAX_VALUE && replaced.get((int) block)) {
                    return true;
                }
                if (MapEntry.isDamaged(entry)) {
                    damages.add(where(path, layer.id(), block) + " has a damaged entry in the block map");
                } else if (MapEntry.isData(entry) && !matches(layer, block, crc)) {
                    damages.add(where(path, layer.id(), block) + " does not match its checksum");
                }
                return true;
            });
        }

        private boolean matches(LayerFiles layer, long block, int crc) {
            blocks++;
            try {
                layer.read(block, data.clear());
            } catch (IOException e) {
                return false;
            }
            return Checksum.block(data, 0) == crc;
        }

        private static String where(String path, LayerId layer, long block) {
            return path + " layer " + layer + ": block " + block;
        }
    }
}
