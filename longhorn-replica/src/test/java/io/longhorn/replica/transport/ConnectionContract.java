package io.longhorn.replica.transport;

import static io.longhorn.replica.transport.TestPeer.get;
import static io.longhorn.replica.transport.TestPeer.on;
import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What every kind of connection promises. */
abstract class ConnectionContract {
    static final TransportLimits LIMITS = new TransportLimits(
            Duration.ofSeconds(20), Duration.ofSeconds(20), FrameLayout.FRAME_BYTES_MAX, 16, 64 << 20);

    private final List<NioLoop> loops = new ArrayList<>();
    private final List<AutoCloseable> listeners = new ArrayList<>();
    private final CompletableFuture<Throwable> unexpected = new CompletableFuture<>();

    final NioLoop near = loop("near");
    final NioLoop far = farLoop();

    /** The loop of the accepting side. */
    NioLoop farLoop() {
        return loop("far");
    }

    abstract Connection.Connector connector(TransportLimits limits);

    /** Accepts on {@code loop} and returns the endpoint. */
    abstract String listen(NioLoop loop, TransportLimits limits, Connection.Acceptor acceptor) throws Exception;

    /** An endpoint where nobody listens. */
    abstract String nobody() throws Exception;

    final NioLoop loop(String name) {
        NioLoop loop = new NioLoop("test-" + name, unexpected::complete);
        loops.add(loop);
        return loop;
    }

    final void close(NioLoop loop) {
        loops.remove(loop);
        loop.close();
    }

