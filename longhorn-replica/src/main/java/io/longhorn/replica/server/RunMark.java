package io.longhorn.replica.server;

import io.longhorn.replica.DiskDirectory;
import java.io.IOException;

/**
 * What {@code running} holds: on which boot of the host the disk was used last, and whether that ended in order. Without that, or on another
 * boot, records that were acknowledged but never synced may be gone.
 */
record RunMark(String bootId, boolean clean) {
    static final String NAME = "running";
    private static final int VERSION = 1;

    void write(DiskDirectory disk) throws IOException {
        MetadataFile.write(
                disk,
                "",
                NAME,
                MetadataFile.Format.RUN_MARK,
                VERSION,
                new MetadataFile.Writer().text(bootId).u8(clean ? 1 : 0));
    }

    static RunMark read(DiskDirectory disk) throws IOException {
        return MetadataFile.read(
                disk, NAME, MetadataFile.Format.RUN_MARK, VERSION, VERSION, r -> new RunMark(r.text(), r.u8() != 0));
    }
}
