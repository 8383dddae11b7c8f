package io.longhorn.replica.disk;

import java.io.IOException;
import java.util.UUID;

/**
 * {@code disk.meta}: which disk this is; see {@code docs/format/disk.md}, section 4.
 *
 * <pre>
 *  0            16          20         24       40
 *  | cluster id | next slot | reserved | key id |
 * </pre>
 *
 * @param diskId owner in the common header
 * @param clusterId the registry the disk belongs to; {@link #NO_CLUSTER} until its first use
 * @param nextSlot the slot of the next replica made here. Raised, durably, before a replica takes one, so that no slot is ever used again:
 *     the journal may still hold records of a deleted replica
 */
public record DiskMeta(UUID diskId, UUID clusterId, int nextSlot) {
    /** Its name on the disk. */
    public static final String FILE = "disk.meta";
    /** Of a disk that no registry has used yet. */
    public static final UUID NO_CLUSTER = new UUID(0, 0);
    /** Slot 0 stands on the wire and belongs to nobody. */
    public static final int FIRST_SLOT = 1;

    private static final int RESERVED_BYTES = 20;

    public DiskMeta {
        if (nextSlot < FIRST_SLOT) {
            throw new IllegalArgumentException("next slot " + nextSlot + "; expected at least " + FIRST_SLOT);
        }
    }

    /** Whether the directory was used as a disk before. */
    public static boolean exists(DiskDirectory directory) throws IOException {
        return directory.exists(FILE);
    }

    /** What a new disk begins with; not written yet. */
    public static DiskMeta create(UUID diskId) {
        return new DiskMeta(diskId, NO_CLUSTER, FIRST_SLOT);
    }

    /** Reads it; for the conditions see {@link MetadataFile#read}. */
    public static DiskMeta read(DiskDirectory directory) throws IOException {
        MetadataFile file = MetadataFile.read(directory, FILE, FileKind.DISK, null);
        FieldReader r = new FieldReader(MetadataFile.path(directory, FILE), file);
        UUID clusterId = r.uuid();
        int nextSlot = r.i32();
        r.zeroes(RESERVED_BYTES);
        r.end();
        if (nextSlot < FIRST_SLOT) {
            throw r.damaged("next slot is " + nextSlot);
        }
        return new DiskMeta(file.owner(), clusterId, nextSlot);
    }

    /** Replaces the file, durably. Any thread. */
    public void write(DiskDirectory directory) throws IOException {
        FieldWriter w = new FieldWriter().uuid(clusterId).i32(nextSlot).zeroes(RESERVED_BYTES);
        MetadataFile.replace(directory, FILE, FileKind.DISK, diskId, w.written());
    }

    public DiskMeta withClusterId(UUID clusterId) {
        return new DiskMeta(diskId, clusterId, nextSlot);
    }

    public DiskMeta withNextSlot(int nextSlot) {
        return new DiskMeta(diskId, clusterId, nextSlot);
    }
}
