package io.longhorn.engine;

import io.longhorn.DiskFullException;
import io.longhorn.Durability;
import io.longhorn.ErrorCode;
import io.longhorn.FencedException;
import io.longhorn.HealthState;
import io.longhorn.LonghornException;
import io.longhorn.QueueFullException;
import io.longhorn.ReplicaState;
import io.longhorn.ReplicaStatus;
import io.longhorn.TimeLimitException;
import io.longhorn.TooFewReplicasException;
import io.longhorn.UnflushedWritesLostException;
import io.longhorn.VolumeClosedException;
import io.longhorn.VolumeHealth;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine of one open volume, as a state machine on one loop: gives each change its sequence, sends it to every replica of the view,
 * confirms it when all of them have it, and changes the view through the registry when one of them does not answer.
 *
 * <p>The helpers each own one concern: {@link Opening} how a session begins, {@link RecordKeeper} the registry's record,
 * {@link ViewKeeper} who is in the view and who must leave, {@link ReadPath} reads and repair, {@link Rebuilds} bringing replicas back,
 * {@link OperationWindow} what is in flight, {@link BlockGates} partial blocks.
 *
 * <p>Invariants: an operation is confirmed only when every replica of the durable view, and of a view whose recording is under way, has
 * journaled it (and made it durable if it is forced); sequences are never reused; nothing is sequenced after the session failed.
 */
