package io.longhorn.replica;

import io.longhorn.benchmarks.ScratchDirectory;
import io.longhorn.benchmarks.TurnedLoop;
import io.longhorn.benchmarks.TurnedWorker;
import io.longhorn.replica.disk.PathDirectory;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A replica on real files whose engine is the benchmark: frames go in by a call, answers are counted and dropped. All on the caller's thread. */
final class LoneReplica implements Connection, AutoCloseable {
    static final int BATCH_MAX = 32;
    /** A disk's work goes on beside the writes, not between two of them: so many come while one piece of it is done. */
    private static final int WRITES_PER_WORK = 1024;

    private static final UUID ENGINE = new UUID(1, 2);
    private static final UUID REPLICA = new UUID(3, 4);
    private static final UUID VOLUME = new UUID(5, 6);
    private static final long EPOCH = 1;

    private final ScratchDirectory scratch = new ScratchDirectory();
    private final TurnedLoop loop = new TurnedLoop();
    private final TurnedWorker worker = new TurnedWorker();
    private final FramePool pool = new FramePool();
    private final FrameBuffer write = pool.acquire(RecordLayout.writeFrameLength(1));
    private final ByteBuffer batch = ByteBuffer.allocateDirect(BATCH_MAX * RecordLayout.writeFrameLength(1))
            .order(ByteOrder.LITTLE_ENDIAN);
    private final PathDirectory directory;
    private final ReplicaDisk disk;
    private final Handler session;
    private int batchBytes;
    private long sequence;
    private long workedAt;
    private long answers;
    private int lastType;

    LoneReplica(int blocks) {
        DiskSettings settings = DiskSettings.builder()
                .scrubBytesPerSecond(0)
                .checkpointQuiet(Duration.ofHours(1))
                .build();
        try {
            directory = PathDirectory.open(scratch.resolve("disk"));
            disk = ReplicaDisk.open(directory, worker, loop, settings, "boot");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        session = new ReplicaHost(new UUID(7, 7), "boot", "", List.of(disk)).onAccepted(this);
        ask(ProtocolVersion.hello(ENGINE, VOLUME, ""));
        ask(new Message.CreateReplica(EPOCH, VOLUME, "vol", REPLICA, blocks * 4096L, 1, ENGINE));
        ask(new Message.Fence(EPOCH, ENGINE, VOLUME, VOLUME, REPLICA, 1));
        require(FrameType.FENCE_OK);
    }

    ReplicaDisk disk() {
        return disk;
    }

    LayerNode head() {
        ReplicaState replica = disk.find(REPLICA);
        if (replica == null) {
            throw new IllegalStateException("the replica is gone");
        }
        return replica.tree.head();
    }

    // ------------------------------------------------------------------ what an engine sends

    /** Adds a WRITE of one block to the batch that {@link #sendWrites} sends. */
    void addWrite(long block) {
        sequence++;
        RecordLayout.encodeWrite(write, 0, EPOCH, sequence, sequence - 1, block * 4096, 1);
        batch.put(batchBytes, write.bytes(), 0, write.length());
        batchBytes += write.length();
    }

    /** Sends what was added; returns how many answers there were so far. */
    long sendWrites() {
        for (int at = 0; at < batchBytes; at += write.length()) {
            session.onFrame(batch, at, write.length());
        }
        batchBytes = 0;
        session.onBatchEnd();
        loop.turn();
        if (sequence / WRITES_PER_WORK != workedAt) {
            workedAt = sequence / WRITES_PER_WORK;
            worker.turnOnce();
        }
        require(FrameType.ACK);
        return answers;
    }

    /** Makes a snapshot of what was written. */
    void snapshot() {
        sequence++;
        StructureOperation operation = new StructureOperation.CreateSnapshot("snapshot-" + sequence, true, 0, Map.of());
        FrameBuffer frame = MessageCodec.encodeStructure(pool, 0, EPOCH, sequence, sequence - 1, operation);
        request(frame);
        frame.release();
        require(FrameType.ACK);
    }

    /** Has everything moved from the journal into layers. */
    void checkpoint() {
        ask(new Message.CloseVolume(EPOCH, sequence));
        require(FrameType.DONE);
    }

    /** Sends a request that stands in {@code frame}, which stays the caller's; returns how many answers there were so far. */
    long request(FrameBuffer frame) {
        session.onFrame(frame.bytes(), 0, frame.length());
        session.onBatchEnd();
        turn();
        return answers;
    }

    private void ask(Message message) {
        long epoch = message instanceof Message.Hello ? 0 : EPOCH;
        FrameBuffer frame = MessageCodec.encode(pool, epoch, 9, message);
        request(frame);
        frame.release();
    }

    private void turn() {
        do {
            loop.turn();
        } while (worker.turn());
    }

    void require(FrameType type) {
        if (lastType != type.code()) {
            throw new IllegalStateException("expected " + type + ", the last answer was " + FrameType.of(lastType));
        }
    }

    // ------------------------------------------------------------------ the connection, as the replica sees it

    @Override
    public void send(FrameBuffer frame) {
        answers++;
        lastType = FrameLayout.type(frame.bytes(), 0);
        frame.release();
    }

    @Override
    public int queuedBytes() {
        return 0;
    }

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
        return "benchmark";
    }

    /** Ends the replica; it never ends the connection itself. */
    @Override
    public void close() {
        turn();
        disk.close();
        turn();
        try {
            directory.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        scratch.close();
    }
}
