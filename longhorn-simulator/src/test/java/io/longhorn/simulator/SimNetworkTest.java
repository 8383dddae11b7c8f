package io.longhorn.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.SequenceLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SimNetworkTest {
    private static final long SECOND = 1_000_000_000L;

    private final SimScheduler scheduler = new SimScheduler(3, new SimTrace(64));
    private final SimMemory memory = new SimMemory();
    private final SimNetwork network = new SimNetwork(scheduler, memory);
    private final SimHost near = new SimHost(scheduler, "near");
    private final SimHost far = new SimHost(scheduler, "far");
    private final SimProcess client = near.start("client");
    private final SimProcess server = far.start("server");
    private final SimLoop clientLoop = client.newLoop("client");
    private final SimLoop serverLoop = server.newLoop("server");
    private final Recorder atServer = new Recorder();
    private final Recorder atClient = new Recorder();
    private final List<Connection> accepted = new ArrayList<>();
    private final List<Connection> connected = new ArrayList<>();
    private final List<String> failed = new ArrayList<>();

    private static final class Recorder implements Connection.Handler {
        private final List<Long> numbers = new ArrayList<>();
        private final List<Integer> batches = new ArrayList<>();
        private final List<String> closed = new ArrayList<>();
        private int batch;
        private int damaged;

        @Override
        public void onFrame(ByteBuffer buffer, int offset, int length) {
            assertThat(FrameLayout.frameLength(buffer, offset)).isEqualTo(length);
            if (FrameLayout.headerCrcMatches(buffer, offset)) {
                numbers.add(FrameLayout.number(buffer, offset));
            } else {
                damaged++;
            }
            // A receiver may change what it was handed.
            buffer.putInt(offset + FrameLayout.SLOT_OFFSET, 7);
            batch++;
        }

        @Override
        public void onBatchEnd() {
            batches.add(batch);
            batch = 0;
        }

        @Override
        public void onClosed(String cause) {
            closed.add(cause);
        }
    }

    @BeforeEach
    void listen() {
        network.listen(serverLoop, "far:1", connection -> {
            assertThat(serverLoop.inLoop()).isTrue();
            accepted.add(connection);
            return atServer;
        });
    }

    private void connect() {
        clientLoop.execute(() -> network.connector(client)
                .connect(clientLoop, "far:1", new Connection.Connector.Result() {
                    @Override
                    public Connection.Handler onConnected(Connection connection) {
                        connected.add(connection);
                        return atClient;
                    }

                    @Override
                    public void onFailed(String cause) {
                        failed.add(cause);
                    }
                }));
        scheduler.runUntil(scheduler.now() + 5 * SECOND);
    }

    private void send(long from, long to) {
        Connection connection = connected.get(connected.size() - 1);
        clientLoop.execute(() -> {
            for (long n = from; n < to; n++) {
                FrameBuffer frame = connection.pool().acquire(256);
                SequenceLayout.encode(frame, io.longhorn.replica.wire.FrameType.FLUSH, 1, n);
                connection.send(frame);
            }
        });
    }

    private void pass(long nanos) {
        scheduler.runUntil(scheduler.now() + nanos);
    }

    @Test
    void framesArriveInOrderAndSeveralInOneBatch() {
        connect();
        for (int i = 0; i < 20; i++) {
            send(i * 10L, i * 10L + 10);
            pass(100_000);
        }
        pass(SECOND);
        assertThat(atServer.numbers).hasSize(200).isSorted();
        assertThat(atServer.batches).anyMatch(n -> n > 5);
        assertThat(memory.pool().leased()).isZero();
        assertThat(connected.get(0).queuedBytes()).isZero();
    }

    @Test
    void connectToNobodyFailsOnce() {
        server.kill();
        connect();
        assertThat(failed).hasSize(1);
        assertThat(connected).isEmpty();
    }

    @Test
    void closedConnectionTellsBothEndsOnce() {
        connect();
        send(0, 3);
        clientLoop.execute(() -> connected.get(0).close());
        pass(SECOND);
        assertThat(atClient.closed).hasSize(1);
        assertThat(atServer.closed).hasSize(1);
        assertThat(memory.pool().leased()).isZero();
        send(5, 6);
        pass(SECOND);
        assertThat(memory.pool().leased()).isZero();
        assertThat(network.connectionEnds()).isZero();
    }

    @Test
    void deathOfAProcessClosesThePeersEndAndReturnsFrames() {
        connect();
        send(0, 50);
        pass(10_000);
        client.kill();
        pass(SECOND);
        assertThat(atServer.closed).hasSize(1);
        assertThat(atClient.closed).isEmpty();
        assertThat(memory.pool().leased()).isZero();
    }

    @Test
    void blockedPathHoldsFramesUntilItOpens() {
        connect();
        network.block(near, far);
        send(0, 5);
        pass(10 * SECOND);
        assertThat(atServer.numbers).isEmpty();
        assertThat(connected.get(0).queuedBytes()).isPositive();
        network.unblockAll();
        pass(SECOND);
        assertThat(atServer.numbers).containsExactly(0L, 1L, 2L, 3L, 4L);
    }

    @Test
    void silentCutTellsNobodyAndDeliversNothing() {
        connect();
        ((SimConnection) connected.get(0)).cut(true);
        send(0, 5);
        pass(10 * SECOND);
        assertThat(atServer.numbers).isEmpty();
        assertThat(atServer.closed).isEmpty();
        assertThat(atClient.closed).isEmpty();
        clientLoop.execute(() -> connected.get(0).close());
        pass(SECOND);
        assertThat(memory.pool().leased()).isZero();
    }

    @Test
    void pausedReceiverLeavesFramesWithTheSender() {
        connect();
        server.pause(10 * SECOND);
        for (int i = 0; i < 100; i++) {
            send(i * 100L, i * 100L + 100);
        }
        pass(5 * SECOND);
        assertThat(connected.get(0).queuedBytes()).isPositive();
        pass(10 * SECOND);
        assertThat(atServer.numbers).hasSize(10_000).isSorted();
        assertThat(connected.get(0).queuedBytes()).isZero();
    }

    @Test
    void flippedBitsAreVisibleToTheReceiver() {
        connect();
        network.flipsPerMillion(200_000);
        for (int i = 0; i < 100 && connected.get(0).isOpen(); i++) {
            send(i, i + 1);
            pass(100_000_000);
        }
        // A bit in a length ends the connection or swallows what follows; anywhere else the CRC tells.
        assertThat(network.flipped()).isPositive();
        assertThat(atServer.damaged + atServer.closed.size()).isPositive();
        assertThat(atServer.numbers).allMatch(n -> n < 100).isSorted();
    }

    @Test
    void frameChangedAfterItWasSentArrivesChanged() {
        connect();
        clientLoop.execute(() -> {
            Connection connection = connected.get(0);
            FrameBuffer frame = connection.pool().acquire(256);
            SequenceLayout.encode(frame, io.longhorn.replica.wire.FrameType.FLUSH, 1, 42);
            connection.send(frame);
            frame.bytes().putLong(FrameLayout.NUMBER_OFFSET, 43);
        });
        pass(SECOND);
        assertThat(atServer.damaged).isEqualTo(1);
    }
}
