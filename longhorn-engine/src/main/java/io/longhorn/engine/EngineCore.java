package io.longhorn.engine;

import io.longhorn.Durability;
import io.longhorn.ErrorCode;
import io.longhorn.FencedException;
import io.longhorn.HealthState;
import io.longhorn.LonghornException;
import io.longhorn.ReplicaState;
import io.longhorn.ReplicaStatus;
import io.longhorn.TimeLimitException;
import io.longhorn.UnflushedWritesLostException;
import io.longhorn.VolumeClosedException;
import io.longhorn.VolumeHealth;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine of one open volume, as a state machine on one loop: gives each change its sequence, sends it to every replica of the view,
 * confirms it when all of them have it, and changes the view through the registry when one of them does not answer.
 *
 * <p>Each concern has a class: {@link Opening} how a session begins, {@link RecordKeeper} the registry's record, {@link RequestQueue} what waits to be
 * sequenced, {@link Sequencer} order and sending, {@link OperationWindow} what is in flight, {@link Confirmations} what callers are told, {@link ViewKeeper} who
 * is in the view and who must leave, {@link ReadPath} reads, {@link MapQueries} block maps, {@link SnapshotPins} what long readers hold, {@link Repairs} bad blocks, {@link Rebuilds} bringing replicas back. This one holds them together: the life of
 * the session, what replicas say, time, health.
 *
 * <p>Invariants: an operation is confirmed only when every replica of the durable view, and of a view whose recording is under way, has
 * journaled it (and made it durable if it is forced); sequences are never reused; nothing is sequenced after the session failed.
 */
