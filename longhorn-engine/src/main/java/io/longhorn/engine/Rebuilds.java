package io.longhorn.engine;

import io.longhorn.replica.wire.Message;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
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

    private final EngineCore core;
    private final Set<ReplicaLink> waiting = new LinkedHashSet<>();
    private final Set<UUID> recreating = new LinkedHashSet<>();
    private @Nullable Rebuild running;
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
        Rebuild rebuild = running;
        if (rebuild != null && rebuild.target() == link) {
            rebuild.acknowledged();
        }
    }

    /** The connection to a replica is gone: a rebuild from it or to it cannot go on. */
    void lost(ReplicaLink link, String cause) {
        waiting.remove(link);
        Rebuild rebuild = running;
        if (rebuild != null && rebuild.concerns(link)) {
            rebuild.abandon(cause);
        }
    }

    /** Gives the rebuild of this replica up; it is tried again when the replica is fenced again. */
    void abandon(ReplicaLink link, String reason) {
        waiting.remove(link);
        Rebuild rebuild = running;
        if (rebuild != null && rebuild.target() == link) {
            rebuild.abandon(reason);
        }
    }

    void tick() {
        Rebuild rebuild = running;
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
        Rebuild rebuild = running;
        return rebuild != null && rebuild.target() == link;
    }

    boolean isRunning() {
        return running != null || !waiting.isEmpty();
    }

    long doneBytes() {
        Rebuild rebuild = running;
        return rebuild == null ? 0 : rebuild.doneBytes();
    }

    long totalBytes() {
        Rebuild rebuild = running;
        return rebuild == null ? 0 : rebuild.totalBytes();
    }

    private void startNext() {
        if (running != null || stopped || core.state() != EngineCore.State.OPEN || waiting.isEmpty()) {
            return;
        }
        ReplicaLink source = chooseSource();
        if (source == null) {
            return;
        }
        ReplicaLink target = waiting.iterator().next();
        waiting.remove(target);
        if (!target.isReady() || core.view.isMember(target)) {
            startNext();
            return;
        }
        core.counters.rebuilds.increment();
        Rebuild rebuild = new Rebuild(core, this, source, target, core.epoch() << 32 | nextSession++);
        running = rebuild;
        rebuild.start();
    }

    private @Nullable ReplicaLink chooseSource() {
        ReplicaLink best = null;
        for (ReplicaLink link : core.view.members()) {
            if (core.view.isReadable(link) && (best == null || link.readBytesOutstanding < best.readBytesOutstanding)) {
                best = link;
            }
        }
        return best;
    }

    /** A rebuild ended, well or not. */
    void ended(Rebuild rebuild) {
        if (running == rebuild) {
            running = null;
            core.refreshHealth();
            core.loop.execute(this::startNext);
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
                            core.dropLink(old);
                            core.addLink(made, true);
                        });
    }
}
