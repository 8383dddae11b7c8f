package io.longhorn.engine;

import java.nio.ByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One way of bringing a replica outside the view up to date from a member, through the engine, until it joins. Engine loop only. */
abstract sealed class Resync permits CatchUp, Rebuild {
    private static final Logger LOG = LoggerFactory.getLogger(Resync.class);

    final EngineCore core;
    final ReplicaLink source;
    final ReplicaLink target;
    private final Rebuilds owner;
    private final long startedNanos;
    private long doneBytes;
    private boolean over;

    Resync(EngineCore core, Rebuilds owner, ReplicaLink source, ReplicaLink target) {
        this.core = core;
        this.owner = owner;
        this.source = source;
        this.target = target;
        startedNanos = core.loop.nanoTime();
    }

    /** For logs. */
    abstract String kind();

    abstract void start();

    /** Goes on as far as budget and credit allow. */
    abstract void pump();

    /** The target acknowledged something. */
    abstract void acknowledged();

    /** A record from the journal of {@code from}. */
    void relay(ReplicaLink from, ByteBuffer b, int at) {}

    /** The target takes no new records any more. */
    abstract void cutOff();

    /** The registry calls the target a member. */
    void joined() {}

    /** Nothing is going to be read from the source any more. */
    void releaseSource() {}

    Rebuilds owner() {
        return owner;
    }

    /** The replica that is brought up to date. */
    ReplicaLink target() {
        return target;
    }

    /** Whether it takes part, as source or as target. */
    boolean concerns(ReplicaLink link) {
        return link == source || link == target;
    }

    boolean isOver() {
        return over;
    }

    long startedNanos() {
        return startedNanos;
    }

    long doneBytes() {
        return doneBytes;
    }

    /** At least {@link #doneBytes}; what is to be copied, as far as that is known. */
    long totalBytes() {
        return doneBytes;
    }

    void count(long bytes) {
        doneBytes += bytes;
        core.counters.rebuiltBytes.add(bytes);
    }

    /** The target has what was there when it began to take new records: the view takes it in. */
    void join() {
        if (!over) {
            core.view.join(target, this::ended);
        }
    }

    private void ended() {
        over = true;
        joined();
        releaseSource();
        long took = core.loop.nanoTime() - startedNanos;
        LOG.info(
                "{} ended: volume={} target={} bytes={} millis={}",
                kind(),
                core.volumeName(),
                target,
                doneBytes,
                took / 1_000_000);
        core.events.rebuildEnded(target.replica, true, doneBytes, took, "");
        owner.ended(this, true);
    }

    /** Gives up. Once the joining is being recorded there is no way back: the view deals with a member that is lost. */
    void abandon(String reason) {
        if (over || !core.view.withdraw(target)) {
            return;
        }
        over = true;
        LOG.warn("{} given up: volume={} target={} reason={}", kind(), core.volumeName(), target, reason);
        cutOff();
        releaseSource();
        core.events.rebuildEnded(target.replica, false, doneBytes, core.loop.nanoTime() - startedNanos, reason);
        owner.ended(this, false);
        if (target.isReady()) {
            target.reset(kind() + " given up: " + reason);
        }
    }
}
