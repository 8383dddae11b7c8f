package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Connection;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One end of a connection in a test: records what arrives. Fields belong to the connection's loop until a future says otherwise. */
class TestPeer implements Connection.Handler {
    static final long LIMIT_SECONDS = 30;

    final List<Long> numbers = new ArrayList<>();
    final CompletableFuture<Connection> connected = new CompletableFuture<>();
    final CompletableFuture<String> closed = new CompletableFuture<>();
    final CompletableFuture<String> damaged = new CompletableFuture<>();
    private final CountDownLatch expected;
    int batches;
    int batchFrames;
    int brokenRuns;
    int closings;
    private @Nullable ByteBuffer lastBuffer;
    private int lastEnd;

    TestPeer() {
        this(0);
    }

    TestPeer(int expectedFrames) {
        expected = new CountDownLatch(expectedFrames);
    }

    Connection connection() {
        return get(connected);
    }

    void awaitFrames() {
        try {
            if (!expected.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError(expected.getCount() + " frames are missing; closed: " + closed);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    String awaitClosed() {
        return get(closed);
    }

    static <T> T get(CompletableFuture<T> future) {
        try {
            return future.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("did not come in time", e);
        }
    }

    /** Runs {@code step} on {@code loop} and waits for it. */
    static void on(NioLoop loop, Runnable step) {
        get(CompletableFuture.runAsync(step, loop::execute));
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // The same memory is asked for, not the same contents.
    public void onFrame(ByteBuffer buffer, int offset, int length) {
        if (!TestFrames.isIntact(buffer, offset, length)) {
            damaged.complete("frame at " + offset + " of " + length + " bytes");
        }
        if (batchFrames > 0 && (buffer != lastBuffer || offset != lastEnd)) {
            brokenRuns++;
        }
        lastBuffer = buffer;
        lastEnd = offset + length;
        batchFrames++;
        numbers.add(TestFrames.number(buffer, offset));
        // The receiver may change frames; whoever else has the frame must not notice.
        buffer.putLong(offset + 32, -1);
        expected.countDown();
    }

    @Override
    public void onBatchEnd() {
        batches++;
        batchFrames = 0;
    }

    @Override
    public void onClosed(String cause) {
        closings++;
        closed.complete(cause);
    }

    /** As the outcome of a connect. */
    Connection.Connector.Result asResult() {
        return new Connection.Connector.Result() {
            @Override
            public Connection.Handler onConnected(Connection connection) {
                connected.complete(connection);
                return TestPeer.this;
            }

            @Override
            public void onFailed(String cause) {
                connected.completeExceptionally(new AssertionError(cause));
            }
        };
    }

    /** As the one who accepts. */
    Connection.Acceptor asAcceptor() {
        return connection -> {
            connected.complete(connection);
            return this;
        };
    }
}
