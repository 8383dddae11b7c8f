package io.longhorn.engine;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.RecordLayout;
import java.nio.ByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a replica up to date that was away for a short time and did nothing on its own: resends the records that it missed from a member's journal. New records wait,
 * bounded, while the last of the missed ones are on their way. A journal that has let go of what is needed, or an absence that was not short, makes it a {@link Rebuild}.
 */
final class CatchUp extends Resync {
    private static final Logger LOG = LoggerFactory.getLogger(CatchUp.class);
    /** More missed records than this are not a short absence: the newest content of each block is less to send. */
    static final long MISSED_MAX = 1024;
    /** An answer of the source is about as long as this; its last record may reach beyond. */
    private static final int PAGE_BYTES = 1 << 20;
    /** New records that wait for the missed ones; beyond it they have to be read from the journal too. */
    private static final int HELD_BYTES_MAX = 4 << 20;

    private static final int DROPS_MAX = 3;

    private final long first;
    private long next;
    private boolean asking;
    private long pageCreditUsedBytes;
    /** What the answer may take of the credit, counted before it comes. */
    private long pageCreditBytes;

    private int drops;
    /** What the target must have made durable before it joins; 0 while records are missing. */
    private long awaited;

    private boolean joining;

    /** Whether the replica's history is the beginning of ours, and little of it is missing. */
    static boolean suits(EngineCore core, Message.FenceOk found) {
        return !found.mixed()
                && found.lastSequence() > 0
                && core.history().commonWith(EpochHistory.of(found)) == found.lastSequence()
                && core.window.lastSequence() - found.lastSequence() <= MISSED_MAX;
    }

    CatchUp(EngineCore core, Rebuilds owner, ReplicaLink source, ReplicaLink target) {
        super(core, owner, source, target);
        first = target.fenceState().lastSequence() + 1;
        next = first;
    }

    @Override
    String kind() {
        return "catch-up";
    }

    @Override
    void start() {
        LOG.info(
                "catch-up begins: volume={} source={} target={} from={} through={}",
                core.volumeName(),
                source,
                target,
                first,
                core.window.lastSequence());
        core.events.rebuildStarted(target.replica, 0);
        core.refreshHealth();
        // What it has is the beginning of our history, and what of that is confirmed it may not know: it keeps that in
        // its journal, which may be too full to grant credit.
        target.sendSequence(FrameType.COMMIT, core.committed());
        pump();
    }

    @Override
    void pump() {
        if (isOver() || asking || awaited != 0) {
            return;
        }
        if (next > core.window.lastSequence()) {
            target.hold(next);
            levelled();
        } else if (target.creditLeft() >= FrameLayout.RECORD_BYTES_MAX) {
            // A replica that grants just enough for the longest record grants no more until some of it is used.
            ask((int) Math.min(PAGE_BYTES, target.creditLeft() - FrameLayout.RECORD_BYTES_MAX + 1));
        } else if (target.creditLeft() + target.heldCreditBytes() >= FrameLayout.RECORD_BYTES_MAX) {
            // What is held has taken the credit that what is missing needs first.
            letHeldGo();
        } else if (target.diskFull()) {
            abandon("its disk is full");
        }
    }

    private void ask(int bytes) {
        asking = true;
        pageCreditUsedBytes = 0;
        pageCreditBytes = bytes - 1L + FrameLayout.RECORD_BYTES_MAX;
        target.takeCredit(pageCreditBytes);
        if (!target.takesRecords) {
            target.hold(core.window.lastSequence() + 1);
        }
        source.request(
                new Message.Records(next, bytes),
                Replies.expecting(Message.RecordsOk.class, this::answered, this::abandon));
    }

    @Override
    void relay(ReplicaLink from, ByteBuffer b, int at) {
        if (isOver() || from != source || !asking || RecordLayout.sequence(b, at) != next) {
            return;
        }
        if (!RecordLayout.payloadMatches(b, at)) {
            core.counters.checksumMismatches.increment();
            rebuildInstead("a journaled record does not match its checksum");
            return;
        }
        int length = FrameLayout.frameLength(b, at);
        RecordLayout.clearStamp(b, at);
        target.sendCopy(b, at, length);
        next++;
        pageCreditUsedBytes += RecordLayout.creditBytes(b, at);
        count(length);
    }

    private void answered(Message.RecordsOk end) {
        if (isOver()) {
            return;
        }
        asking = false;
        target.takeCredit(pageCreditUsedBytes - pageCreditBytes);
        if (end.gone() || end.nextSequence() != next) {
            rebuildInstead("the journal no longer holds what it missed");
        } else if (target.heldFrom() <= next) {
            levelled();
        } else if (target.heldBytes() <= HELD_BYTES_MAX) {
            pump();
        } else {
            letHeldGo();
        }
    }

    /** What is held has to be read from the journal too. */
    private void letHeldGo() {
        if (++drops > DROPS_MAX) {
            rebuildInstead("new records come faster than the missed ones");
        } else {
            target.dropHeld();
            pump();
        }
    }

    /** Nothing is missing between what was resent and what is held. */
    private void levelled() {
        target.sendHeld(next);
        awaited = Math.max(core.window.lastSequence(), 1);
        target.sendSequence(FrameType.FLUSH, awaited);
        acknowledged();
    }

    @Override
    void acknowledged() {
        if (isOver() || joining) {
            return;
        }
        if (awaited == 0) {
            pump();
        } else if (isDurableThrough(awaited)) {
            joining = true;
            join();
        }
    }

    /** The rule for joining: everything up to the moment when it took new records is durable on it. */
    private boolean isDurableThrough(long sequence) {
        return target.durable() >= sequence;
    }

    private void rebuildInstead(String reason) {
        owner().rebuildNextTime(target);
        abandon(reason);
    }

    @Override
    void cutOff() {
        target.dropHeld();
    }
}