final class EngineCore implements ReplicaLink.Owner, RecordKeeper.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(EngineCore.class);
    private static final long CLOSE_POLL_NANOS = 1_000_000;

    enum State {
        OPENING,
        OPEN,
        CLOSING,
        OVER
    }

    final Loop loop;
    final EngineSettings settings;
    final UUID engineId;
    final EngineEvents events;
    final EngineCounters counters = new EngineCounters();
    final Registry registry;
    final FramePool pool = new FramePool();
    final ReadLease lease;
    final SnapshotTree tree;
    final OperationWindow window;
    final ViewKeeper view;
    final ReadPath reads;
    final MapQueries maps;
    final SnapshotPins pins;
    final Repairs repairs;
    final ReadCache cache;
    final CachedReads cachedReads;
    final Map<UUID, ReplicaLink> links = new LinkedHashMap<>();
    private final Connection.Connector connector;
    private final String volumeName;
    final RequestQueue requests;
    final Sequencer sequencer;
    final Confirmations confirmations;
    private final Rebuilds rebuilds;
    private final Request.Spares spareWrites;

    private volatile State state = State.OPENING;
    private @Nullable RecordKeeper keeper;
    private @Nullable Opening opening;
    private @Nullable LonghornException failure;
    private @Nullable Completion closing;
    private Registry.@Nullable Liveness liveness;
    private long epoch;
    private EpochHistory history = new EpochHistory(List.of(), 0);
    private volatile long sizeBytes;
    private boolean tickSet;
    private long lastTickNanos;
    private long lastRecordCheckNanos;
    private volatile HealthState health = HealthState.FAULTED;
    private volatile VolumeHealth healthReport;

    EngineCore(
            Loop loop,
            Connection.Connector connector,
            Registry registry,
            EngineSettings settings,
            String volumeName,
            UUID engineId,
            EngineEvents events) {
        this.loop = loop;
        this.connector = connector;
        this.registry = registry;
        this.settings = settings;
        this.volumeName = volumeName;
        this.engineId = engineId;
        this.events = events;
        this.lease = new ReadLease(settings.leaseNanos());
        this.tree = new SnapshotTree(volumeName);
        this.window = new OperationWindow(2 * settings.queueDepthMax());
        this.view = new ViewKeeper(this);
        this.cache = new ReadCache(settings.readCacheBytes());
        this.reads = new ReadPath(this);
        this.maps = new MapQueries(this);
        this.pins = new SnapshotPins(this);
        this.repairs = new Repairs(this);
        this.cachedReads = new CachedReads(this);
        this.requests = new RequestQueue(this);
        this.spareWrites = new Request.Spares(settings.queueDepthMax());
        this.sequencer = new Sequencer(this);
        this.confirmations = new Confirmations(this);
        this.rebuilds = new Rebuilds(this);
        this.healthReport = new VolumeHealth(HealthState.FAULTED, 1, List.of());
    }

    // ------------------------------------------------------------------ life

    /** Opens: takes the next epoch, reaches the replicas, settles the history. */
    void open(Completion done) {
        Opening begun = new Opening(this, volumeName, done);
        opening = begun;
        begun.start();
    }

    /** This engine's announcement of life, ended with the session. */
    void announced(Registry.Liveness announcement) {
        if (state == State.OVER) {
            announcement.close();
        } else {
            liveness = announcement;
        }
    }

    /** Called by {@link Opening} when the registry has given this engine the epoch. */
    RecordKeeper promised(VolumeRecord record) {
        epoch = record.epoch();
        sizeBytes = record.sizeBytes();
        RecordKeeper made = new RecordKeeper(loop, registry, record, this);
        keeper = made;
        for (ReplicaRecord replica : record.replicas()) {
            addLink(replica, false);
        }
        return made;
    }

    ReplicaLink addLink(ReplicaRecord replica, boolean create) {
        VolumeRecord record = record();
        ReplicaLink link = new ReplicaLink(
                loop,
                connector,
                this,
                new ReplicaLink.Identity(engineId, registry.clusterId(), record.volumeId(), settings.token()),
                replica,
                settings.reconnectNanos());
        links.put(replica.replicaId(), link);
        if (create) {
            link.createFirst(volumeName, sizeBytes);
        }
        link.start(epoch, record.version());
        return link;
    }

    void dropLink(UUID replicaId) {
        ReplicaLink link = links.remove(replicaId);
        if (link != null) {
            rebuilds.abandon(link, "replica removed");
            link.stop();
        }
    }

    /** The history is settled: {@code lastSequence} is common to all members. */
    void beginEpoch(long lastSequence, long size, List<Message.Layer> layers, List<ReplicaLink> members) {
        window.startAfter(lastSequence);
        confirmations.startAfter(lastSequence);
        sizeBytes = size;
        tree.load(layers);
        view.begin(members);
        for (ReplicaLink link : members) {
            link.takesRecords = true;
        }
        List<UUID> ids = members.stream().map(ReplicaLink::id).toList();
        sequencer.sequenceStructure(new StructureOperation.BeginEpoch(engineId, record().version(), ids), null);
        armTick();
    }

    /** Everything is settled; callers may come. */
    void opened() {
        state = State.OPEN;
        opening = null;
        requests.limiter().limits(record().limits());
        lastRecordCheckNanos = loop.nanoTime();
        refreshHealth();
        LOG.info(
                "volume open: volume={} epoch={} sequence={} inSync={}",
                volumeName,
                epoch,
                window.lastSequence(),
                view.inSync());
        for (ReplicaLink link : List.copyOf(links.values())) {
            if (!view.isMember(link) && link.isReady()) {
                rebuilds.fenced(link, link.fenceState());
            } else if (view.isMember(link) && link.isReady()) {
                link.request(new Message.Joined(0, record().version()), Replies.ignored());
            }
        }
        requests.pump();
    }

    /** Ends the session because of {@code cause}; every operation gets it. */
    void fail(LonghornException cause) {
        if (state == State.OVER) {
            return;
        }
        LOG.warn("volume session over: volume={} epoch={} cause={}", volumeName, epoch, cause.getMessage());
        end(cause);
    }

    private void end(LonghornException cause) {
        if (state == State.OVER) {
            return;
        }
        failure = cause;
        state = State.OVER;
        lease.end();
        cache.close();
        if (keeper != null) {
            keeper.stop();
        }
        rebuilds.stop();
        for (ReplicaLink link : links.values()) {
            link.stop();
        }
        Opening begun = opening;
        opening = null;
        requests.failAll(cause);
        confirmations.failAll(cause);
        reads.failAll(cause);
        maps.failAll(cause);
        if (liveness != null) {
            liveness.close();
            liveness = null;
        }
        refreshHealth();
        if (begun != null) {
            begun.failed(cause);
        }
        Completion waiting = closing;
        closing = null;
        if (waiting != null) {
            waiting.done(null);
        }
    }

    /**
     * Closes in order: waits for what is in flight, makes it durable, tells the replicas, marks the record clean. {@code done} gets a failure
     * only if not everything that was confirmed could be made durable.
     */
    void close(Completion done) {
        if (state == State.OVER) {
            done.done(null);
            return;
        }
        if (state != State.OPEN) {
            end(new VolumeClosedException(volumeName));
            done.done(null);
            return;
        }
        flush(flushFailure -> closeAfterReads(done, flushFailure, loop.nanoTime()));
    }

    private void closeAfterReads(Completion done, @Nullable LonghornException flushFailure, long sinceNanos) {
        if (state != State.OPEN) {
            done.done(flushFailure);
        } else if (reads.isWaiting() && loop.nanoTime() - sinceNanos < settings.operationNanos()) {
            loop.schedule(CLOSE_POLL_NANOS, () -> closeAfterReads(done, flushFailure, sinceNanos));
        } else {
            state = State.CLOSING;
            lease.end();
            cache.close();
            closing = ended -> done.done(flushFailure);
            rebuilds.stop();
            announceClose();
            keeperOrFail().change(VolumeRecord::closedClean, r -> end(new VolumeClosedException(volumeName)));
            loop.schedule(settings.operationNanos(), () -> end(new VolumeClosedException(volumeName)));
        }
    }

    private void announceClose() {
        for (ReplicaLink link : view.members()) {
            if (link.isReady()) {
                link.request(new Message.CloseVolume(epoch, committed()), Replies.ignored());
            }
        }
    }

    // ------------------------------------------------------------------ what callers ask for

    /** Runs {@code work} on the loop for a caller on any thread; it completes the stage, or what it throws does. */
    <T> CompletableFuture<T> call(Consumer<CompletableFuture<T>> work) {
        try {
            return Calls.onLoop(loop, work);
        } catch (RejectedExecutionException e) {
            VolumeClosedException closed = new VolumeClosedException(volumeName);
            closed.addSuppressed(e);
            return CompletableFuture.failedFuture(closed);
        }
    }

    void write(long offset, ByteBuffer data, boolean forced, Completion done) {
        requests.admit(Request.write(spareWrites, offset, data, forced || isWriteThrough(), loop.nanoTime(), done));
    }

    void writeZeroes(long offset, long length, boolean allocate, boolean forced, Completion done) {
        requests.admit(Request.zeroes(offset, length, allocate, forced || isWriteThrough(), loop.nanoTime(), done));
    }

    void discard(long offset, long length, Completion done) {
        requests.admit(Request.discard(offset, length, isWriteThrough(), loop.nanoTime(), done));
    }

    /** {@link Request#mismatch} of the returned request tells the outcome when {@code done} is called. */
    Request compareAndWrite(long offset, ByteBuffer expected, ByteBuffer data, boolean forced, Completion done) {
        Request request =
                Request.compareAndWrite(offset, expected, data, forced || isWriteThrough(), loop.nanoTime(), done);
        requests.admit(request);
        return request;
    }

    void flush(Completion done) {
        requests.admit(Request.flush(loop.nanoTime(), done));
    }

    /** {@link Request#sequence} of the returned request is the operation's sequence when {@code done} is called. */
    Request change(StructureOperation operation, Completion done) {
        Completion recorded = operation instanceof StructureOperation.Expand expand
                ? failure -> expanded(expand.sizeBytes(), failure, done)
                : done;
        Request request = Request.structure(operation, loop.nanoTime(), recorded);
        requests.admit(request);
        return request;
    }

    /** The replicas have the new size; callers may use it when the registry has it too. */
    private void expanded(long bytes, @Nullable LonghornException cause, Completion done) {
        if (cause != null) {
            done.done(cause);
            return;
        }
        sizeBytes = Math.max(sizeBytes, bytes);
        keeperOrFail()
                .change(
                        record -> record.sizeBytes() >= bytes ? record : record.withSize(bytes),
                        record -> done.done(null));
    }

    private boolean isWriteThrough() {
        return keeper != null && record().durability() == Durability.WRITE_THROUGH;
    }

    // ------------------------------------------------------------------ replicas

    @Override
    public void onGreeting(ReplicaLink link) {
        armTick();
    }

    @Override
    public void onFenced(ReplicaLink link, Message.FenceOk found) {
        if (opening != null && !view.isMember(link)) {
            opening.fenced(link, found);
        } else if (view.isMember(link)) {
            returned(link, found);
        } else if (state == State.OPEN) {
            rebuilds.fenced(link, found);
        }
    }

    /** A member of the view reconnected: it gets what it missed, or has lost what it acknowledged. */
    private void returned(ReplicaLink link, Message.FenceOk found) {
        if (found.lastSequence() < committed() || found.lastSequence() > window.lastSequence()) {
            view.lostTail(link);
            return;
        }
        view.present(link);
        link.takesRecords = true;
        for (long s = Math.max(found.lastSequence() + 1, window.oldestSequence()); s <= window.lastSequence(); s++) {
            FrameBuffer frame = window.get(s).frame;
            if (frame != null) {
                link.sendRecord(frame);
            }
        }
        confirmations.askAgain(link);
        pins.tell(link);
        reads.sourceReturned();
        maps.sourceReturned();
        refreshHealth();
        confirmations.advance();
        armTick();
    }

    @Override
    public void onAcknowledged(ReplicaLink link) {
        if (view.isMember(link)) {
            view.answered(link);
        }
        rebuilds.acknowledged(link);
        view.candidateAcknowledged();
        reads.pongArrived();
        if (opening != null && view.isEmpty()) {
            // Nobody counts for confirmations yet: this concerns a replica that is being brought up.
            opening.progressed();
        }
        confirmations.advance();
        requests.roomMade();
    }

    @Override
    public void onRefused(ReplicaLink link, Message.Failure refused) {
        if (refused.code() == ErrorCode.FENCED.number()) {
            recordKeeperCheck();
        } else if (refused.code() == ErrorCode.REPLICA_NOT_FOUND.number()) {
            if (view.isMember(link)) {
                view.lostTail(link);
            } else if (opening != null) {
                opening.missing(link);
            } else {
                rebuilds.recreate(link);
            }
        } else if (view.isMember(link) && link.refusals >= ViewKeeper.REFUSALS_MAX) {
            view.leave(link, "refused records " + link.refusals + " times: " + refused.detail());
        }
        LOG.info(
                "replica refused: volume={} replica={} code={} detail={}",
                volumeName,
                link,
                refused.code(),
                refused.detail());
    }

    @Override
    public void onUnreachable(ReplicaLink link, String cause) {
        if (opening != null) {
            opening.unreachable(link);
        }
    }

    @Override
    public void onLost(ReplicaLink link, String cause) {
        LOG.info("replica connection lost: volume={} replica={} cause={}", volumeName, link, cause);
        rebuilds.lost(link, cause);
        if (view.isMember(link)) {
            view.absent(link, cause);
        } else {
            link.takesRecords = false;
            if (opening != null) {
                opening.lost(link);
            }
        }
        refreshHealth();
        armTick();
    }

    @Override
    public void onRecord(ReplicaLink link, ByteBuffer b, int at) {
        if (opening != null) {
            opening.relay(link, b, at);
        } else {
            rebuilds.relay(link, b, at);
        }
    }

    @Override
    public void onDamage(ReplicaLink link, Message.Damage damage) {
        counters.checksumMismatches.increment();
        if (state == State.OPEN && view.isMember(link)) {
            repairs.fromPeer(link, damage, () -> {});
        }
    }

    @Override
    public void onTakenOver(long newerEpoch) {
        events.fenced(newerEpoch);
        fail(new FencedException(volumeName, epoch, newerEpoch));
    }

    /** Confirmed writes are gone from every replica of the view. */
    void unflushedWritesLost() {
        fail(new UnflushedWritesLostException(volumeName));
    }

    private void recordKeeperCheck() {
        if (keeper != null) {
            keeper.check();
        }
    }

    // ------------------------------------------------------------------ time

    /** Has time watched while anything is owed. */
    void armTick() {
        if (!tickSet && state != State.OVER && isOwed()) {
            tickSet = true;
            lastTickNanos = loop.nanoTime();
            loop.schedule(settings.tickNanos(), this::tick);
        }
    }

    private boolean isOwed() {
        return !window.isEmpty()
                || confirmations.isFlushing()
                || !requests.isEmpty()
                || reads.isWaiting()
                || maps.isWaiting()
                || opening != null
                || view.isChanging()
                || rebuilds.isRunning()
                || isGreeted();
    }

    private boolean isGreeted() {
        for (ReplicaLink link : links.values()) {
            if (link.isGreeting()) {
                return true;
            }
        }
        return false;
    }

    private void tick() {
        tickSet = false;
        if (state == State.OVER) {
            return;
        }
        long now = loop.nanoTime();
        // Time in which the loop did not run says nothing about the replicas.
        long ran = Math.min(now - lastTickNanos, 2 * settings.tickNanos());
        view.judge(ran, window.lastSequence(), confirmations.flushSequence());
        for (ReplicaLink link : List.copyOf(links.values())) {
            link.watch(ran, settings.syncLagNanos(), view.isMember(link));
        }
        reads.tick(confirmations.isFlushing());
        maps.tick();
        if (now - lastRecordCheckNanos > settings.registryCheckNanos()) {
            lastRecordCheckNanos = now;
            recordKeeperCheck();
        }
        requests.expire(now);
        confirmations.expire(now);
        rebuilds.tick();
        armTick();
    }

    TimeLimitException timeLimit(String what) {
        return new TimeLimitException("volume " + volumeName, what, Duration.ofNanos(settings.operationNanos()));
    }

    // ------------------------------------------------------------------ state for others

    State state() {
        return state;
    }

    /** Whether the session ended. Any thread. */
    boolean isOver() {
        return state == State.OVER;
    }

    /** Why requests are refused; null if they are not. */
    @Nullable
    LonghornException refusal() {
        if (failure == null && (state == State.CLOSING || state == State.OVER)) {
            return new VolumeClosedException(volumeName);
        }
        return failure;
    }

    /** An opening that is under way may go on. */
    void progressed() {
        if (opening != null) {
            opening.progressed();
        }
    }

    @Nullable
    LonghornException failure() {
        return failure;
    }

    String volumeName() {
        return volumeName;
    }

    long epoch() {
        return epoch;
    }

    /** The volume's size in bytes. Any thread. */
    long sizeBytes() {
        return sizeBytes;
    }

    /** The epochs of this volume's history, up to now. */
    EpochHistory history() {
        return history.upTo(window.lastSequence());
    }

    void history(EpochHistory settled) {
        history = settled;
    }

    void sizeBytes(long bytes) {
        sizeBytes = bytes;
    }

    long committed() {
        return confirmations.committed();
    }

    VolumeRecord record() {
        return keeperOrFail().record();
    }

    RecordKeeper keeperOrFail() {
        RecordKeeper k = keeper;
        if (k == null) {
            throw new IllegalStateException("volume " + volumeName + " has no record yet");
        }
        return k;
    }

    Rebuilds rebuilds() {
        return rebuilds;
    }

    /** Whether foreground operations are in flight, so that background work should hold back. */
    boolean isBusy() {
        return !window.isEmpty() || reads.isWaiting();
    }

    /** The newest state of health. Any thread. */
    VolumeHealth health() {
        return healthReport;
    }

    /** Computes health anew and tells listeners of a change. */
    void refreshHealth() {
        List<ReplicaStatus> statuses = new ArrayList<>();
        int wanted = 1;
        if (keeper != null) {
            VolumeRecord record = record();
            wanted = record.replicasWanted();
            for (ReplicaRecord replica : record.replicas()) {
                statuses.add(statusOf(replica));
            }
        }
        HealthState now = judgeHealth(wanted);
        healthReport = new VolumeHealth(now, wanted, statuses);
        HealthState before = health;
        health = now;
        if (before != now) {
            events.healthChanged(before, now);
        }
    }

    private HealthState judgeHealth(int wanted) {
        int inSync = 0;
        for (ReplicaLink link : view.members()) {
            if (link.isReady() && view.isInSync(link)) {
                inSync++;
            }
        }
        if (state == State.OVER || inSync == 0) {
            return HealthState.FAULTED;
        }
        return inSync >= wanted && inSync == view.inSync() ? HealthState.HEALTHY : HealthState.DEGRADED;
    }

    private ReplicaStatus statusOf(ReplicaRecord replica) {
        ReplicaLink link = links.get(replica.replicaId());
        if (link != null && view.isInSync(link) && link.isReady()) {
            return new ReplicaStatus(replica.replicaId(), replica.endpoint(), ReplicaState.IN_SYNC, 0, 0);
        }
        if (link != null && rebuilds.isRebuilding(link)) {
            return new ReplicaStatus(
                    replica.replicaId(),
                    replica.endpoint(),
                    ReplicaState.REBUILDING,
                    rebuilds.doneBytes(),
                    rebuilds.totalBytes());
        }
        return new ReplicaStatus(replica.replicaId(), replica.endpoint(), ReplicaState.ABSENT, 0, 0);
    }
}
