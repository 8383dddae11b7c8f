package io.longhorn;

/** How well a volume is doing. */
public enum HealthState {

    /** As many replicas as wanted are in sync. */
    HEALTHY,

    /** Reads and writes work, with fewer replicas in sync than wanted. A rebuild may be on its way. */
    DEGRADED,

    /** The volume answers nothing: too few replicas, taken over by another engine, or failed. */
    FAULTED
}
