package io.longhorn.replica;

import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import java.util.ArrayList;
import java.util.List;
import net.bytebuddy.implementation.bind.annotation.Argument;
import net.bytebuddy.implementation.bind.annotation.FieldValue;

/** Wrong bodies for the replica's rules; each has the name of the method it stands in for. */
public final class ReplicaBugs {
    private ReplicaBugs() {}

    /** Moves records into layers that nobody has confirmed. */
    public static final class Uncommitted {
        private Uncommitted() {}

        public static long checkpointLimit(@FieldValue("durable") long durable) {
            return durable;
        }
    }

    /** Moves records into layers that a loss of power may take out of the journal. */
    public static final class Undurable {
        private Undurable() {}

        public static long checkpointLimit(
                @FieldValue("committed") long committed, @FieldValue("lastSequence") long lastSequence) {
            return Math.min(committed, lastSequence);
        }
    }

    /** Gives blocks back for a deletion that may yet be dropped. */
    public static boolean mayGo(@Argument(0) ReplicaState replica, @Argument(1) LayerNode node) {
        return (node.droppedSequence() != 0 || node.removedSequence() != 0)
                && node.files() != null
                && !replica.pins.holds(node.id())
                && (node.droppedSequence() != 0 || node.pending().isEmpty());
    }

    /** Finds nothing that a rebuild would have to make stable. */
    public static List<LayerFiles> retainUnsynced() {
        return new ArrayList<>();
    }

    /** Says that everything appended is on stable storage. */
    public static long durableForAck(@FieldValue("replica") ReplicaState replica) {
        return replica.lastSequence();
    }
}
