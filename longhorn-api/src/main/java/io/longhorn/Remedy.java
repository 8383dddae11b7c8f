package io.longhorn;

/** What the caller of a failed operation can do. */
public enum Remedy {

    /** The same call may succeed a little later. */
    RETRY,

    /** Nothing is needed: the volume goes on with fewer replicas and comes back by itself. */
    GO_ON_DEGRADED,

    /** This object is finished. Open the volume again; unflushed writes may have to be repeated. */
    REOPEN,

    /** Delete snapshots or volumes, or add space, and try again. */
    FREE_SPACE,

    /** The call itself is wrong: another name, size, range or order of calls is needed. */
    FIX_ARGUMENT,

    /** Configuration, credentials, files, disks or artifacts have to be put right by a person. */
    FIX_SETUP,

    /** Another version of the software is needed on one of the sides. */
    FIX_VERSION,

    /** Bring lost replicas back, or accept losses with {@link Longhorn#salvage}. */
    SALVAGE,

    /** The data that the error names is lost on all replicas: overwrite it, or restore it from a backup. */
    DATA_LOST,

    /** The volume is lost: restore it from a backup. */
    VOLUME_LOST
}