    final void closeLater(AutoCloseable listener) {
        listeners.add(listener);
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable listener : listeners) {
            listener.close();
        }
        // An idle connection owns no memory, so this need not wait for the end of connections.
        for (NioLoop loop : loops) {
            awaitOn(loop, () -> loop.pool().leased() == 0);
        }
        for (NioLoop loop : loops) {
            loop.close();
        }
        assertThat(unexpected).as("what a task threw").isNotDone();
    }

    private void connect(TestPeer client, TestPeer server) throws Exception {
        connect(client, server.asAcceptor(), LIMITS);
        get(server.connected);
    }

    private void connect(TestPeer client, Connection.Acceptor acceptor, TransportLimits limits) throws Exception {
        connector(limits).connect(near, listen(far, limits, acceptor), client.asResult());
        get(client.connected);
    }

    private static List<Long> upTo(int count) {
        return LongStream.range(0, count).boxed().toList();
    }

    @Test
    void smallFramesArriveWholeAndInOrder() throws Exception {
        int count = 10_000;
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer(count);
        connect(client, server);

        on(near, () -> {
            for (int i = 0; i < count; i++) {
                client.connection().send(TestFrames.smallFrame(near.pool(), i));
            }
        });

        server.awaitFrames();
        assertThat(server.numbers).isEqualTo(upTo(count));
        assertThat(server.damaged).isNotDone();
    }

    @Test
    void largeFramesArriveWholeAndInOrder() throws Exception {
        int count = 200;
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer(count);
        connect(client, server);

        on(near, () -> {
            for (int i = 0; i < count; i++) {
                int blocks = i % 3 == 2 ? 1 : FrameLayout.BLOCKS_MAX - i % 7;
                client.connection().send(TestFrames.frame(near.pool(), i, 8 * (i % 5), blocks));
            }
        });

        server.awaitFrames();
        assertThat(server.numbers).isEqualTo(upTo(count));
        assertThat(server.damaged).isNotDone();
    }

    @Test
    void framesGoBothWaysAtOnce() throws Exception {
        int count = 3000;
        TestPeer client = new TestPeer(count);
        TestPeer server = new TestPeer(count);
        connect(client, server);

        for (int i = 0; i < count; i++) {
            int number = i;
            near.execute(() -> client.connection().send(TestFrames.frame(near.pool(), number, 0, number % 3)));
            far.execute(() -> server.connection().send(TestFrames.frame(far.pool(), number, 0, number % 4)));
        }

        client.awaitFrames();
        server.awaitFrames();
        assertThat(client.numbers).isEqualTo(upTo(count));
        assertThat(server.numbers).isEqualTo(upTo(count));
        assertThat(client.damaged).isNotDone();
        assertThat(server.damaged).isNotDone();
    }

    @Test
    void framesOfOneTurnArriveInFewBatchesBehindOneAnother() throws Exception {
        int count = 64;
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer(count);
        connect(client, server);

        on(near, () -> {
            for (int i = 0; i < count; i++) {
                client.connection().send(TestFrames.frame(near.pool(), i, 0, 1));
            }
        });

        server.awaitFrames();
        on(far, () -> {
            assertThat(server.batchFrames).isZero();
            assertThat(server.batches).isBetween(1, 24);
            assertThat(server.brokenRuns).isLessThanOrEqualTo(server.batches);
        });
    }

    @Test
    void oneFrameMayGoToSeveralPeers() throws Exception {
        TestPeer firstServer = new TestPeer(1);
        TestPeer secondServer = new TestPeer(1);
        TestPeer firstClient = new TestPeer();
        TestPeer secondClient = new TestPeer();
        connect(firstClient, firstServer);
        connect(secondClient, secondServer);

        on(near, () -> {
            FrameBuffer frame = TestFrames.frame(near.pool(), 0, 0, 2);
            firstClient.connection().send(frame.retain());
            secondClient.connection().send(frame);
        });

        firstServer.awaitFrames();
        secondServer.awaitFrames();
        assertThat(firstServer.damaged).isNotDone();
        assertThat(secondServer.damaged).isNotDone();
    }

    @Test
    void oneFrameMayBeSentAgainAndAgain() throws Exception {
        int count = 120;
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer(count);
        connect(client, server);

        on(near, () -> {
            FrameBuffer frame = TestFrames.frame(near.pool(), 7, 0, 48);
            for (int i = 1; i < count; i++) {
                client.connection().send(frame.retain());
            }
            client.connection().send(frame);
        });

        server.awaitFrames();
        assertThat(server.damaged).isNotDone();
        on(far, () -> assertThat(server.numbers).containsOnly(7L).hasSize(count));
    }

    @Test
    void aHandlerMaySendAtOnceFromTheLoopThatItsConnectionMovesTo() throws Exception {
        NioLoop third = loop("third");
        TestPeer client = new TestPeer(2);
        TestPeer second = new TestPeer(1);
        CountDownLatch moving = new CountDownLatch(1);
        TestPeer first = new TestPeer() {
            @Override
            public void onFrame(ByteBuffer buffer, int offset, int length) {
                ((MovableConnection) connection()).moveTo(third, second);
                moving.countDown();
            }
        };
        // The third loop is kept busy until the connection has left the second, and then sends before it arrives.
        third.execute(() -> {
            await(moving);
            on(far, () -> {});
            first.connection().send(TestFrames.smallFrame(third.pool(), 1));
            third.execute(() -> first.connection().send(TestFrames.smallFrame(third.pool(), 2)));
        });
        connect(client, first);
        on(near, () -> client.connection().send(TestFrames.smallFrame(near.pool(), 0)));

        client.awaitFrames();
        second.awaitFrames();
        on(near, () -> assertThat(client.numbers).containsExactly(1L, 2L));
    }

    @Test
    void closingOnTheConnectingSideLetsTheLastFramesThrough() throws Exception {
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer(2);
        connect(client, server);

        on(near, () -> {
            client.connection().send(TestFrames.smallFrame(near.pool(), 0));
            client.connection().send(TestFrames.smallFrame(near.pool(), 1));
            client.connection().close();
            client.connection().close();
            assertThat(client.connection().isOpen()).isFalse();
            assertThat(client.closings).as("told on a later turn").isZero();
            client.connection().send(TestFrames.smallFrame(near.pool(), 2));
        });

        server.awaitFrames();
        assertThat(client.awaitClosed()).contains("this side");
        assertThat(server.awaitClosed()).contains("closed the connection");
        on(near, () -> assertThat(client.closings).isEqualTo(1));
        on(far, () -> {
            assertThat(server.closings).isEqualTo(1);
            assertThat(server.numbers).isEqualTo(upTo(2));
            assertThat(server.connection().isOpen()).isFalse();
        });
    }

    @Test
    void closingOnTheAcceptingSideInTheMiddleOfInputLetsTheLastFrameThrough() throws Exception {
        TestPeer client = new TestPeer(1);
        TestPeer server = new TestPeer() {
            @Override
            public void onFrame(ByteBuffer buffer, int offset, int length) {
                super.onFrame(buffer, offset, length);
                if (numbers.size() == 2) {
                    connection().send(TestFrames.smallFrame(far.pool(), 77));
                    connection().close();
                }
            }
        };
        connect(client, server);

        on(near, () -> {
            for (int i = 0; i < 100; i++) {
                client.connection().send(TestFrames.frame(near.pool(), i, 0, 4));
            }
        });

        client.awaitFrames();
        client.awaitClosed();
        server.awaitClosed();
        on(near, () -> assertThat(client.numbers).containsExactly(77L));
        on(far, () -> assertThat(server.numbers).isEqualTo(upTo(2)));
    }

    @Test
    void aStalledReaderIsSeenByTheSenderAndLosesNothing() throws Exception {
        int count = 400;
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer(count);
        connect(client, server);
        CountDownLatch stall = new CountDownLatch(1);
        far.execute(() -> await(stall));

        on(near, () -> {
            for (int i = 0; i < count; i++) {
                client.connection().send(TestFrames.frame(near.pool(), i, 0, 16));
            }
        });
        on(near, () -> assertThat(client.connection().queuedBytes()).isGreaterThan(4 << 20));
        stall.countDown();

        server.awaitFrames();
        assertThat(server.numbers).isEqualTo(upTo(count));
        awaitOn(near, () -> client.connection().queuedBytes() == 0);
    }

    @Test
    void aPeerThatDoesNotReadLosesTheConnectionAtTheLimit() throws Exception {
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer();
        TransportLimits small = new TransportLimits(
                LIMITS.connect(), LIMITS.firstFrame(), LIMITS.firstFrameBytesMax(), LIMITS.strangersMax(), 8 << 20);
        connect(client, server.asAcceptor(), small);
        CountDownLatch stall = new CountDownLatch(1);
        far.execute(() -> await(stall));

        for (int i = 0; i < 100; i++) {
            on(near, () -> client.connection().send(TestFrames.frame(near.pool(), 0, 0, FrameLayout.BLOCKS_MAX)));
        }

        assertThat(client.awaitClosed()).contains("does not read").contains(String.valueOf(8 << 20));
        stall.countDown();
        server.awaitClosed();
    }

    @Test
    void whatIsNoFrameEndsOnlyItsOwnConnection() throws Exception {
        TestPeer goodClient = new TestPeer();
        TestPeer goodServer = new TestPeer(2);
        TestPeer badClient = new TestPeer();
        TestPeer badServer = new TestPeer(1);
        connect(goodClient, goodServer);
        connect(badClient, badServer);

        on(near, () -> {
            goodClient.connection().send(TestFrames.smallFrame(near.pool(), 0));
            badClient.connection().send(TestFrames.smallFrame(near.pool(), 0));
            FrameBuffer bad = TestFrames.smallFrame(near.pool(), 1);
            bad.bytes().putInt(FrameLayout.MAGIC_OFFSET, 0x12345678);
            badClient.connection().send(bad);
        });

        assertThat(badServer.awaitClosed()).contains("broke the protocol").contains("magic");
        badClient.awaitClosed();
        on(near, () -> goodClient.connection().send(TestFrames.smallFrame(near.pool(), 1)));
        goodServer.awaitFrames();
        on(far, () -> {
            assertThat(badServer.numbers).isEqualTo(upTo(1));
            assertThat(badServer.batches).isEqualTo(1);
            assertThat(goodServer.connection().isOpen()).isTrue();
        });
    }

    @Test
    void aLengthBeyondTheLimitIsRefusedBeforeMemoryIsTaken() throws Exception {
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer();
        connect(client, server);

        on(near, () -> {
            FrameBuffer bad = TestFrames.smallFrame(near.pool(), 1);
            bad.bytes().putInt(FrameLayout.FRAME_LENGTH_OFFSET, 1 << 30);
            client.connection().send(bad);
        });

        assertThat(server.awaitClosed()).contains("broke the protocol").contains(String.valueOf(1 << 30));
        client.awaitClosed();
    }

    @Test
    void connectingToNobodyFailsInWords() throws Exception {
        TestPeer client = new TestPeer();
        String endpoint = nobody();

        connector(LIMITS).connect(near, endpoint, client.asResult());

        assertThat(client.connected)
                .failsWithin(Duration.ofSeconds(TestPeer.LIMIT_SECONDS))
                .withThrowableOfType(Exception.class)
                .havingRootCause()
                .withMessageContaining("cannot connect to " + endpoint);
    }

    @Test
    void aConnectionMovesWithTheFrameInHandAndAllBehindIt() throws Exception {
        int count = 1000;
        NioLoop third = loop("third");
        TestPeer client = new TestPeer(1);
        TestPeer second = new TestPeer(count - 1);
        TestPeer first = new TestPeer() {
            @Override
            public void onFrame(ByteBuffer buffer, int offset, int length) {
                numbers.add(TestFrames.number(buffer, offset));
                if (numbers.size() == 2) {
                    connection().send(TestFrames.smallFrame(far.pool(), 5));
                    ((MovableConnection) connection()).moveTo(third, second);
                }
            }
        };
        connect(client, first);

        on(near, () -> {
            for (int i = 0; i < count; i++) {
                client.connection().send(TestFrames.frame(near.pool(), i, 0, i % 20));
            }
        });

        second.awaitFrames();
        client.awaitFrames();
        on(far, () -> assertThat(first.numbers).isEqualTo(upTo(2)));
        on(third, () -> {
            assertThat(second.numbers).isEqualTo(upTo(count).subList(1, count));
            assertThat(first.connection().pool()).isSameAs(third.pool());
            first.connection().close();
        });
        assertThat(second.damaged).isNotDone();
        second.awaitClosed();
        client.awaitClosed();
        on(far, () -> assertThat(first.closings).isZero());
    }

    @Test
    void aConnectionMayMoveAgainAndAgain() throws Exception {
        int count = 300;
        NioLoop third = loop("third");
        TestPeer client = new TestPeer();
        TestPeer last = new TestPeer(count - 3);
        // To the same loop, to another, and back.
        TestPeer hop3 = new Hop(far, last);
        TestPeer hop2 = new Hop(third, hop3);
        TestPeer hop1 = new Hop(far, hop2);
        CompletableFuture<Connection> accepted = new CompletableFuture<>();
        connect(
                client,
                connection -> {
                    accepted.complete(connection);
                    return hop1;
                },
                LIMITS);
        for (TestPeer hop : List.of(hop1, hop2, hop3)) {
            hop.connected.complete(get(accepted));
        }

        on(near, () -> {
            for (int i = 0; i < count; i++) {
                client.connection().send(TestFrames.frame(near.pool(), i, 0, i % 50));
            }
        });

        last.awaitFrames();
        on(far, () -> assertThat(last.numbers).isEqualTo(upTo(count).subList(3, count)));
        assertThat(last.damaged).isNotDone();
    }

    /** Keeps the first frame and moves with the second. */
    private static final class Hop extends TestPeer {
        private final NioLoop target;
        private final TestPeer next;

        Hop(NioLoop target, TestPeer next) {
            this.target = target;
            this.next = next;
        }

        @Override
        public void onFrame(ByteBuffer buffer, int offset, int length) {
            numbers.add(TestFrames.number(buffer, offset));
            if (numbers.size() == 2) {
                ((MovableConnection) connection()).moveTo(target, next);
            }
        }
    }

    @Test
    void aHandlerThatThrowsLosesOnlyItsConnection() throws Exception {
        NioLoop failing = new NioLoop("test-failing", e -> assertThat(e).hasMessage("planted"));
        try {
            TestPeer server = new TestPeer() {
                @Override
                public void onFrame(ByteBuffer buffer, int offset, int length) {
                    throw new IllegalStateException("planted");
                }
            };
            TestPeer client = new TestPeer();
            connector(LIMITS).connect(near, listen(failing, LIMITS, server.asAcceptor()), client.asResult());
            get(client.connected);

            on(near, () -> client.connection().send(TestFrames.smallFrame(near.pool(), 0)));

            assertThat(server.awaitClosed()).contains("planted");
            client.awaitClosed();
            on(failing, () -> assertThat(failing.inLoop()).isTrue());
        } finally {
            failing.close();
        }
    }

    @Test
    void closingTheLoopEndsItsConnections() throws Exception {
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer();
        connect(client, server);

        close(far);

        assertThat(server.closed).isCompletedWithValue("the loop was closed");
        client.awaitClosed();
    }

    static void await(CountDownLatch latch) {
        try {
            if (!latch.await(TestPeer.LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("did not come in time");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Looks again on each turn of the loop until {@code condition} holds. */
    static void awaitOn(NioLoop loop, java.util.function.BooleanSupplier condition) {
        CompletableFuture<Boolean> met = new CompletableFuture<>();
        loop.execute(new Runnable() {
            @Override
            public void run() {
                if (condition.getAsBoolean()) {
                    met.complete(true);
                } else if (!met.isDone()) {
                    loop.schedule(1_000_000, this);
                }
            }
        });
        get(met);
    }
}
