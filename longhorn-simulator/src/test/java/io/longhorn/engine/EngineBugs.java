package io.longhorn.engine;

import java.util.List;
import net.bytebuddy.implementation.bind.annotation.Argument;
import net.bytebuddy.implementation.bind.annotation.FieldValue;

/** Wrong bodies for the engine's rules; each has the name of the method it stands in for. */
public final class EngineBugs {
    private EngineBugs() {}

    /** Confirms when one replica has it. */
    public static long journaledByAll(@FieldValue("confirmers") List<ReplicaLink> confirmers) {
        return confirmers.stream().mapToLong(ReplicaLink::journaled).max().orElse(Long.MAX_VALUE);
    }

    /** Calls durable what is on one replica. */
    public static long durableByAll(@FieldValue("confirmers") List<ReplicaLink> confirmers) {
        return confirmers.stream().mapToLong(ReplicaLink::durable).max().orElse(Long.MAX_VALUE);
    }

    /** Goes on without the member, but tells nobody. */
    public static VolumeRecord without(@Argument(0) VolumeRecord record) {
        return record;
    }

    /** Counts the lease from the answer. */
    public static void renewLease(@FieldValue("core") EngineCore core) {
        core.lease.renew(core.loop.nanoTime(), core.loop.wallMillis());
    }
}
