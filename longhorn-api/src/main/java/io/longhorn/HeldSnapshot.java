package io.longhorn;

/**
 * A snapshot whose content stays readable until {@link #close()}, even when the snapshot is deleted meanwhile: the replicas keep its blocks that long. What an engine holds ends
 * with it; of a deleted snapshot also with the last connection to a replica that held it, and from then on reads fail with {@link SnapshotNotFoundException}.
 */
public interface HeldSnapshot extends Snapshot, AutoCloseable {

    /** Lets the content go. Does nothing the second time. */
    @Override
    void close();
}
