package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.longhorn.replica.disk.PathDirectory;
import io.longhorn.replica.disk.QueuedWorker;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.ReadLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a received frame to the answer on its way, on real files: a write and a read allocate nothing, once the compiler has seen them. */
class ReplicaPathAllocationTest {
    private static final int ROUND = 1000;
    private static final int ROUNDS_MAX = 60;
    private static final int BLOCKS = 64;
    private static final UUID ENGINE = new UUID(1, 2);
    private static final UUID REPLICA = new UUID(3, 4);
    private static final UUID VOLUME = new UUID(5, 6);

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final ManualLoop loop = new ManualLoop();
    private final QueuedWorker worker = new QueuedWorker();
    private final FramePool pool = new FramePool();
    private final Silent connection = new Silent();

    @TempDir
    Path place;

    private PathDirectory directory;
    private ReplicaDisk disk;
    private Connection.Handler session;
    private long sequence;

    /** Counts the frames that it gets. */
    private final class Silent implements Connection {
        private int frames;
        private int lastType;

        @Override
        public void send(FrameBuffer frame) {
            frames++;
            lastType = FrameLayout.type(frame.bytes(), 0);
            frame.release();
        }

        @Override
        public int queuedBytes() {
            return 0;
        }

        @Override
        public void close() {
            throw new AssertionError("the replica ended the connection");
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
            return "test";
        }
    }

    @BeforeEach
    void open() throws IOException {
        directory = PathDirectory.open(place);
        DiskSettings settings = DiskSettings.builder().scrubBytesPerSecond(0).build();
        disk = ReplicaDisk.open(directory, worker, loop, settings, "boot");
        session = new ReplicaHost(new UUID(7, 7), "boot", "", List.of(disk)).onAccepted(connection);
        ask(0, ProtocolVersion.hello(ENGINE, VOLUME, ""));
        ask(1, new Message.CreateReplica(1, VOLUME, "vol", REPLICA, BLOCKS * 4096L * 16, 1, ENGINE));
        ask(1, new Message.Fence(1, ENGINE, VOLUME, VOLUME, REPLICA, 1));
        assertThat(connection.lastType).isEqualTo(FrameType.FENCE_OK.code());
    }

    @AfterEach
    void close() throws IOException {
        disk.close();
        run();
        directory.close();
    }

    private void run() {
        while (loop.turn() || worker.runAll()) {
            // Until nothing is left.
        }
    }

    private void ask(long epoch, Message message) {
        deliver(MessageCodec.encode(pool, epoch, 9, message));
        run();
    }

    private void deliver(FrameBuffer frame) {
        session.onFrame(frame.bytes(), 0, frame.length());
        session.onBatchEnd();
        frame.release();
    }

    private void write() {
        FrameBuffer frame = pool.acquire(RecordLayout.writeFrameLength(1));
        sequence++;
        RecordLayout.encodeWrite(frame, 0, 1, sequence, 0, sequence % BLOCKS * 4096, 1);
        deliver(frame);
    }

    private void read(long number) {
        FrameBuffer frame = pool.acquire(ReadLayout.READ_BYTES);
        ReadLayout.encodeRead(frame, 1, number, LayerId.LIVE, 0, number % BLOCKS * 4096, 4096);
        deliver(frame);
    }

    @Test
    void writeIsJournaledAndAcknowledgedWithoutAllocating() {
        int before = connection.frames;
        long[] writes = new long[1];
        assertSettlesAtNothing(ROUNDS_MAX, number -> {
            write();
            writes[0]++;
        });
        assertThat(connection.frames - before).isEqualTo((int) writes[0]);
        assertThat(connection.lastType).isEqualTo(FrameType.ACK.code());
    }

    @Test
    void readFromTheJournalAllocatesNothing() {
        for (int i = 0; i < BLOCKS; i++) {
            write();
        }
        assertSettlesAtNothing(300, this::read);
        assertThat(connection.lastType).isEqualTo(FrameType.READ_OK.code());
    }

    @Test
    void readFromALayerAllocatesNothing() {
        for (int i = 0; i < BLOCKS; i++) {
            write();
        }
        ask(1, new Message.CloseVolume(1, sequence));
        run();
        ReplicaState replica = disk.find(REPLICA);
        assertThat(replica).isNotNull();
        assertThat(replica.checkpointed()).isEqualTo(sequence);
        assertSettlesAtNothing(300, this::read);
        assertThat(connection.lastType).isEqualTo(FrameType.READ_OK.code());
    }

    private interface Step {
        void run(long number);
    }

    private void assertSettlesAtNothing(int roundsMax, Step step) {
        long threadId = Thread.currentThread().getId();
        long least = Long.MAX_VALUE;
        long number = 1;
        for (int round = 0; round < roundsMax && least >= ROUND; round++) {
            long before = threads.getThreadAllocatedBytes(threadId);
            for (int i = 0; i < ROUND; i++) {
                step.run(number++);
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(threadId) - before);
        }
        assertThat(least).as("bytes for %d operations", ROUND).isLessThan(ROUND);
    }
}
