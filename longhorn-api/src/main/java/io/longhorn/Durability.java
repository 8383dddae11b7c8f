package io.longhorn;

/** What the return of a plain write means. Chosen when a volume is created. */
public enum Durability {

    /**
     * A write is confirmed when every in-sync replica has journaled it: it survives the crash of any process and the
     * permanent loss of all but one replica host. {@link Volume#flush()} makes it survive power loss of all machines at
     * once. The semantics of a disk with a write cache, and the default.
     */
    ON_FLUSH,

    /** Every write is confirmed like {@link WriteOption#FORCED}: on stable storage of every in-sync replica. */
    WRITE_THROUGH
}
