package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.disk.SyncFailedException;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A replica that is being rebuilt, from the beginning of a session to its end.
 *
 * <p>It marks itself mixed, durably; moves what both histories share into its layers; drops the rest, takes over the source's layers and starts anew at the base ({@link
 * RebuildSwitch}); then takes in copied blocks ({@link CopiedBlocks}) while new records arrive. Copies go straight to the layer files: should the process die, the mark makes the
 * next rebuild start over from the same point. Loop only.
 */
final class RebuildTarget {

    /** Told on the loop what became of one frame of copies. */
    interface Taken {
        void taken(Message.RebuildProgress progress, @Nullable IOException failure);
    }

    /** Frames of copies that go to the worker together. */
    private static final int INSTALLED_AT_ONCE_MAX = 16;

    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final Message.RebuildBegin plan;
    private final long commonSequence;
    private final boolean wasMixed;
    private final ArrayDeque<CopiedBlocks> waiting = new ArrayDeque<>();
    private boolean cancelled;
    private boolean whole;

    RebuildTarget(ReplicaDisk disk, ReplicaState replica, Message.RebuildBegin plan) {
        this.disk = disk;
        this.replica = replica;
        this.plan = plan;
        ReplicaMeta.Mixed before = replica.meta().mixed();
        wasMixed = before != null;
        commonSequence =
                before == null ? plan.commonSequence() : Math.min(plan.commonSequence(), before.commonSequence());
    }

    boolean isSession(long session) {
        return plan.session() == session && !cancelled;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** The connection is gone, or another session begins: nothing of this one is begun any more. The replica stays mixed. */
    void cancel() {
        cancelled = true;
    }

    ReplicaDisk disk() {
        return disk;
    }

    ReplicaState replica() {
        return replica;
    }

    Message.RebuildBegin plan() {
        return plan;
    }

    /** Everything up to here is as in the source's history. */
    long commonSequence() {
        return commonSequence;
    }

    boolean wasMixed() {
        return wasMixed;
    }

    // ------------------------------------------------------------------ beginning

    /** {@code outcome} is told when the replica is durably marked, and stands at the base. No record may arrive before. */
    void begin(DiskWorker.Outcome outcome) {
        replica.keeper.change(replica.keeper
                .wanted()
                .change()
                .mixed(new ReplicaMeta.Mixed(plan.session(), commonSequence, plan.baseSequence()))
                .build());
        replica.keeper.store(true, failure -> {
            if (failure != null || cancelled) {
                outcome.done(failure);
            } else {
                bringLayersToCommonPoint(outcome);
            }
        });
    }

    /** What both histories share must be in the layers before the rest of the journal is given up. */
    private void bringLayersToCommonPoint(DiskWorker.Outcome outcome) {
        long wanted = Math.min(commonSequence, replica.lastSequence());
        replica.raiseCommitted(wanted);
        disk.whenCheckpointed(replica, wanted, () -> disk.changes().add(new RebuildSwitch(this, outcome)));
    }

    // ------------------------------------------------------------------ copies

    /** Takes in the copies of a checked frame, whose bytes are borrowed until this returns. */
    void install(ByteBuffer b, int at, FramePool pool, Taken taken) {
        waiting.add(new CopiedBlocks(this, b, at, pool, taken));
        disk.changes().add(new CopyInstallation(this));
    }

    /** The oldest copies that wait and those behind them for the same layer whose blocks lie apart, in the order of their blocks; none if all were taken. */
    List<CopiedBlocks> takeCopies() {
        List<CopiedBlocks> taken = new ArrayList<>();
        while (taken.size() < INSTALLED_AT_ONCE_MAX && fits(waiting.peek(), taken)) {
            taken.add(waiting.remove());
        }
        taken.sort(Comparator.comparingLong(CopiedBlocks::firstBlock));
        return taken;
    }

    private static boolean fits(@Nullable CopiedBlocks next, List<CopiedBlocks> taken) {
        return next != null
                && taken.stream().allMatch(each -> each.layerId().equals(next.layerId()) && !each.overlaps(next));
    }

    /**
     * The rule for copies: one is installed only over something older. What the replica has of its own beyond the common point, up to the base, is of a history that was
     * dropped, or copied before, and counts as older than anything; what is newer than the base comes by records alone.
     */
    boolean isInstalled(long copiedEntry, long presentEntry) {
        long copied = MapEntry.sequence(copiedEntry);
        if (copied > plan.baseSequence()) {
            return false;
        }
        if (MapEntry.isDamaged(presentEntry)) {
            return true;
        }
        long present = MapEntry.sequence(presentEntry);
        if (MapEntry.isDamaged(copiedEntry)) {
            // Nobody can tell whether what is here is what the source lost.
            return present <= plan.baseSequence();
        }
        return present <= plan.baseSequence() && (present > commonSequence || present < copied);
    }

    // ------------------------------------------------------------------ ending

    /** {@code outcome} is told when every copy, and every record up to {@code through}, is durable here. */
    void end(long through, DiskWorker.Outcome outcome) {
        if (through > replica.lastSequence()) {
            throw new ReplicaRefusal(
                    ErrorCode.SEQUENCE_GAP,
                    replica.lastSequence() + 1,
                    through,
                    "records up to " + through + " did not come before the rebuild's end");
        }
        disk.changes().add(ended -> {
            List<LayerFiles> files = retainUnsynced();
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, () -> syncAll(files), failure -> {
                files.forEach(LayerFiles::release);
                ended.run();
                synced(through, failure, outcome);
            });
        });
    }

    /** Also what an earlier session left, perhaps that of a process that died: of its copies up to the common point, this one may have made none again. */
    private List<LayerFiles> retainUnsynced() throws IOException {
        List<LayerFiles> files = new ArrayList<>();
        try {
            for (LayerNode layer : replica.tree.all()) {
                LayerFiles its = layer.files();
                if (its != null && (wasMixed || its.isUnsynced())) {
                    its.retain();
                    files.add(its);
                }
            }
            return files;
        } catch (IOException | RuntimeException e) {
            files.forEach(LayerFiles::release);
            throw e;
        }
    }

    private static void syncAll(List<LayerFiles> files) throws IOException {
        for (LayerFiles each : files) {
            try {
                each.syncData();
                each.syncMap();
            } catch (IOException e) {
                throw new SyncFailedException("copies in layer " + each.id(), e);
            }
        }
    }

    private void synced(long through, @Nullable IOException failure, DiskWorker.Outcome outcome) {
        if (failure != null) {
            disk.layerChangeFailed("rebuild of " + replica, failure);
            outcome.done(failure);
        } else if (mayJoin(through)) {
            whole = true;
            outcome.done(null);
        } else {
            disk.whenDurable(disk.journal().appendedPosition(), () -> synced(through, null, outcome));
        }
    }

    /** The rule for joining: everything up to the join is durable on this replica before anybody calls it a member. */
    private boolean mayJoin(long through) {
        return replica.durable() >= through;
    }

    /** The registry shows the replica as a member: it is whole again. */
    void joined(DiskWorker.Outcome outcome) {
        if (!whole) {
            throw new ReplicaRefusal(ErrorCode.REPLICA_NOT_READY, "the rebuild has not ended");
        }
        cancelled = true;
        replica.keeper.change(replica.keeper
                .wanted()
                .change()
                .mixed(null)
                .certainSequence(ReplicaMeta.CERTAIN)
                .damaged(false)
                .build());
        replica.keeper.store(true, failure -> {
            disk.removal().rebuilt(replica);
            outcome.done(failure);
        });
    }
}
