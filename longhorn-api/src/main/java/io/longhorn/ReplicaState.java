package io.longhorn;

/** What a replica is to its volume now. */
public enum ReplicaState {

    /** A member of the view: holds every confirmed write and serves reads. */
    IN_SYNC,

    /** Takes new writes and is being brought up to date; never read. */
    REBUILDING,

    /** Not reachable, or left behind; returns by catching up. Never read. */
    ABSENT
}
