package io.longhorn.replica.server;

import io.longhorn.ErrorCode;
import io.longhorn.LonghornException;
import io.longhorn.ProtocolException;
import io.longhorn.replica.wire.AckLayout;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FailureMapping;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.ReadLayout;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.SequenceLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server's end of one connection: greets, binds itself to one replica by a fence, then takes that replica's records and requests. A batch of records that
 * lie behind one another in the receive buffer goes to the journal with one write and is answered with one ACK. Loop of the replica's disk; before
 * the fence, of the listener.
 */
final class ReplicaSession implements Connection.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaSession.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    private static final long CLOSE_DELAY_NANOS = 500_000_000;

    private final ReplicaHost host;
    private final Connection connection;
    private final ReplicaHost.Mover mover;
    private Message.@Nullable Hello hello;
    private @Nullable ReplicaState replica;
    private @Nullable ReplicaDisk disk;
    private @Nullable RebuildTarget rebuild;
    private boolean fencing;
    private long epoch;
    private boolean over;

    private @Nullable ByteBuffer batch;
    private int batchFrom;
    private int batchTo;
    private long batchLast;
    private long batchEpoch;
    private boolean batchForced;
    private boolean acknowledgementDue;

    private long usedBytes;
    private long grantedBytes;

    ReplicaSession(ReplicaHost host, Connection connection, ReplicaHost.Mover mover) {
        this.host = host;
        this.connection = connection;
        this.mover = mover;
    }

    /** Goes on where a session on another loop stopped: it greeted, and the next frame names a replica of {@code disk}. */
    private ReplicaSession(ReplicaSession from, ReplicaDisk disk) {
        this(from.host, from.connection, from.mover);
        this.hello = from.hello;
        this.disk = disk;
    }

    long outstandingCredit() {
        return grantedBytes - usedBytes;
    }

    // ------------------------------------------------------------------ frames

    @Override
    public void onFrame(ByteBuffer b, int at, int length) {
        if (over) {
            return;
        }
        if (fencing && rebuild != null) {
            byte[] copy = new byte[length];
            b.get(at, copy);
            heldFrames.add(copy);
            return;
        }
        try {
            FrameType type = FrameType.of(FrameLayout.type(b, at));
            if (type != null && type.isRecord() && replica != null && !fencing) {
                onRecord(b, at, length);
            } else {
                appendBatch();
                if (!over) {
                    onOther(type, b, at, length);
                }
            }
        } catch (LonghornException e) {
            refuse(0, FailureMapping.of(e));
        } catch (IOException e) {
            LOG.warn("request failed: peer={} cause={}", connection.peerName(), e.toString());
            refuse(0, FailureMapping.of(ErrorCode.DISK_FAILED, String.valueOf(e.getMessage())));
        }
    }

    @Override
    public void onBatchEnd() {
        if (!over) {
            appendBatch();
            if (acknowledgementDue) {
                acknowledge();
            }
        }
    }

    @Override
    public void onClosed(String cause) {
        over = true;
        ReplicaState bound = replica;
        if (bound != null && bound.session == this) {
            bound.session = null;
            bound.pins.clear();
        }
    }

    void closeBecause(String cause) {
        if (!over) {
            over = true;
            LOG.debug("session closed: peer={} cause={}", connection.peerName(), cause);
            connection.close();
            onClosed(cause);
        }
    }

    void diskFailed(IOException cause) {
        refuse(0, FailureMapping.of(ErrorCode.DISK_FAILED, String.valueOf(cause.getMessage())));
    }

    /** Tells the peer and ends the connection: the stream cannot go on. */
    private void refuse(long request, Message.Failure failure) {
        if (over) {
            return;
        }
        send(request, failure);
        LOG.debug("session refused: peer={} cause={}", connection.peerName(), failure.detail());
        onClosed(failure.detail());
        for (ReplicaDisk each : host.disks()) {
            if (each.loop().inLoop()) {
                // Closing now could overtake the answer; the peer closes when it has read it, or we do later.
                each.loop().schedule(CLOSE_DELAY_NANOS, connection::close);
                return;
            }
        }
        connection.close();
    }

    private void send(long request, Message message) {
        connection.send(MessageCodec.encode(connection.pool(), epoch, request, message));
    }

    // ------------------------------------------------------------------ records

    /** Whether the frame stands directly behind the batch, in the same memory: identity is meant. */
    @SuppressWarnings("ReferenceEquality")
    private boolean continuesBatch(ByteBuffer b, int at) {
        return batch == b && batchTo == at;
    }

    private void onRecord(ByteBuffer b, int at, int length) {
        ReplicaState to = replica;
        if (to == null) {
            return;
        }
        FrameFault fault = RecordLayout.check(b, at, length);
        if (fault == FrameFault.NONE && !RecordLayout.payloadMatches(b, at)) {
            fault = FrameFault.CHECKSUM;
        }
        if (fault != FrameFault.NONE) {
            appendBatch();
            refuse(0, FailureMapping.of(fault, RecordLayout.sequence(b, at), "record refused: " + fault));
            return;
        }
        long last = batch == null ? to.lastSequence() : batchLast;
        long lastEpoch = batch == null ? to.lastEpoch() : batchEpoch;
        if (!follows(RecordLayout.sequence(b, at), last) || !isOfOurTime(FrameLayout.epoch(b, at), lastEpoch)) {
            appendBatch();
            refuse(
                    0,
                    FailureMapping.of(
                            ErrorCode.SEQUENCE_GAP,
                            last + 1,
                            lastEpoch,
                            "record " + FrameLayout.epoch(b, at) + "-" + RecordLayout.sequence(b, at)
                                    + " does not follow " + lastEpoch + "-" + last));
            return;
        }
        if (RecordLayout.offset(b, at) + RecordLayout.length(b, at) > to.sizeBytes()) {
            appendBatch();
            refuse(0, FailureMapping.of(ErrorCode.RANGE_REFUSED, "record beyond the volume's size"));
            return;
        }
        if (!continuesBatch(b, at)) {
            appendBatch();
            batch = b;
            batchFrom = at;
        }
        batchTo = at + length;
        batchLast = RecordLayout.sequence(b, at);
        batchEpoch = FrameLayout.epoch(b, at);
        batchForced |= (FrameLayout.flags(b, at) & FrameLayout.FLAG_FORCED) != 0;
        // A structural record changes what later records mean: it is applied before they are looked at.
        if (RecordLayout.length(b, at) == 0) {
            appendBatch();
        }
    }

    /** Rule: records are taken only in order, without a gap. */
    private static boolean follows(long sequence, long last) {
        return sequence == last + 1;
    }

    /** Rule: no record of an epoch newer than promised, or older than the record before it. */
    private boolean isOfOurTime(long recordEpoch, long lastEpoch) {
        return recordEpoch <= epoch && recordEpoch >= lastEpoch;
    }

    private void appendBatch() {
        ByteBuffer b = batch;
        ReplicaState to = replica;
        ReplicaDisk on = disk;
        if (b == null || to == null || on == null) {
            return;
        }
        batch = null;
        boolean forced = batchForced;
        batchForced = false;
        usedBytes += batchTo - batchFrom;
        if (!on.append(to, b, batchFrom, batchTo)) {
            refuse(
                    0,
                    on.hasFailed()
                            ? FailureMapping.of(ErrorCode.DISK_FAILED, "the journal failed")
                            : FailureMapping.of(ErrorCode.DISK_FULL, "the journal is full"));
            return;
        }
        acknowledgementDue = true;
        if (forced) {
            on.requestSync();
        }
        on.checkpointIfDue();
    }

    /** Tells what is journaled and durable, and grants credit. */
    void acknowledge() {
        ReplicaState of = replica;
        ReplicaDisk on = disk;
        acknowledgementDue = false;
        if (over || of == null || on == null || fencing) {
            return;
        }
        grantedBytes = usedBytes + on.window(outstandingCredit());
        FrameBuffer frame = connection.pool().acquire(AckLayout.FRAME_BYTES);
        boolean full = outstandingCredit() < FrameLayout.RECORD_BYTES_MAX && on.isFull();
        AckLayout.encode(frame, epoch, of.lastSequence(), of.durable(), grantedBytes, full);
        connection.send(frame);
        of.acknowledgedNow(on.loop().nanoTime());
    }

    // ------------------------------------------------------------------ everything else

    private void onOther(@Nullable FrameType type, ByteBuffer b, int at, int length) throws IOException {
        if (type == FrameType.READ && replica != null) {
            FrameFault fault = ReadLayout.checkRead(b, at, length);
            if (fault != FrameFault.NONE) {
                refuse(0, FailureMapping.of(fault, FrameLayout.number(b, at), "read refused: " + fault));
                return;
            }
            read(b, at);
        } else if ((type == FrameType.COMMIT || type == FrameType.FLUSH) && replica != null) {
            FrameFault fault = SequenceLayout.check(b, at, length, type);
            if (fault != FrameFault.NONE) {
                refuse(0, FailureMapping.of(fault, FrameLayout.number(b, at), type + " refused: " + fault));
                return;
            }
            sequenceMessage(type, FrameLayout.number(b, at));
        } else if (type == FrameType.LAYER_BLOCKS && replica != null) {
            install(b, at, length);
        } else {
            message(MessageCodec.decode(b, at), FrameLayout.number(b, at));
        }
    }

    private void sequenceMessage(FrameType type, long sequence) {
        ReplicaState of = bound();
        if (type == FrameType.COMMIT) {
            of.committed(sequence);
            owner().checkpointIfDue();
        } else if (of.durable() >= sequence) {
            acknowledge();
        } else {
            owner().requestSync();
        }
    }

    private ReplicaState bound() {
        ReplicaState of = replica;
        if (of == null || fencing) {
            throw new ProtocolException(connection.peerName(), "a request before the fence");
        }
        return of;
    }

    private ReplicaDisk owner() {
        ReplicaDisk on = disk;
        if (on == null) {
            throw new ProtocolException(connection.peerName(), "a request before the fence");
        }
        return on;
    }

    private void message(Message message, long request) throws IOException {
        if (message instanceof Message.Hello greeting) {
            greet(greeting, request);
            return;
        }
        if (hello == null) {
            throw new ProtocolException(connection.peerName(), message.type() + " before HELLO");
        }
        try {
            answer(message, request);
        } catch (ReplicaRefusal refusal) {
            send(request, FailureMapping.of(refusal));
        }
    }

    private void answer(Message message, long request) throws IOException {
        if (message instanceof Message.CreateReplica create) {
            create(create, request);
        } else if (message instanceof Message.DeleteReplica delete) {
            delete(delete, request);
        } else if (message instanceof Message.Fence fence) {
            fence(fence, request);
        } else if (message instanceof Message.ListReplicas) {
            send(request, list());
        } else if (message instanceof Message.Ping ping) {
            pong(ping, request);
        } else if (message instanceof Message.Status) {
            send(request, status());
        } else if (message instanceof Message.MapQuery query) {
            send(request, new MapWalk(bound(), queried(query)).answer(query));
        } else if (message instanceof Message.LayerRead read) {
            connection.send(new RebuildSource(bound()).answer(read, epoch, request, connection.pool()));
        } else if (message instanceof Message.Records records) {
            sendRecords(records, request);
        } else if (message instanceof Message.Pin pin) {
            pin(pin, request);
        } else if (message instanceof Message.Unpin unpin) {
            bound().pins.unpin(unpin.pin());
            send(request, new Message.Done());
            owner().removal().run(bound());
        } else if (message instanceof Message.RebuildBegin begin) {
            beginRebuild(begin, request);
        } else if (message instanceof Message.RebuildEnd end) {
            endRebuild(end, request);
        } else if (message instanceof Message.Joined) {
            joined(request);
        } else if (message instanceof Message.Repair repair) {
            repair(repair, request);
        } else if (message instanceof Message.CloseVolume close) {
            bound().committed(close.committed());
            owner().checkpointIfDue();
            send(request, new Message.Done());
        } else {
            throw new ProtocolException(connection.peerName(), message.type() + " is not for a replica");
        }
    }

    // ------------------------------------------------------------------ greeting, creating, fencing

    private void greet(Message.Hello greeting, long request) {
        if (hello != null) {
            throw new ProtocolException(connection.peerName(), "a second HELLO");
        }
        if (!host.admits(greeting.token())) {
            refuse(request, FailureMapping.of(ErrorCode.AUTHENTICATION_FAILED, "the token is not ours"));
            return;
        }
        ProtocolVersion version = ProtocolVersion.negotiate(greeting, connection.peerName());
        hello = greeting;
        long usable = 0;
        int replicas = 0;
        for (ReplicaDisk each : host.disks()) {
            if (each.loop().inLoop()) {
                usable += Math.max(0, each.availableBytes());
                replicas += each.replicas().size();
            }
        }
        send(
                request,
                version.helloOk(host.serverId(), host.bootId(), host.disks().size(), replicas, usable));
    }

    private UUID cluster() {
        Message.Hello greeting = hello;
        if (greeting == null) {
            throw new ProtocolException(connection.peerName(), "a request before HELLO");
        }
        return greeting.clusterId();
    }

    /** Goes on with this frame on the disk's loop. */
    private boolean movedTo(ReplicaDisk target) {
        if (target.loop().inLoop()) {
            disk = target;
            return false;
        }
        over = true;
        mover.move(connection, target, new ReplicaSession(this, target));
        return true;
    }

    private void create(Message.CreateReplica wanted, long request) throws IOException {
        ReplicaDisk target = disk;
        if (target == null) {
            target = diskOf(wanted.replicaId());
            if (target == null) {
                target = roomiest();
            }
        }
        if (!movedTo(target)) {
            requireService(target);
            target.create(cluster(), wanted);
            send(request, new Message.Done());
        }
    }

    private void delete(Message.DeleteReplica wanted, long request) throws IOException {
        ReplicaDisk target = disk != null ? disk : diskOf(wanted.replicaId());
        if (target == null) {
            send(request, new Message.Done());
            return;
        }
        if (movedTo(target)) {
            return;
        }
        ReplicaState victim = target.find(wanted.replicaId());
        if (victim != null) {
            target.requireCluster(cluster());
            if (!victim.meta().volumeId().equals(wanted.volumeId())
                    || victim.meta().promisedEpoch() > wanted.epoch()) {
                throw new ReplicaRefusal(
                        ErrorCode.FENCED,
                        "replica is promised to epoch " + victim.meta().promisedEpoch());
            }
            target.delete(victim);
        }
        send(request, new Message.Done());
    }

    private void requireService(ReplicaDisk target) {
        if (target.hasFailed()) {
            throw new ReplicaRefusal(ErrorCode.DISK_FAILED, "disk " + target.describe() + " has failed");
        }
    }

    private @Nullable ReplicaDisk diskOf(UUID replicaId) {
        for (ReplicaDisk each : host.disks()) {
            if (each.hosts(replicaId)) {
                return each;
            }
        }
        return null;
    }

    private ReplicaDisk roomiest() {
        ReplicaDisk best = host.disks().get(0);
        for (ReplicaDisk each : host.disks()) {
            if (each.availableBytes() > best.availableBytes()) {
                best = each;
            }
        }
        return best;
    }

    private void fence(Message.Fence fence, long request) {
        ReplicaDisk target = disk != null ? disk : diskOf(fence.replicaId());
        if (target == null) {
            refuse(request, FailureMapping.of(ErrorCode.REPLICA_NOT_FOUND, "there is no replica " + fence.replicaId()));
            return;
        }
        if (movedTo(target)) {
            return;
        }
        requireService(target);
        ReplicaState wanted = target.find(fence.replicaId());
        if (wanted == null) {
            refuse(request, FailureMapping.of(ErrorCode.REPLICA_NOT_FOUND, "there is no replica " + fence.replicaId()));
            return;
        }
        target.requireCluster(fence.clusterId());
        if (!wanted.meta().volumeId().equals(fence.volumeId())) {
            throw new ReplicaRefusal(ErrorCode.REPLICA_MISMATCH, "replica belongs to another volume");
        }
        if (isOutdated(fence, wanted.meta())) {
            refuse(
                    request,
                    FailureMapping.of(
                            ErrorCode.FENCED,
                            wanted.meta().promisedEpoch(),
                            fence.epoch(),
                            "promised to epoch " + wanted.meta().promisedEpoch() + " of another engine"));
            return;
        }
        ReplicaSession earlier = wanted.session;
        if (earlier != null && earlier != this) {
            earlier.closeBecause("a newer connection took the replica over");
        }
        replica = wanted;
        wanted.session = this;
        epoch = fence.epoch();
        fencing = true;
        target.store(
                wanted,
                wanted.promised(fence.epoch(), fence.engineId(), fence.recordVersion()),
                stored -> fenced(request));
    }

    /** Rule: whoever comes with an older epoch, with the same one under another name, or with an older record is refused. */
    private static boolean isOutdated(Message.Fence fence, ReplicaMeta meta) {
        return fence.epoch() < meta.promisedEpoch()
                || (fence.epoch() == meta.promisedEpoch() && !fence.engineId().equals(meta.promisedEngine()))
                || fence.recordVersion() < meta.recordVersion();
    }

    /** The promise is durable: what the replica says now is final for older epochs. */
    private void fenced(long request) {
        ReplicaState of = replica;
        ReplicaDisk on = disk;
        if (over || of == null || on == null || of.session != this) {
            return;
        }
        fencing = false;
        usedBytes = 0;
        grantedBytes = 0;
        grantedBytes = on.window(0);
        ReplicaMeta meta = of.meta();
        send(
                request,
                new Message.FenceOk(
                        epoch,
                        of.lastEpoch(),
                        of.lastSequence(),
                        of.lastSequence(),
                        of.durable(),
                        of.committed(),
                        meta.uncertain(),
                        meta.mixed(),
                        meta.commonSequence(),
                        of.sizeBytes(),
                        grantedBytes,
                        of.quietMillis(on.loop().nanoTime()),
                        of.history()));
    }

    private void pong(Message.Ping ping, long request) {
        send(request, new Message.Pong(ping.epoch(), ping.sentNanos()));
        ReplicaState of = replica;
        if (of != null && !fencing) {
            of.acknowledgedNow(owner().loop().nanoTime());
            acknowledge();
        }
    }

    // ------------------------------------------------------------------ reading

    /** The layer to read, for a request that names it; null for an empty volume. */
    private @Nullable LayerNode layerFor(LayerId id, int pin) {
        ReplicaState of = bound();
        if (id.isLive()) {
            return of.tree.head();
        }
        LayerNode node = of.tree.find(id);
        boolean readable = node != null && node.frozenSequence != 0 && (!node.isRemoved() || of.pins.isHeldBy(pin, id));
        if (!readable) {
            throw new ReplicaRefusal(
                    node == null || pin == 0 ? ErrorCode.SNAPSHOT_NOT_FOUND : ErrorCode.PIN_NOT_HELD,
                    "there is no snapshot " + id);
        }
        return node;
    }

    /** A rebuild asks for layers as they are, removed ones too; callers only for what they may read. */
    private @Nullable LayerNode queried(Message.MapQuery query) {
        return query.mode() == Message.MapMode.OWN && !query.layer().isLive()
                ? bound().tree.find(query.layer())
                : layerFor(query.layer(), query.pin());
    }

    private void read(ByteBuffer b, int at) throws IOException {
        ReplicaState of = bound();
        long request = FrameLayout.number(b, at);
        long offset = ReadLayout.offset(b, at);
        int blocks = ReadLayout.length(b, at) / BLOCK;
        LayerNode layer;
        if (ReadLayout.layerSequence(b, at) == 0) {
            layer = of.tree.head();
        } else {
            try {
                layer = layerFor(
                        new LayerId(ReadLayout.layerEpoch(b, at), ReadLayout.layerSequence(b, at)),
                        ReadLayout.pin(b, at));
            } catch (ReplicaRefusal refusal) {
                send(request, FailureMapping.of(refusal));
                return;
            }
        }
        int header = ReadLayout.answerHeaderLength(blocks);
        FrameBuffer frame = connection.pool().acquire(header + blocks * BLOCK);
        long damaged;
        try {
            damaged = of.read(layer, offset / BLOCK, blocks, frame.bytes(), ReadLayout.TABLE_OFFSET, header);
        } catch (IOException e) {
            frame.release();
            LOG.warn("read failed: replica={} cause={}", of.replicaId(), e.toString());
            send(
                    request,
                    FailureMapping.of(ErrorCode.REPLICA_DAMAGED, offset / BLOCK, 0, String.valueOf(e.getMessage())));
            return;
        }
        if (damaged >= 0) {
            frame.release();
            send(
                    request,
                    FailureMapping.of(
                            ErrorCode.REPLICA_DAMAGED, damaged, 0, "the map of block " + damaged + " is damaged"));
            return;
        }
        ReadLayout.encodeAnswer(frame, epoch, request, blocks, false);
        connection.send(frame);
    }

    private Message.StatusOk status() throws IOException {
        ReplicaState of = bound();
        long allocated = 0;
        List<Message.Layer> layers = of.tree.asOf(of.lastSequence());
        for (LayerNode node : of.tree.all()) {
            allocated += node.files.allocatedBytes();
        }
        return new Message.StatusOk(
                of.sizeBytes(),
                of.lastSequence(),
                of.committed(),
                of.checkpointed(),
                allocated,
                of.damagedBlocks,
                layers);
    }

    private Message.ListReplicasOk list() {
        List<Message.ReplicaInfo> infos = new ArrayList<>();
        for (ReplicaDisk each : host.disks()) {
            for (ReplicaState state : List.copyOf(each.replicas())) {
                ReplicaMeta meta = state.meta();
                infos.add(new Message.ReplicaInfo(
                        meta.volumeId(), meta.volumeName(), meta.replicaId(), meta.promisedEpoch(), meta.sizeBytes()));
            }
        }
        return new Message.ListReplicasOk(infos);
    }

    /** Copies of journaled records, from one sequence on, as far as they are there and the answer may be long. */
    private void sendRecords(Message.Records wanted, long request) throws IOException {
        ReplicaState of = bound();
        long next = wanted.fromSequence();
        long end = of.lastSequence() + 1;
        boolean gone =
                next < end && (!of.records.holds(next) || of.records.position(next) < owner().oldestJournalPosition());
        int sent = 0;
        while (!gone && next < end && sent < wanted.bytesMax()) {
            int length = of.records.frameLength(next);
            FrameBuffer frame = connection.pool().acquire(length);
            ByteBuffer bytes = frame.bytes();
            bytes.limit(length).position(0);
            try {
                owner().readJournal(of.records.position(next), bytes);
            } finally {
                bytes.clear();
            }
            RecordLayout.clearStamp(bytes, 0);
            connection.send(frame.length(length));
            sent += length;
            next++;
        }
        send(request, new Message.RecordsOk(gone, next));
    }

    private void pin(Message.Pin pin, long request) {
        if (!pin.layer().isLive() && bound().tree.find(pin.layer()) == null) {
            throw new ReplicaRefusal(ErrorCode.SNAPSHOT_NOT_FOUND, "there is no snapshot " + pin.layer());
        }
        bound().pins.pin(pin.pin(), pin.layer());
        send(request, new Message.Done());
    }

    // ------------------------------------------------------------------ being rebuilt, repaired

    private void beginRebuild(Message.RebuildBegin begin, long request) {
        RebuildTarget target = new RebuildTarget(bound(), begin);
        rebuild = target;
        fencing = true;
        target.begin(() -> {
            fencing = false;
            if (!over) {
                send(request, new Message.Done());
                acknowledge();
                drainHeld();
            }
        });
    }

    /** Records that arrived while the rebuild's beginning was made durable. */
    private final List<byte[]> heldFrames = new ArrayList<>();

    private void drainHeld() {
        List<byte[]> frames = new ArrayList<>(heldFrames);
        heldFrames.clear();
        for (byte[] frame : frames) {
            ByteBuffer b = ByteBuffer.allocateDirect(frame.length).order(ByteOrder.LITTLE_ENDIAN);
            b.put(0, frame);
            onFrame(b, 0, frame.length);
            onBatchEnd();
        }
    }

    private void install(ByteBuffer b, int at, int length) throws IOException {
        RebuildTarget target = rebuild;
        FrameFault fault = LayerBlocksLayout.check(b, at, length);
        long request = FrameLayout.number(b, at);
        if (fault != FrameFault.NONE || !LayerBlocksLayout.matches(b, at)) {
            refuse(
                    request,
                    FailureMapping.of(FrameFault.CHECKSUM, request, "copied blocks do not match their checksums"));
        } else if (target == null || target.session() != LayerBlocksLayout.session(b, at)) {
            send(request, FailureMapping.of(ErrorCode.SUPERSEDED, "no such rebuild session"));
        } else {
            send(request, target.install(b, at));
        }
    }

    private void endRebuild(Message.RebuildEnd end, long request) {
        RebuildTarget target = rebuild;
        if (target == null || target.session() != end.session()) {
            throw new ReplicaRefusal(ErrorCode.SUPERSEDED, "no such rebuild session");
        }
        target.end(end.throughSequence(), () -> {
            if (!over) {
                send(request, new Message.Done());
                acknowledge();
            }
        });
    }

    private void joined(long request) {
        ReplicaState of = bound();
        rebuild = null;
        owner().store(of, of.trusted(false, false), stored -> {
            if (!over) {
                send(request, new Message.Done());
            }
        });
    }

    private void repair(Message.Repair repair, long request) throws IOException {
        BlockRepair work = new BlockRepair(owner(), bound());
        if (!work.apply(repair, () -> {
            if (!over) {
                send(request, new Message.Done());
            }
        })) {
            throw new ReplicaRefusal(ErrorCode.CONDITION_FAILED, "the block is not what it was when it failed");
        }
    }
}
