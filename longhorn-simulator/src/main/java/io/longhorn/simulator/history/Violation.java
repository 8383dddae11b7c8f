package io.longhorn.simulator.history;

/** A promise was broken. */
public final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Which promise. The numbers are those of the architecture page. */
    public enum Kind {
        LINEARIZABLE(1),
        FLUSHED_SURVIVES(2),
        NO_MIX(3),
        FENCED(4),
        REPLICAS_IDENTICAL(5),
        SNAPSHOT_IMMUTABLE(6),
        STALE_NEVER_READ(7),
        REBUILD_ENDS(8),
        NO_FLIPPED_BIT(9),
        DISK_FULL(10),
        /** Something else that must never happen: an exception out of a state machine, a hung operation. */
        BROKEN(0);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        public int number() {
            return number;
        }
    }

    private final Kind kind;

    public Violation(Kind kind, String what) {
        super(kind + " (invariant " + kind.number() + "): " + what);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
