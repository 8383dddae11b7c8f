package io.longhorn.replica;

import io.longhorn.ForeignFileException;
import io.longhorn.LonghornException;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskMeta;
import io.longhorn.replica.disk.MetadataFile;
import io.longhorn.replica.disk.OpenFiles;
import io.longhorn.replica.disk.RunMarker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.MapPageCache;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the files of a disk say when it is opened, the journal excepted: which disk it is, how its last run ended, its replicas. A replica that cannot be read is set aside, so
 * that a new one can be made in its place; its files stay for people to look at.
 *
 * @param mayHaveLostWrites the last run ended without notice on another boot of the host: acknowledged records may be gone
 * @param leftovers directories that are no replicas: without metadata, which is the last thing made and the first deleted
 */
record DiskRecovery(DiskMeta diskMeta, boolean mayHaveLostWrites, List<Stored> stored, List<String> leftovers) {
    /** Where what cannot be read goes. */
    static final String SET_ASIDE = "set-aside";

    private static final Logger LOG = LoggerFactory.getLogger(DiskRecovery.class);
    /** What a directory may hold and still be taken for an empty disk, beside leftovers of our own first start. */
    private static final Set<String> HARMLESS =
            Set.of("lost+found", "lock", DiskMeta.FILE + MetadataFile.LEFTOVER_SUFFIX);

    /** A replica's directory and metadata. */
    record Stored(String directory, ReplicaMeta meta) {}

    static DiskRecovery of(DiskDirectory directory, Loop loop, String bootId) throws IOException {
        if (!DiskMeta.exists(directory)) {
            requireEmpty(directory);
            // Its leftover is the only one that can be here.
            directory.delete(DiskMeta.FILE + MetadataFile.LEFTOVER_SUFFIX);
            DiskMeta fresh = DiskMeta.create(new UUID(loop.nextRandomLong(), loop.nextRandomLong()));
            fresh.write(directory);
            LOG.info("new disk: disk={} id={}", directory.describe(), fresh.diskId());
        }
        DiskMeta meta = DiskMeta.read(directory);
        MetadataFile.removeLeftovers(directory, "");
        boolean lost = RunMarker.read(directory, meta.diskId()).mayHaveLostWrites(bootId);
        boolean firstRun = directory.list(ReplicaMeta.DIRECTORY).isEmpty();
        directory.createDirectories(ReplicaMeta.DIRECTORY);
        directory.syncDirectory("");
        directory.syncDirectory(ReplicaMeta.DIRECTORY);
        List<String> leftovers = new ArrayList<>();
        return new DiskRecovery(meta, lost && !firstRun, readReplicas(directory, leftovers), leftovers);
    }

    private static void requireEmpty(DiskDirectory directory) throws IOException {
        for (String name : directory.list("")) {
            if (!HARMLESS.contains(name)) {
                throw new ForeignFileException(
                        Path.of(directory.describe(), name), "part of a Longhorn disk, which begins empty");
            }
        }
    }

    private static List<Stored> readReplicas(DiskDirectory directory, List<String> leftovers) throws IOException {
        List<Stored> stored = new ArrayList<>();
        Set<UUID> ids = new HashSet<>();
        for (String name : directory.list(ReplicaMeta.DIRECTORY)) {
            String path = ReplicaMeta.DIRECTORY + "/" + name;
            if (!directory.exists(path + "/" + ReplicaMeta.FILE)) {
                leftovers.add(path);
                continue;
            }
            try {
                ReplicaMeta meta = ReplicaMeta.read(directory, path);
                tidy(directory, path, meta);
                if (ids.add(meta.replicaId())) {
                    stored.add(new Stored(path, meta));
                }
            } catch (LonghornException e) {
                LOG.error("replica cannot be read and is set aside: disk={} replica={}", directory.describe(), name, e);
                setAside(directory, path, name);
            }
        }
        return stored;
    }

    /**
     * Deletes what crashes left, and looks whether the files of all layers are there. What was read becomes stable if it is not: a process that died may have renamed the metadata and
     * not synced that, and the journal is released by what the metadata says.
     */
    private static void tidy(DiskDirectory directory, String path, ReplicaMeta meta) throws IOException {
        MetadataFile.removeLeftovers(directory, path);
        directory.syncDirectory(path);
        Set<LayerId> layers = new HashSet<>();
        OpenFiles files = new OpenFiles(directory, 2);
        MapPageCache pages = new MapPageCache(0);
        for (Message.Layer layer : meta.layers()) {
            layers.add(layer.id());
            new LayerFiles(files, pages, path, meta.replicaId(), layer.id(), layer.sizeBytes()).verify();
        }
        for (String name : directory.list(path)) {
            Optional<LayerId> layer = LayerFiles.layerOf(name);
            if (layer.isPresent() && !layers.contains(layer.get())) {
                directory.delete(path + "/" + name);
            }
        }
    }

    private static void setAside(DiskDirectory directory, String path, String name) throws IOException {
        directory.createDirectories(SET_ASIDE);
        int number = 1;
        while (directory.exists(SET_ASIDE + "/" + name + "-" + number)) {
            number++;
        }
        directory.rename(path, SET_ASIDE + "/" + name + "-" + number);
        directory.syncDirectory("");
        directory.syncDirectory(SET_ASIDE);
        directory.syncDirectory(ReplicaMeta.DIRECTORY);
    }
}
