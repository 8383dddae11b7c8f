package io.longhorn.replica;

/** What a simulation asks a replica server that nobody else may ask. */
public final class ReplicaDoor {
    private ReplicaDoor() {}

    /** Whether nobody is served from the disk until the process starts anew. */
    public static boolean hasFailed(ReplicaDisk disk) {
        return disk.hasFailed();
    }
}
