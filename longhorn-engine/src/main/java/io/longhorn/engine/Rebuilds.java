package io.longhorn.engine;

import io.longhorn.replica.wire.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings replicas outside the view back, one at a time: those that return with their data, and those whose disk came back empty, which are made
 * anew under a new id. Engine loop only.
 */
final class Rebuilds {
    private static final Logger LOG = LoggerFactory.getLogger(Rebuilds.class);
    /** A replica whose rebuild failed waits longer each time, up to the reconnect pause doubled so often. */
    private static final int PAUSE_DOUBLINGS_MAX = 5;

    /** What became of earlier attempts with a replica. */
    private record Setback(int failures, long notBeforeNanos) {}

    private final EngineCore core;
    private final Set<ReplicaLink> waiting = new LinkedHashSet<>();
    private final Set<UUID> recreating = new LinkedHashSet<>();
    private final Map<UUID, Setback> setbacks = new HashMap<>();
    /** Replicas that lack what no journal holds: records too long ago, or entries of a damaged map. */
    private final Set<UUID> beyondCatchUp = new HashSet<>();

    private @Nullable Resync running;
    private long nextSession = 1;
    private boolean stopped;

    Rebuilds(EngineCore core) {
        this.core = core;
    }

    /** A replica outside the view is connected and fenced. */
    void fenced(ReplicaLink link, Message.FenceOk state) {
        LOG.info(
                "replica returned: volume={} replica={} epoch={} sequence={} mixed={}",
                core.volumeName(),
                link,
                state.lastEpoch(),
                state.lastSequence(),
                state.mixed());
        waiting.add(link);
        startNext();
    }

    void acknowledged(ReplicaLink link) {
        Resync rebuild = running;
        if (rebuild != null && rebuild.target() == link) {
            rebuild.acknowledged();
        }
    }

    /** The connection to a replica is gone: a rebuild from it or to it cannot go on. */
    void lost(ReplicaLink link, String cause) {
        waiting.remove(link);
        Resync rebuild = running;
        if (rebuild != null && rebuild.concerns(link)) {
            rebuild.abandon(cause);
        }
    }

    /** Gives the rebuild of this replica up; it is tried again when the replica is fenced again. */
    void abandon(ReplicaLink link, String reason) {
        waiting.remove(link);
        Resync rebuild = running;
        if (rebuild != null && rebuild.target() == link) {
            rebuild.abandon(reason);
        }
    }

    void tick() {
        Resync rebuild = running;
        if (rebuild != null) {
            rebuild.pump();
        }
        startNext();
    }

    void stop() {
        stopped = true;
        waiting.clear();
        running = null;
    }

    boolean isRebuilding(ReplicaLink link) {
        Resync rebuild = running;
        return rebuild != null && rebuild.target() == link;
    }

    boolean isRunning() {
        return running != null || !waiting.isEmpty();
    }

    long doneBytes() {
        Resync rebuild = running;
        return rebuild == null ? 0 : rebuild.doneBytes();
    }

    long totalBytes() {
        Resync rebuild = running;
        return rebuild == null ? 0 : rebuild.totalBytes();
    }

    private void startNext() {
        if (running != null || stopped || core.state() != EngineCore.State.OPEN || waiting.isEmpty()) {
            return;
        }
        ReplicaLink source = core.view.chooseReadable(List.of());
        if (source == null) {
            return;
        }
        ReplicaLink target = nextTarget();
        if (target == null) {
            return;
        }
        waiting.remove(target);
        if (!target.isReady() || core.view.isMember(target)) {
            startNext();
            return;
        }
        core.counters.rebuilds.increment();
        boolean resend = !beyondCatchUp.remove(target.id()) && CatchUp.suits(core, target.fenceState());
        Resync resync = resend
                ? new CatchUp(core, this, source, target)
                : new Rebuild(core, this, source, target, core.epoch() << 32 | nextSession++);
        running = resync;
        resync.start();
    }

    /** The first one waiting that may be tried now. */
    private @Nullable ReplicaLink nextTarget() {
        for (ReplicaLink link : waiting) {
            Setback setback = setbacks.get(link.id());
            if (setback == null || core.loop.nanoTime() - setback.notBeforeNanos() >= 0) {
                return link;
            }
        }
        return null;
    }

    /** A resync ended. */
    void ended(Resync resync, boolean inSync) {
        if (running != resync) {
            return;
        }
        running = null;
        UUID id = resync.target().id();
        if (inSync) {
            setbacks.remove(id);
        } else if (!beyondCatchUp.contains(id)) {
            int failures = setbacks(resync.target());
            long pause = core.settings.reconnectNanos() << Math.min(failures, PAUSE_DOUBLINGS_MAX);
            setbacks.put(id, new Setback(failures + 1, core.loop.nanoTime() + pause));
        }
        core.refreshHealth();
        core.loop.execute(this::startNext);
    }

    /** Attempts with this replica that failed since one succeeded. */
    int setbacks(ReplicaLink link) {
        Setback before = setbacks.get(link.id());
        return before == null ? 0 : before.failures();
    }

    /** What this replica lacks is in no member's journal. */
    void rebuildNextTime(ReplicaLink link) {
        beyondCatchUp.add(link.id());
    }

    void relay(ReplicaLink from, ByteBuffer b, int at) {
        Resync resync = running;
        if (resync != null) {
            resync.relay(from, b, at);
        }
    }

    /** The server knows nothing of this replica, which is not in the view: it gets a new, empty one. */
    void recreate(ReplicaLink link) {
        if (core.state() != EngineCore.State.OPEN || !recreating.add(link.id())) {
            return;
        }
        UUID old = link.id();
        ReplicaRecord made = new ReplicaRecord(
                new UUID(core.loop.nextRandomLong(), core.loop.nextRandomLong()), link.replica.endpoint());
        LOG.info(
                "replica is gone from its server, making a new one: volume={} old={} new={}",
                core.volumeName(),
                old,
                made);
        core.keeperOrFail()
                .change(
                        record -> {
                            List<ReplicaRecord> all = new ArrayList<>(record.replicas());
                            all.replaceAll(r ->
                                    r.replicaId().equals(old) && !record.view().contains(old) ? made : r);
                            return record.withReplicas(all);
                        },
                        record -> {
                            recreating.remove(old);
                            setbacks.remove(old);
                            beyondCatchUp.remove(old);
                            core.dropLink(old);
                            core.addLink(made, true);
                        });
    }
}
