package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.ProtocolException;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.BlockReader;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapPage;
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
import io.longhorn.replica.wire.ReadLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A session that is bound to a replica: records, commits, flushes, reads; requests go on to {@link RequestAnswers}. Loop only. */
final class FencedSession {
    private static final Logger LOG = LoggerFactory.getLogger(FencedSession.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Frames kept while the beginning of a rebuild is made durable: what the engine has credit for, with room for records that need none. */
    private static final long HELD_BYTES_MAX = 4 * SpaceCredit.WINDOW_BYTES_MAX;

    private final ReplicaSession session;
    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final Connection connection;
    private final long epoch;
    private final RecordIntake intake;
    private final RequestAnswers answers;
    private @Nullable RebuildTarget rebuild;
    /** What arrives waits here, in order, while not null. */
    private @Nullable List<byte[]> held;

    private long heldBytes;

    FencedSession(ReplicaSession session, ReplicaDisk disk, ReplicaState replica, Connection connection, long epoch) {
        this.session = session;
        this.disk = disk;
        this.replica = replica;
        this.connection = connection;
        this.epoch = epoch;
        intake = new RecordIntake(disk, replica, connection, epoch);
        answers = new RequestAnswers(disk, replica);
    }

    long epoch() {
        return epoch;
    }

    boolean isStarving() {
        return held == null && intake.account().isStarving();
    }

    SpaceCredit.Account account() {
        return intake.account();
    }

    /** Not while a rebuild begins: the numbers would still be those of the history that is being left. */
    void acknowledge() {
        if (held == null) {
            intake.acknowledge();
        }
    }

    void feed() {
        if (held == null) {
            intake.feed();
        }
    }

    // ------------------------------------------------------------------ beginning and end

    /** The promise is durable: takes what was parked back, then answers. {@code ready} runs directly before the answer. */
    void begin(long request, Runnable ready) {
        if (replica.isSwitching) {
            // A rebuild of an earlier connection is about to change what we would say now.
            disk.changes().add(ended -> {
                ended.run();
                begin(request, ready);
            });
            return;
        }
        disk.parking().takeBack(replica, failure -> {
            if (session.isOver()) {
                return;
            }
            if (failure != null) {
                session.refuseStream(FailureMapping.of(
                        ErrorCode.REPLICA_NOT_READY, "parked records cannot be read back: " + failure.getMessage()));
                return;
            }
            ready.run();
            disk.hosted().publish(replica);
            disk.space().open(intake.account());
            session.send(request, state());
        });
    }

    /** What the replica says of itself is final for all older epochs. */
    private Message.FenceOk state() {
        ReplicaMeta meta = replica.meta();
        ReplicaMeta.Mixed mixed = meta.mixed();
        return new Message.FenceOk(
                epoch,
                replica.lastEpoch(),
                replica.lastSequence(),
                replica.lastSequence(),
                replica.durable(),
                replica.committed(),
                replica.isUncertain(),
                mixed != null,
                mixed == null ? 0 : mixed.commonSequence(),
                replica.sizeBytes(),
                intake.account().grantedBytes(),
                replica.quietMillis(disk.loop().nanoTime()),
                replica.history());
    }

    void ended(ReplicaSession of) {
        disk.space().close(intake.account());
        RebuildTarget target = rebuild;
        if (target != null) {
            target.cancel();
        }
        if (replica.session == of) {
            replica.session = null;
            replica.pins.clear();
            disk.removal().consider(replica);
        }
    }

    // ------------------------------------------------------------------ frames

    void onFrame(ByteBuffer b, int at, int length) throws IOException {
        if (held != null) {
            hold(b, at, length);
            return;
        }
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        if (type != null && type.isRecord()) {
            Message.Failure refusal = intake.take(b, at, length);
            if (refusal != null) {
                session.refuseStream(refusal);
            }
            return;
        }
        // Whatever comes behind records sees them.
        Message.Failure refusal = intake.append();
        if (refusal != null) {
            session.refuseStream(refusal);
            return;
        }
        FrameFault fault = FrameFault.of(b, at, length);
        if (fault != FrameFault.NONE || type == null) {
            session.refuseStream(
                    FailureMapping.of(fault, Math.max(0, FrameLayout.number(b, at)), "a frame was refused: " + fault));
        } else if (!isOfThisEpoch(FrameLayout.epoch(b, at))) {
            session.refuseStream(FailureMapping.of(
                    ErrorCode.FENCED,
                    epoch,
                    FrameLayout.epoch(b, at),
                    type + " of epoch " + FrameLayout.epoch(b, at) + " under promise " + epoch));
        } else {
            onOther(type, b, at);
        }
    }

    /** The rule for everything but records: it carries the epoch that this connection was fenced with. */
    private boolean isOfThisEpoch(long frameEpoch) {
        return frameEpoch == epoch;
    }

    void onBatchEnd() {
        if (held != null) {
            return;
        }
        Message.Failure refusal = intake.append();
        if (refusal != null) {
            session.refuseStream(refusal);
        } else {
            intake.endBatch();
        }
    }

    private void onOther(FrameType type, ByteBuffer b, int at) throws IOException {
        long number = FrameLayout.number(b, at);
        switch (type) {
            case READ -> read(b, at, number);
            case COMMIT -> {
                replica.confirmed(number);
                disk.checkpointIfDue();
            }
            case FLUSH -> {
                if (replica.durable() >= number) {
                    intake.acknowledge();
                } else {
                    disk.journal().requestSync();
                }
            }
            case LAYER_BLOCKS -> install(b, at, number);
            default -> onMessage(MessageCodec.decode(b, at), number);
        }
    }

    private void onMessage(Message message, long request) throws IOException {
        if (message instanceof Message.Ping ping) {
            replica.acknowledgedNow(disk.loop().nanoTime());
            session.send(request, new Message.Pong(ping.epoch(), ping.sentNanos()));
        } else if (message instanceof Message.Status) {
            session.send(request, answers.status());
        } else if (message instanceof Message.ListReplicas) {
            session.sendReplicas(request);
        } else if (message instanceof Message.MapQuery query) {
            session.send(request, answers.map(query));
        } else if (message instanceof Message.Records records) {
            session.send(request, answers.records(records, connection));
        } else if (message instanceof Message.LayerRead read) {
            connection.send(answers.layerBlocks(read, epoch, request, connection.pool()));
        } else if (message instanceof Message.Pin pin) {
            answers.pin(pin);
            session.send(request, new Message.Done());
        } else if (message instanceof Message.Unpin unpin) {
            replica.pins.unpin(unpin.pin());
            disk.removal().consider(replica);
            session.send(request, new Message.Done());
        } else if (message instanceof Message.Repair repair) {
            BlockRepair.take(replica, repair, connection.pool(), () -> session.send(request, new Message.Done()));
        } else if (message instanceof Message.CloseVolume close) {
            close(close, request);
        } else {
            onRebuildMessage(message, request);
        }
    }

    private void onRebuildMessage(Message message, long request) {
        if (message instanceof Message.RebuildBegin begin) {
            beginRebuild(begin, request);
        } else if (message instanceof Message.RebuildEnd end) {
            requireRebuild(end.session()).end(end.throughSequence(), outcomeOf(request));
        } else if (message instanceof Message.Joined joined) {
            requireRebuild(joined.session()).joined(outcomeOf(request));
        } else {
            throw new ProtocolException(connection.peerName(), message.type() + " is not for a fenced replica");
        }
    }

    /** Answers DONE, or DISK_FAILED. */
    private DiskWorker.Outcome outcomeOf(long request) {
        return failure -> session.send(
                request,
                failure == null
                        ? new Message.Done()
                        : FailureMapping.of(ErrorCode.DISK_FAILED, String.valueOf(failure.getMessage())));
    }

    /** Everything is confirmed: it goes to stable storage and to the layers, so that a replica at rest needs nothing of the journal. */
    private void close(Message.CloseVolume close, long request) {
        replica.confirmed(close.committed());
        disk.whenDurable(disk.journal().appendedPosition(), () -> {
            disk.checkpointer().request(replica);
            session.send(request, new Message.Done());
        });
    }

    // ------------------------------------------------------------------ reading

    private void read(ByteBuffer b, int at, long request) {
        long offset = ReadLayout.offset(b, at);
        int length = ReadLayout.length(b, at);
        if (offset + length > replica.sizeBytes()) {
            throw new ReplicaRefusal(
                    ErrorCode.RANGE_REFUSED,
                    offset,
                    length,
                    "a read beyond the volume's " + replica.sizeBytes() + " bytes");
        }
        LayerNode layer = ReadLayout.layerSequence(b, at) == 0
                ? replica.tree.head()
                : answers.snapshot(
                        new LayerId(ReadLayout.layerEpoch(b, at), ReadLayout.layerSequence(b, at)),
                        ReadLayout.pin(b, at));
        int blocks = length / BLOCK;
        int header = ReadLayout.answerHeaderLength(blocks);
        FrameBuffer frame = connection.pool().acquire(header + length);
        try {
            long damaged =
                    disk.reader().read(layer, offset / BLOCK, blocks, frame.bytes(), ReadLayout.TABLE_OFFSET, header);
            if (damaged != BlockReader.ALL_GOOD) {
                throw new ReplicaRefusal(
                        ErrorCode.DAMAGED_BLOCK, damaged, 0, "the map of block " + damaged + " is damaged");
            }
            if (disk.reader().unreadable() > 0) {
                LOG.warn(
                        "blocks cannot be read: replica={} offset={} length={} blocks={}",
                        replica,
                        offset,
                        length,
                        disk.reader().unreadable());
            }
            ReadLayout.encodeAnswer(frame, epoch, request, blocks, disk.reader().wasAllZero());
            frame.retain();
            connection.send(frame);
        } catch (IOException e) {
            LOG.warn("map cannot be read: replica={} offset={} cause={}", replica, offset, e.toString());
            throw new ReplicaRefusal(
                    ErrorCode.DAMAGED_BLOCK, offset / BLOCK, 0, "the block's map cannot be read: " + e.getMessage());
        } finally {
            frame.release();
        }
    }

    // ------------------------------------------------------------------ being rebuilt

    private void beginRebuild(Message.RebuildBegin begin, long request) {
        RebuildTarget earlier = rebuild;
        if (earlier != null) {
            earlier.cancel();
        }
        RebuildTarget target = new RebuildTarget(disk, replica, begin);
        rebuild = target;
        held = new ArrayList<>();
        heldBytes = 0;
        target.begin(failure -> {
            if (session.isOver()) {
                return;
            }
            if (failure != null) {
                session.refuseStream(
                        FailureMapping.of(ErrorCode.DISK_FAILED, "the rebuild cannot begin: " + failure.getMessage()));
                return;
            }
            session.send(request, new Message.Done());
            releaseHeld();
        });
    }

    private RebuildTarget requireRebuild(long rebuildSession) {
        RebuildTarget target = rebuild;
        if (target == null || !target.isSession(rebuildSession)) {
            throw new ReplicaRefusal(ErrorCode.SUPERSEDED, "there is no rebuild session " + rebuildSession);
        }
        return target;
    }

    private void install(ByteBuffer b, int at, long request) {
        if (!LayerBlocksLayout.matches(b, at)) {
            session.refuseStream(
                    FailureMapping.of(FrameFault.CHECKSUM, request, "copied blocks do not match their checksums"));
            return;
        }
        RebuildTarget target = requireRebuild(LayerBlocksLayout.session(b, at));
        requireRoomFor(FrameLayout.payloadLength(b, at), LayerBlocksLayout.entryCount(b, at));
        target.install(
                b,
                at,
                connection.pool(),
                (progress, failure) -> session.send(
                        request,
                        failure == null
                                ? progress
                                : FailureMapping.of(ErrorCode.DISK_FAILED, String.valueOf(failure.getMessage()))));
    }

    /** Copies come without credit. They leave the reserve to what frees space again. */
    private void requireRoomFor(long dataBytes, int entries) {
        long needed = dataBytes + (long) entries * MapPage.BYTES;
        if (disk.space().availableBytes() < needed) {
            throw new ReplicaRefusal(
                    ErrorCode.DISK_FULL, needed, disk.space().lastAvailableBytes(), "the disk has no room for copies");
        }
    }

    private void hold(ByteBuffer b, int at, int length) {
        List<byte[]> frames = held;
        heldBytes += length;
        if (frames == null || heldBytes > HELD_BYTES_MAX) {
            session.end(ErrorCode.SERVER_BUSY, "too much was sent before the rebuild had begun");
            return;
        }
        byte[] copy = new byte[length];
        b.get(at, copy);
        frames.add(copy);
    }

    /** What came while the rebuild's beginning was made durable is handled now, in order; it may hold things up again. */
    private void releaseHeld() {
        List<byte[]> frames = held;
        held = null;
        if (frames == null) {
            return;
        }
        for (byte[] frame : frames) {
            ByteBuffer b = ByteBuffer.allocateDirect(frame.length).order(ByteOrder.LITTLE_ENDIAN);
            b.put(0, frame);
            session.onFrame(b, 0, frame.length);
            session.onBatchEnd();
        }
        session.acknowledge();
    }
}
