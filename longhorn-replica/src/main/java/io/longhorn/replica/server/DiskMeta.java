package io.longhorn.replica.server;

import io.longhorn.replica.DiskDirectory;
import java.io.IOException;
import java.util.UUID;

/**
 * What {@code disk.meta} holds: which disk this is, and to which cluster it belongs. See {@code docs/format}.
 *
 * @param clusterId {@link #NO_CLUSTER} until an engine of a cluster uses the disk first
 */
record DiskMeta(UUID diskId, UUID clusterId, int segmentBytes) {
    static final String NAME = "disk.meta";
    static final UUID NO_CLUSTER = new UUID(0, 0);
    private static final int VERSION = 1;

    void write(DiskDirectory disk) throws IOException {
        MetadataFile.write(
                disk,
                "",
                NAME,
                MetadataFile.Format.DISK,
                VERSION,
                new MetadataFile.Writer().uuid(diskId).uuid(clusterId).i32(segmentBytes));
    }

    static DiskMeta read(DiskDirectory disk) throws IOException {
        return MetadataFile.read(
                disk, NAME, MetadataFile.Format.DISK, VERSION, VERSION, r -> new DiskMeta(r.uuid(), r.uuid(), r.i32()));
    }

    DiskMeta stampedWith(UUID cluster) {
        return new DiskMeta(diskId, cluster, segmentBytes);
    }
}
