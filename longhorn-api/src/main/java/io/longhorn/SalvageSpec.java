package io.longhorn;

import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How far {@link Longhorn#salvage} may go. Immutable; begin with {@link #careful()} and widen it where its refusal says
 * so.
 */
public final class SalvageSpec {

    private static final SalvageSpec CAREFUL = new SalvageSpec(null, false);

    private final @Nullable UUID replica;
    private final boolean forced;

    private SalvageSpec(@Nullable UUID replica, boolean forced) {
        this.replica = replica;
        this.forced = forced;
    }

    /**
     * Takes the replica with the longest history, never one that is half rebuilt, and refuses while the last engine may
     * still be alive.
     */
    public static SalvageSpec careful() {
        return CAREFUL;
    }

    /** The same, but takes this replica, even if it is half rebuilt: it then holds a mix of old and new blocks. */
    public SalvageSpec fromReplica(UUID id) {
        return new SalvageSpec(Objects.requireNonNull(id, "id"), forced);
    }

    /**
     * The same, but does not refuse when the last engine may still be alive. <b>Risk:</b> if it is, it may go on
     * confirming writes through replicas that are not reached now, and all of those are lost. Make sure that it is not
     * running.
     */
    public SalvageSpec evenIfInUse() {
        return new SalvageSpec(replica, true);
    }

    /** The replica to take; empty for the one with the longest history. */
    public Optional<UUID> replica() {
        return Optional.ofNullable(replica);
    }

    /** Whether {@link #evenIfInUse()} was asked for. */
    public boolean forced() {
        return forced;
    }

    @Override
    public String toString() {
        return "SalvageSpec[replica=" + (replica == null ? "longest history" : replica.toString()) + ", forced="
                + forced + "]";
    }
}
