package io.longhorn.engine;

import io.longhorn.replica.wire.AckLayout;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.ReadLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A replica that keeps nothing and agrees to everything: records and reads of one block are answered when the benchmark says so, from frames made before; all else by the loop.
 */
final class AgreeableReplica implements Connection {
    private static final long PROMISED = 1;

    private final Loop loop;
    private final ReplicaRecord record;
    private final long sizeBytes;
    private final FramePool pool = new FramePool();
    private final FrameBuffer acknowledgement = pool.acquire(AckLayout.FRAME_BYTES);
    private final FrameBuffer block = pool.acquire(ReadLayout.answerHeaderLength(1) + FrameLayout.BLOCK_BYTES);
    private @Nullable Handler engine;
    private long lastSequence;
    private long acknowledgedSequence;
    private long usedBytes;
    private long readRequest;

    AgreeableReplica(Loop loop, ReplicaRecord record, long sizeBytes) {
        this.loop = loop;
        this.record = record;
        this.sizeBytes = sizeBytes;
        int payload = ReadLayout.answerHeaderLength(1);
        block.bytes().putInt(ReadLayout.TABLE_OFFSET, Checksum.block(block.bytes(), payload));
    }

    ReplicaRecord record() {
        return record;
    }

    void accept(Connection.Connector.Result result) {
        engine = result.onConnected(this);
    }

    /** Answers the records and the read that came since the last call. */
    void answer() {
        if (acknowledgedSequence < lastSequence) {
            acknowledgedSequence = lastSequence;
            AckLayout.encode(acknowledgement, PROMISED, lastSequence, lastSequence, usedBytes + (4 << 20), false);
            deliver(acknowledgement);
        }
        if (readRequest != 0) {
            ReadLayout.encodeAnswer(block, PROMISED, readRequest, 1, false);
            readRequest = 0;
            deliver(block);
        }
    }

    private void deliver(FrameBuffer frame) {
        Handler to = engine;
        if (to == null) {
            throw new IllegalStateException("not connected");
        }
        to.onFrame(frame.bytes(), 0, frame.length());
        to.onBatchEnd();
    }

    @Override
    public void send(FrameBuffer frame) {
        ByteBuffer b = frame.bytes();
        FrameType type = FrameType.of(FrameLayout.type(b, 0));
        if (type == null) {
            throw new IllegalStateException("unknown frame type");
        } else if (type.isRecord()) {
            lastSequence = RecordLayout.sequence(b, 0);
            usedBytes += frame.length();
        } else if (type == FrameType.READ) {
            readRequest = FrameLayout.number(b, 0);
        } else if (type != FrameType.COMMIT && type != FrameType.FLUSH) {
            reply(FrameLayout.number(b, 0), answerTo(MessageCodec.decode(b, 0)));
        }
        frame.release();
    }

    private void reply(long request, Message message) {
        loop.execute(() -> {
            FrameBuffer frame = MessageCodec.encode(pool, PROMISED, request, message);
            deliver(frame);
            frame.release();
        });
    }

    private Message answerTo(Message message) {
        if (message instanceof Message.Hello hello) {
            return ProtocolVersion.negotiate(hello, peerName()).helloOk(record.replicaId(), "boot", 1, 1, 1L << 40);
        } else if (message instanceof Message.Fence) {
            return new Message.FenceOk(PROMISED, 0, 0, 0, 0, 0, false, false, 0, sizeBytes, 4 << 20, -1, List.of());
        } else if (message instanceof Message.Status) {
            Message.Layer head =
                    new Message.Layer(LayerId.ROOT, LayerId.LIVE, 0, "", false, false, 0, sizeBytes, 0, Map.of());
            return new Message.StatusOk(sizeBytes, 0, 0, 0, 0, 0, List.of(head));
        } else if (message instanceof Message.Ping ping) {
            return new Message.Pong(ping.epoch(), ping.sentNanos());
        }
        return new Message.Done();
    }

    @Override
    public int queuedBytes() {
        return 0;
    }

    @Override
    public void close() {}

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public FramePool pool() {
        return pool;
    }

    @Override
    public String peerName() {
        return record.endpoint();
    }
}
