package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongConsumer;

/** A connection whose far end sends back the header of every frame. Answers are told by number on the near loop. */
final class EchoPair implements Closeable {
    final NioLoop near;
    final NioLoop far;
    final Connection connection;
    final ConcurrentLinkedQueue<String> troubles = new ConcurrentLinkedQueue<>();
    private final Closeable listener;

    /** Belongs to the near loop. */
    LongConsumer onAnswer = number -> troubles.add("an answer nobody waits for: " + number);

    interface Opener {
        Closeable open(NioLoop near, NioLoop far, TestPeer client, Connection.Acceptor acceptor) throws Exception;
    }

    EchoPair(NioLoop near, NioLoop far, Opener opener) throws Exception {
        this.near = near;
        this.far = far;
        TestPeer client = new TestPeer() {
            @Override
            public void onFrame(ByteBuffer buffer, int offset, int length) {
                if (!near.inLoop()) {
                    troubles.add("a frame came to " + Thread.currentThread());
                }
                onAnswer.accept(TestFrames.number(buffer, offset));
            }

            @Override
            public void onClosed(String cause) {
                super.onClosed(cause);
                troubles.add("client closed: " + cause);
            }
        };
        listener = opener.open(near, far, client, Echo::new);
        connection = client.connection();
    }

    static Closeable overTcp(NioLoop near, NioLoop far, TestPeer client, Connection.Acceptor acceptor)
            throws Exception {
        NioTransport transport = new NioTransport(ConnectionContract.LIMITS);
        Listener listener = transport.listen(
                far, new java.net.InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), 0), acceptor);
        transport.connect(near, "127.0.0.1:" + listener.localAddress().getPort(), client.asResult());
        return listener::close;
    }

    static Closeable inProcess(NioLoop near, NioLoop far, TestPeer client, Connection.Acceptor acceptor) {
        InProcessTransport transport = new InProcessTransport(ConnectionContract.LIMITS);
        InProcessTransport.Registration listener = transport.listen(far, "echo", acceptor);
        transport.connect(near, "echo", client.asResult());
        return listener::close;
    }

    /** Sends a frame with a payload of {@code blocks} blocks. Near loop only. */
    void send(long number, int blocks) {
        int payload = blocks * FrameLayout.BLOCK_BYTES;
        FrameBuffer frame = near.pool().acquire(FrameLayout.HEADER_BYTES + payload);
        FrameLayout.encode(
                frame.bytes(),
                0,
                io.longhorn.replica.wire.FrameType.WRITE,
                0,
                FrameLayout.HEADER_BYTES + payload,
                payload,
                1,
                number);
        connection.send(frame.length(FrameLayout.HEADER_BYTES + payload));
    }

    @Override
    public void close() throws IOException {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        near.execute(() -> closed.complete(null));
        TestPeer.get(closed);
        listener.close();
        near.close();
        far.close();
    }

    private static final class Echo implements Connection.Handler {
        private final Connection connection;

        Echo(Connection connection) {
            this.connection = connection;
        }

        @Override
        public void onFrame(ByteBuffer buffer, int offset, int length) {
            FrameBuffer frame = connection.pool().acquire(FrameLayout.HEADER_BYTES);
            FrameLayout.encode(
                    frame.bytes(),
                    0,
                    io.longhorn.replica.wire.FrameType.WRITE,
                    0,
                    FrameLayout.HEADER_BYTES,
                    0,
                    1,
                    TestFrames.number(buffer, offset));
            connection.send(frame.length(FrameLayout.HEADER_BYTES));
        }

        @Override
        public void onBatchEnd() {}

        @Override
        public void onClosed(String cause) {}
    }
}
