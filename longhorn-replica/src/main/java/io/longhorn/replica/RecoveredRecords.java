package io.longhorn.replica;

import io.longhorn.LonghornException;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.journal.JournalGap;
import io.longhorn.replica.journal.RecoverySink;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the journal's records back to their replicas when a disk is opened. A record counts if it follows its replica's last one, in sequence and epoch; what does not is
 * older than the layers, of a history that was dropped, or an orphan behind a gap. A pair of epoch and sequence names one record for ever, so that taking one twice, or from
 * another place, does no harm. Used once.
 */
final class RecoveredRecords implements RecoverySink {
    private static final Logger LOG = LoggerFactory.getLogger(RecoveredRecords.class);

    private final Map<Integer, ReplicaState> bySlot = new HashMap<>();
    /** Replicas that may have lost records to damage; taken out when a later record shows that they did not. */
    private final Set<ReplicaState> suspects = new HashSet<>();

    private final List<RepairRecord.Found> repairs = new ArrayList<>();
    private @Nullable IOException failure;

    RecoveredRecords(Collection<ReplicaState> replicas) {
        for (ReplicaState replica : replicas) {
            bySlot.put(replica.slot(), replica);
        }
    }

    @Override
    public void record(long position, ByteBuffer b, int at) {
        ReplicaState replica = bySlot.get(FrameLayout.slot(b, at));
        if (replica == null || failure != null) {
            return;
        }
        if (FrameLayout.type(b, at) == FrameType.LOCAL_REPAIR.code()) {
            repairs.add(RepairRecord.decode(replica, b, at, position));
            return;
        }
        long sequence = RecordLayout.sequence(b, at);
        if (sequence <= replica.lastSequence() + 1) {
            suspects.remove(replica);
        }
        if (replica.follows(FrameLayout.epoch(b, at), sequence)) {
            take(replica, b, at, position);
        }
    }

    private void take(ReplicaState replica, ByteBuffer b, int at, long position) {
        replica.take(b, at, position);
        try {
            replica.expectTorn(replica.lastSequence());
        } catch (IOException e) {
            failure = e;
        }
    }

    @Override
    public void gap(JournalGap gap) {
        LOG.error(
                "durable records are lost: segment={} from={} to={} reason={}",
                gap.segment(),
                gap.from(),
                gap.to(),
                gap.reason());
        ReplicaState replica = bySlot.get(gap.slot());
        if (gap.slot() == 0) {
            suspects.addAll(bySlot.values());
        } else if (replica != null) {
            suspects.add(replica);
        }
    }

    /**
     * All was read: adds what is parked, and writes down what each replica may have lost, before the last run's marker goes.
     *
     * @param mayHaveLostWrites whether records that were acknowledged and not synced may be gone
     */
    void finish(boolean mayHaveLostWrites) throws IOException {
        if (failure != null) {
            throw failure;
        }
        for (ReplicaState replica : bySlot.values()) {
            readParked(replica);
            replica.expectTornOutsideJournal();
            long confirmed = replica.meta().committedSequence();
            replica.recovered();
            noteLosses(replica, mayHaveLostWrites, confirmed);
        }
        for (RepairRecord.Found repair : repairs) {
            repair.takeIfStillThere();
        }
    }

    private void readParked(ReplicaState replica) throws IOException {
        DiskDirectory directory = replica.disk.directory();
        if (!ParkedTail.exists(directory, replica.directory)) {
            return;
        }
        try {
            ParkedTail.read(directory, replica.directory, replica.replicaId(), (b, at) -> {
                if (replica.follows(FrameLayout.epoch(b, at), RecordLayout.sequence(b, at))) {
                    replica.takeParked(b, at);
                }
            });
        } catch (LonghornException e) {
            LOG.error("parked records are lost: replica={}", replica, e);
            suspects.add(replica);
        }
        if (replica.isParked()) {
            // What the journal still has of the tail is in the file too.
            replica.park();
        } else {
            ParkedTail.delete(directory, replica.directory);
        }
    }

    private void noteLosses(ReplicaState replica, boolean mayHaveLostWrites, long confirmed) throws IOException {
        boolean damaged = suspects.contains(replica);
        ReplicaMeta meta = replica.meta();
        boolean isNews = (mayHaveLostWrites && !meta.uncertain()) || (damaged && !meta.damaged());
        if (!isNews && confirmed <= replica.lastSequence()) {
            return;
        }
        if (damaged) {
            LOG.error("replica lost records that were durable: replica={}", replica);
        }
        ReplicaMetaBuilder changed = replica.metaAsOf(replica.checkpointed()).change();
        if (mayHaveLostWrites && !meta.uncertain()) {
            changed.certainSequence(replica.lastSequence());
        }
        ReplicaMeta noted = changed.damaged(damaged || meta.damaged()).build();
        noted.write(replica.disk.directory(), replica.directory);
        replica.keeper.recovered(noted);
    }
}