final class EngineCore implements ReplicaLink.Owner, RecordKeeper.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(EngineCore.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Bytes that one DISCARD or WRITE_ZEROES record covers at most: its map entries are bounded work for a replica. */
    static final long RANGE_BYTES_MAX = 32L << 20;
    /** After this pause without operations the replicas are told what is committed. */
    private static final long COMMIT_PAUSE_NANOS = 2_000_000;

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
    final ReadCache cache;
    final Map<UUID, ReplicaLink> links = new LinkedHashMap<>();
    private final Connection.Connector connector;
    private final String volumeName;
    private final BlockGates gates = new BlockGates();
    private final ArrayDeque<Request> queue = new ArrayDeque<>();
    private final ArrayDeque<Request> flushes = new ArrayDeque<>();
    private final RequestLimiter limiter;
    private final Rebuilds rebuilds;

    private volatile State state = State.OPENING;
    private @Nullable RecordKeeper keeper;
    private @Nullable Opening opening;
    private @Nullable LonghornException failure;
    private @Nullable Completion closing;
    private Registry.@Nullable Liveness liveness;
    private long epoch;
    private EpochHistory history = new EpochHistory(List.of(), 0);
    private volatile long sizeBytes;
    private long committed;
    private long lastStructureSequence;
    private long durable;
    private long committedAnnounced;
    private boolean advancing;
    private boolean pumping;
    private boolean commitTimerSet;
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
        this.limiter = new RequestLimiter(loop, counters, this::pump);
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
        committed = lastSequence;
        durable = 0;
        sizeBytes = size;
        tree.load(layers);
        view.begin(members);
        for (ReplicaLink link : members) {
            link.takesRecords = true;
        }
        List<UUID> ids = members.stream().map(ReplicaLink::id).toList();
        sequenceStructure(new StructureOperation.BeginEpoch(engineId, record().version(), ids), null);
        armTick();
    }

    /** Everything is settled; callers may come. */
    void opened() {
        state = State.OPEN;
        opening = null;
        limiter.limits(record().limits());
        lastRecordCheckNanos = loop.nanoTime();
        refreshHealth();
        LOG.info(
                "volume open: volume={} epoch={} sequence={} inSync={}",
                volumeName,
                epoch,
                window.lastSequence(),
                view.members().size());
        for (ReplicaLink link : List.copyOf(links.values())) {
            if (!view.isMember(link) && link.isReady()) {
                rebuilds.fenced(link, link.fenceState());
            } else if (view.isMember(link) && link.isReady()) {
                link.request(new Message.Joined(0, record().version()), Replies.ignored());
            }
        }
        pump();
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
        for (Request r : gates.clear()) {
            r.abandon(cause);
        }
        while (!queue.isEmpty()) {
            queue.remove().abandon(cause);
        }
        while (!flushes.isEmpty()) {
            flushes.remove().abandon(cause);
        }
        while (!window.isEmpty()) {
            Request r = window.get(window.oldestSequence()).request;
            window.removeOldest();
            if (r != null) {
                r.abandon(cause);
            }
        }
        reads.failAll(cause);
        limiter.stop();
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
                link.request(new Message.CloseVolume(epoch, committed), Replies.ignored());
            }
        }
    }

    // ------------------------------------------------------------------ what callers ask for

    void write(long offset, ByteBuffer data, boolean forced, Completion done) {
        admit(Request.write(offset, data, forced || isWriteThrough(), loop.nanoTime(), done));
    }

    void writeZeroes(long offset, long length, boolean allocate, boolean forced, Completion done) {
        admit(Request.zeroes(offset, length, allocate, forced || isWriteThrough(), loop.nanoTime(), done));
    }

    void discard(long offset, long length, Completion done) {
        admit(Request.discard(offset, length, isWriteThrough(), loop.nanoTime(), done));
    }

    /** {@link Request#mismatch} of the returned request tells the outcome when {@code done} is called. */
    Request compareAndWrite(long offset, ByteBuffer expected, ByteBuffer data, boolean forced, Completion done) {
        Request request =
                Request.compareAndWrite(offset, expected, data, forced || isWriteThrough(), loop.nanoTime(), done);
        admit(request);
        return request;
    }

    void flush(Completion done) {
        admit(Request.flush(loop.nanoTime(), done));
    }

    /** {@link Request#sequence} of the returned request is the operation's sequence when {@code done} is called. */
    Request change(StructureOperation operation, Completion done) {
        Completion recorded = operation instanceof StructureOperation.Expand expand
                ? failure -> expanded(expand.sizeBytes(), failure, done)
                : done;
        Request request = Request.structure(operation, loop.nanoTime(), recorded);
        admit(request);
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

    private void admit(Request request) {
        LonghornException over = failure;
        if (over != null || state == State.CLOSING || state == State.OVER) {
            request.abandon(over != null ? over : new VolumeClosedException(volumeName));
        } else if (request.kind != Request.Kind.FLUSH && isBelowMinimum()) {
            request.abandon(new TooFewReplicasException(
                    volumeName, record().minInSync(), view.members().size()));
        } else if (queue.size() >= settings.pendingMax()) {
            request.abandon(new QueueFullException(volumeName, settings.pendingMax()));
        } else {
            queue.add(request);
            pump();
        }
    }

    private boolean isBelowMinimum() {
        return state == State.OPEN && view.members().size() < record().minInSync();
    }

    /** Moves waiting requests on as far as limits, window and credit allow. */
    void pump() {
        if (pumping || state != State.OPEN) {
            return;
        }
        pumping = true;
        try {
            Request request;
            while ((request = queue.peek()) != null && state == State.OPEN) {
                if (!limiter.admits(request)) {
                    break;
                }
                if (!gates.enter(request)) {
                    queue.remove();
                } else if (request.mustRead() && request.old == null) {
                    queue.remove();
                    gates.hold(request);
                    reads.readOld(request);
                } else if (sequence(request)) {
                    queue.remove();
                } else {
                    break;
                }
            }
        } finally {
            pumping = false;
        }
        advance();
        armTick();
    }

    /** The old content of the request's partial blocks is there (or cannot be had): it is the next to be sequenced. */
    void oldContentRead(Request request, @Nullable LonghornException cause) {
        if (cause != null) {
            request.sequencingOver(cause);
        } else if (request.kind == Request.Kind.COMPARE_AND_WRITE && request.mismatch >= 0) {
            request.sequencingOver(null);
        } else {
            held.add(request);
            pumpHeld();
            return;
        }
        leaveGate(request);
    }

    /** Requests that hold a gate and wait for window or credit. */
    private final ArrayDeque<Request> held = new ArrayDeque<>();

    private void pumpHeld() {
        while (!held.isEmpty() && state == State.OPEN) {
            Request request = held.peek();
            if (!sequence(request)) {
                break;
            }
            held.remove();
            leaveGate(request);
        }
        advance();
        armTick();
    }

    private void leaveGate(Request request) {
        List<Request> freed = gates.leave(request);
        for (int i = freed.size() - 1; i >= 0; i--) {
            queue.addFirst(freed.get(i));
        }
        pump();
    }

    // ------------------------------------------------------------------ sequencing

    /** Gives the request's remaining parts their sequences; false if it must wait for room. */
    private boolean sequence(Request request) {
        switch (request.kind) {
            case FLUSH -> startFlush(request);
            case STRUCTURE -> {
                if (window.isFull()) {
                    return false;
                }
                startStructure(request);
            }
            default -> {
                while (request.next < request.end()) {
                    if (!sequencePart(request)) {
                        return isRefusedForSpace(request);
                    }
                }
                request.sequencingOver(null);
            }
        }
        return true;
    }

    private boolean isRefusedForSpace(Request request) {
        ReplicaLink full = view.memberWithoutSpace(BLOCK);
        if (full == null || window.isFull()) {
            return false;
        }
        request.sequencingOver(new DiskFullException(full.toString(), request.end() - request.next, 0));
        return true;
    }

    private boolean sequencePart(Request request) {
        long block = request.next / BLOCK;
        boolean partial = request.next % BLOCK != 0 || request.end() - request.next < BLOCK;
        boolean range = !partial
                && (request.kind == Request.Kind.DISCARD
                        || (request.kind == Request.Kind.WRITE_ZEROES && !request.allocate));
        return range ? sequenceRange(request, block) : sequenceData(request, block, partial);
    }

    private boolean sequenceData(Request request, long block, boolean partialOnly) {
        boolean plain = request.kind == Request.Kind.WRITE || request.kind == Request.Kind.COMPARE_AND_WRITE;
        int blocks = (int) Math.min(FrameLayout.BLOCKS_MAX, request.endBlock() - block);
        if (!plain && !request.allocate && partialOnly) {
            blocks = 1;
        }
        int frameLength = RecordLayout.writeFrameLength(blocks);
        if (!hasRoom(frameLength)) {
            return false;
        }
        FrameBuffer frame = pool.acquire(frameLength);
        copyBlocks(request, block, blocks, frame.bytes(), RecordLayout.writeHeaderLength(blocks));
        Operation operation = window.add(frame);
        RecordLayout.encodeWrite(
                frame,
                request.forced ? FrameLayout.FLAG_FORCED : 0,
                epoch,
                operation.sequence,
                committed,
                block * BLOCK,
                blocks);
        window.frameEncoded(operation);
        send(operation, block, block + blocks, request);
        request.next = Math.min((block + blocks) * BLOCK, request.end());
        return true;
    }

    private static void copyBlocks(Request request, long first, int blocks, ByteBuffer target, int at) {
        long end = first + blocks;
        long wholeFrom = request.offset > first * BLOCK ? first + 1 : first;
        long wholeTo = request.end() < end * BLOCK ? end - 1 : end;
        if (request.data == null || wholeFrom >= wholeTo) {
            for (long b = first; b < end; b++) {
                request.copyBlock(b, target, at + (int) (b - first) * BLOCK);
            }
            return;
        }
        if (wholeFrom > first) {
            request.copyBlock(first, target, at);
        }
        request.copyWhole(
                wholeFrom * BLOCK, target, at + (int) (wholeFrom - first) * BLOCK, (int) (wholeTo - wholeFrom) * BLOCK);
        if (wholeTo < end) {
            request.copyBlock(end - 1, target, at + (int) (end - 1 - first) * BLOCK);
        }
    }

    private boolean sequenceRange(Request request, long block) {
        if (!hasRoom(0)) {
            return false;
        }
        long wholeEnd = request.end() / BLOCK * BLOCK;
        long length = Math.min(RANGE_BYTES_MAX, wholeEnd - request.next);
        FrameBuffer frame = pool.acquire(RecordLayout.TABLE_OFFSET);
        Operation operation = window.add(frame);
        RecordLayout.encodeRange(
                frame,
                request.kind == Request.Kind.DISCARD ? FrameType.DISCARD : FrameType.WRITE_ZEROES,
                request.forced ? FrameLayout.FLAG_FORCED : 0,
                epoch,
                operation.sequence,
                committed,
                request.next,
                length);
        window.frameEncoded(operation);
        send(operation, block, block + length / BLOCK, request);
        request.next += length;
        return true;
    }

    /** Whether another record of {@code creditBytes} fits the window, the memory limit and every member's credit. */
    private boolean hasRoom(int creditBytes) {
        if (window.size() >= settings.queueDepthMax()
                || (window.frameBytes() + creditBytes > settings.inFlightBytesMax() && !window.isEmpty())) {
            return false;
        }
        return creditBytes == 0 || view.allHaveCredit(creditBytes);
    }

    private void startStructure(Request request) {
        StructureOperation operation = request.structure;
        if (operation == null) {
            throw new IllegalStateException("structure request without operation");
        }
        try {
            tree.check(operation);
        } catch (LonghornException refused) {
            request.sequencingOver(refused);
            return;
        }
        sequenceStructure(operation, request);
        request.sequencingOver(null);
    }

    /** Sequences an operation on the volume's structure; {@code request} is null for the engine's own ones. */
    void sequenceStructure(StructureOperation operation, @Nullable Request request) {
        long sequence = window.lastSequence() + 1;
        FrameBuffer frame =
                MessageCodec.encodeStructure(pool, FrameLayout.FLAG_FORCED, epoch, sequence, committed, operation);
        Operation slot = window.add(frame);
        boolean everything = operation instanceof StructureOperation.Revert;
        if (everything) {
            cache.clear();
        }
        tree.apply(operation, epoch, sequence, sizeBytes);
        lastStructureSequence = sequence;
        if (request != null) {
            request.sequence = sequence;
        }
        window.frameEncoded(slot);
        send(slot, 0, everything ? Long.MAX_VALUE : 0, request);
    }

    private void send(Operation operation, long firstBlock, long endBlock, @Nullable Request request) {
        operation.firstBlock = firstBlock;
        operation.endBlock = endBlock;
        operation.request = request;
        operation.forced = request == null || request.forced;
        if (request != null) {
            request.unconfirmed++;
        }
        operation.sentNanos = loop.nanoTime();
        operation.sentWallMillis = loop.wallMillis();
        cache.invalidate(firstBlock, endBlock);
        committedAnnounced = committed;
        FrameBuffer frame = operation.frame;
        if (frame == null) {
            throw new IllegalStateException("operation " + operation.sequence + " has no frame");
        }
        for (ReplicaLink link : links.values()) {
            if (link.takesRecords && link.isReady()) {
                link.sendRecord(frame);
            }
        }
    }

    private void startFlush(Request request) {
        request.sequence = window.lastSequence();
        flushes.add(request);
        for (ReplicaLink link : view.members()) {
            if (link.isReady() && link.durable() < request.sequence) {
                link.sendSequence(FrameType.FLUSH, request.sequence);
            }
        }
        reads.renewLeaseIfOver();
    }

    // ------------------------------------------------------------------ confirming

    /** Moves the marks, confirms what they pass, and lets waiting requests on. */
    void advance() {
        if (advancing || state == State.OVER || view.isEmpty()) {
            return;
        }
        advancing = true;
        boolean freed;
        try {
            confirmCommitted(view.journaledByAll());
            freed = confirmDurable(view.durableByAll());
            reads.confirmed(committed);
        } finally {
            advancing = false;
        }
        if (opening != null) {
            opening.progressed();
        }
        if (freed) {
            pumpHeldThenQueue();
        }
        announceCommitLater();
    }

    private void pumpHeldThenQueue() {
        if (!held.isEmpty()) {
            pumpHeld();
        }
        if (!queue.isEmpty()) {
            pump();
        }
    }

    private void confirmCommitted(long journaledByAll) {
        long through = Math.min(journaledByAll, window.lastSequence());
        if (through <= committed) {
            return;
        }
        Operation newest = window.get(through);
        reads.renewLease(newest.sentNanos, newest.sentWallMillis);
        for (long s = committed + 1; s <= through; s++) {
            Operation operation = window.get(s);
            window.releaseFrame(operation);
        }
        long before = committed;
        committed = through;
        for (long s = before + 1; s <= through; s++) {
            Operation operation = window.get(s);
            Request request = operation.request;
            if (!operation.forced && request != null) {
                operation.request = null;
                count(request);
                request.recordOver(null);
            }
        }
    }

    private boolean confirmDurable(long durableByAll) {
        durable = Math.max(durable, Math.min(durableByAll, window.lastSequence()));
        boolean freed = false;
        while (!window.isEmpty() && window.oldestSequence() <= committed) {
            Operation oldest = window.get(window.oldestSequence());
            if (oldest.forced && oldest.sequence > durable) {
                break;
            }
            Request request = oldest.request;
            window.removeOldest();
            freed = true;
            if (request != null) {
                count(request);
                request.recordOver(null);
            }
        }
        while (!flushes.isEmpty() && isFlushed(flushes.element())) {
            Request flush = flushes.remove();
            counters.flushes.increment();
            counters.flushNanos.add(loop.nanoTime() - flush.startedNanos);
            flush.sequencingOver(null);
        }
        return freed;
    }

    /**
     * A flush is over when everything before it is durable on every replica of the view, and this engine still had the volume after the flush was
     * asked for: with nothing left to sync, no acknowledgement would show that.
     */
    private boolean isFlushed(Request flush) {
        return flush.sequence <= durable && flush.sequence <= committed && reads.leaseAllows();
    }

    private void count(Request request) {
        if (!request.allSequenced || request.unconfirmed != 1) {
            return;
        }
        long took = loop.nanoTime() - request.startedNanos;
        switch (request.kind) {
            case WRITE, COMPARE_AND_WRITE, WRITE_ZEROES -> {
                counters.writes.increment();
                counters.writtenBytes.add(request.length);
                counters.writeNanos.add(took);
            }
            case DISCARD -> {
                counters.discards.increment();
                counters.discardedBytes.add(request.length);
            }
            default -> {}
        }
    }

    private void announceCommitLater() {
        if (commitTimerSet || committedAnnounced >= committed || state == State.OVER) {
            return;
        }
        commitTimerSet = true;
        loop.schedule(COMMIT_PAUSE_NANOS, () -> {
            commitTimerSet = false;
            if (state != State.OVER && window.isEmpty()) {
                announceCommit();
            } else {
                announceCommitLater();
            }
        });
    }

    private void announceCommit() {
        if (committedAnnounced < committed) {
            committedAnnounced = committed;
            for (ReplicaLink link : links.values()) {
                if (link.takesRecords && link.isReady()) {
                    link.sendSequence(FrameType.COMMIT, committed);
                }
            }
        }
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
        if (found.lastSequence() < committed || found.lastSequence() > window.lastSequence()) {
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
        if (!flushes.isEmpty()) {
            link.sendSequence(FrameType.FLUSH, flushes.getLast().sequence);
        }
        link.sendSequence(FrameType.COMMIT, committed);
        reads.sourceReturned();
        refreshHealth();
        advance();
        armTick();
    }

    @Override
    public void onAcknowledged(ReplicaLink link) {
        if (view.isMember(link)) {
            view.answered(link);
        }
        rebuilds.acknowledged(link);
        reads.pongArrived();
        if (opening != null && view.isEmpty()) {
            // Nobody counts for confirmations yet: this concerns a replica that is being brought up.
            opening.progressed();
        }
        advance();
        if (!queue.isEmpty() || !held.isEmpty()) {
            pumpHeldThenQueue();
        }
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
            reads.repairDamage(link, damage);
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
                || !flushes.isEmpty()
                || !queue.isEmpty()
                || !held.isEmpty()
                || reads.isWaiting()
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
        view.judge(ran, window.lastSequence(), flushes.isEmpty() ? 0 : flushes.getLast().sequence);
        for (ReplicaLink link : List.copyOf(links.values())) {
            link.watch(ran, settings.syncLagNanos(), view.isMember(link));
        }
        reads.tick(!flushes.isEmpty());
        if (now - lastRecordCheckNanos > settings.registryCheckNanos()) {
            lastRecordCheckNanos = now;
            recordKeeperCheck();
        }
        expireStalled(now);
        rebuilds.tick();
        armTick();
    }

    /** Requests that wait for a replica that never answers fail in the end; records already sent stay in flight. */
    private void expireStalled(long now) {
        while (!queue.isEmpty() && now - queue.element().startedNanos > settings.operationNanos()) {
            Request late = queue.remove();
            late.sequencingOver(timeLimit(late.kind.toString()));
        }
        while (!flushes.isEmpty() && now - flushes.element().startedNanos > settings.operationNanos()) {
            flushes.remove().abandon(timeLimit("FLUSH"));
        }
        for (long s = window.oldestSequence(); s <= window.lastSequence(); s++) {
            Operation operation = window.get(s);
            if (now - operation.sentNanos <= settings.operationNanos()) {
                break;
            }
            Request request = operation.request;
            if (request != null) {
                operation.request = null;
                request.abandon(timeLimit(request.kind.toString()));
            }
        }
    }

    private TimeLimitException timeLimit(String what) {
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

    /** Sequence of the newest operation on the volume's structure. */
    long lastStructureSequence() {
        return lastStructureSequence;
    }

    long committed() {
        return committed;
    }

    long durableSequence() {
        return durable;
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

    RequestLimiter limiter() {
        return limiter;
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
            if (link.isReady()) {
                inSync++;
            }
        }
        if (state == State.OVER || inSync == 0) {
            return HealthState.FAULTED;
        }
        return inSync >= wanted && inSync == view.members().size() ? HealthState.HEALTHY : HealthState.DEGRADED;
    }

    private ReplicaStatus statusOf(ReplicaRecord replica) {
        ReplicaLink link = links.get(replica.replicaId());
        if (link != null && view.isMember(link) && link.isReady()) {
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
