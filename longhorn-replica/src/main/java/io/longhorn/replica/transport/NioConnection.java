package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Connection;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection over a TCP socket. Frames queued during a turn leave at its end with one gathering write; what arrives is handed over where it
 * was read to. An idle connection owns no buffer. Belongs to its loop.
 *
 * <p>The channel is in non-blocking mode, so interrupting a thread that reads or writes it does nothing to it: only an operation that may block
 * is ended by an interrupt, and closes the channel then (see {@link java.nio.channels.InterruptibleChannel}).
 */
final class NioConnection extends FrameConnection implements LoopSockets.Ready {
    private static final Logger LOG = LoggerFactory.getLogger(NioConnection.class);

    /** Reads of one connection before others have their turn. Together more than a dozen of the largest frames. */
    private static final int READS_PER_TURN = 8;

    /** How long the last frames of a closed connection may take to reach the peer. */
    private static final long LINGER_NANOS = 1_000_000_000L;

    private final SocketChannel channel;
    private final SocketWire wire;
    private final InputStep readStep = this::read;
    private SelectionKey key;
    private boolean lingering;

    private NioConnection(
            NioLoop loop, SocketChannel channel, String peerName, TransportLimits limits, WireMaker wireMaker)
            throws IOException {
        super(loop, peerName, limits);
        this.channel = channel;
        this.wire = wireMaker.make(this);
        this.key = loop.sockets().register(channel, SelectionKey.OP_READ, this);
        loop.add(this);
    }

    private interface WireMaker {
        SocketWire make(NioConnection connection);
    }

    /** Sets what every socket of ours has. */
    static void configure(SocketChannel channel) throws IOException {
        channel.configureBlocking(false);
        // Frames leave in batches that we make ourselves.
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        // The system asks after hours of silence whether the peer's host still exists; an idle connection has no other
        // way to end.
        channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
    }

    /** For a channel that is connected and was given to {@link #configure}. {@link #begin} follows at once. */
    static NioConnection plain(NioLoop loop, SocketChannel channel, String peerName, TransportLimits limits)
            throws IOException {
        return new NioConnection(loop, channel, peerName, limits, c -> new PlainWire(channel, c.input, c.output));
    }

    /** Like {@link #plain} with TLS. */
    static NioConnection encrypted(
            NioLoop loop,
            SocketChannel channel,
            String peerName,
            TransportLimits limits,
            TlsEngines.Handshake handshake)
            throws IOException {
        return new NioConnection(loop, channel, peerName, limits, c -> {
            TlsWire.Events events = new TlsWire.Events() {
                @Override
                public void onEstablished() {
                    c.start();
                }

                @Override
                public void onTaskDone(TlsWire.Step step) {
                    c.resume(step);
                }
            };
            return new TlsWire(channel, c.input, c.output, handshake.engine(), handshake.tasks(), events);
        });
    }

    /**
     * Starts.
     *
     * @param whoHandles asked for the handler when frames can go both ways, which may be within this call
     * @param failed told if the connection ends before that
     */
    void begin(Function<Connection, Handler> whoHandles, StartFailure failed) {
        onStart(whoHandles, failed);
        handOver(() -> {
            if (wire.begin(loop())) {
                start();
            }
        });
        refreshInterest();
    }

    /** From the thread of a task that the wire has started. */
    private void resume(TlsWire.Step step) {
        NioLoop loop = loop();
        try {
            loop.execute(() -> {
                if (isOpen()) {
                    handOver(() -> step.run(loop));
                    refreshInterest();
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("the handshake with {} ended after its loop", peerName(), e);
        }
    }

    @Override
    public void onReady(SelectionKey readyKey) {
        if (lingering) {
            discardInput();
            return;
        }
        if (readyKey.isWritable()) {
            write();
            finishMoveIfIdle();
        }
        if (mayHandOver() && wire.wantsToRead() && readyKey.isReadable()) {
            handOver(readStep);
            refreshInterest();
        }
    }

    @Override
    void flush() {
        if (!waitsForRoom()) {
            write();
        }
    }

    /** The socket is full, and the selector says when it is not. */
    private boolean waitsForRoom() {
        return (key.interestOps() & SelectionKey.OP_WRITE) != 0;
    }

    private void write() {
        try {
            wire.write(loop());
        } catch (IOException e) {
            end("writing to " + peerName() + " failed: " + e.getMessage(), false);
            return;
        } catch (RuntimeException | Error e) {
            end("writing to " + peerName() + " failed: " + e, false);
            throw e;
        }
        inputChanged();
    }

    @Override
    int bytesUnderway() {
        return wire.bytesUnderway();
    }

    @Override
    void inputChanged() {
        int reads = mayHandOver() && wire.wantsToRead() ? SelectionKey.OP_READ : 0;
        // What leaves at the end of the turn need not wait for the selector, unless the socket was full before.
        boolean waits = wire.wantsToWrite() && (!isFlushQueued() || waitsForRoom());
        loop().sockets().interest(key, waits ? reads | SelectionKey.OP_WRITE : reads);
    }

    /** After something that may have changed what the wire wants, if the connection is still here. */
    private void refreshInterest() {
        if (mayHandOver()) {
            inputChanged();
        }
    }

    private void read() throws IOException {
        for (int i = 0; i < READS_PER_TURN && mayHandOver() && wire.wantsToRead(); i++) {
            switch (wire.read(loop())) {
                case ENDED -> {
                    boolean inside = input.isInsideFrame();
                    end(peerName() + " closed the connection" + (inside ? " in the middle of a frame" : ""), false);
                }
                case DRAINED -> {
                    return;
                }
                case MORE -> {
                    // Goes on.
                }
            }
        }
    }

    @Override
    void leave(NioLoop from, boolean otherLoop) {
        wire.leaveLoop();
        if (otherLoop) {
            key.cancel();
            from.sockets().keyGone();
        } else {
            // Nothing may be read before what came earlier was handled.
            from.sockets().interest(key, 0);
        }
    }

    @Override
    boolean mustWaitToArrive() {
        // It was on this loop before, and the selector has not dropped the cancelled key yet.
        return !key.isValid() && loop().sockets().isRegistered(channel);
    }

    @Override
    void arrive(boolean otherLoop) throws IOException {
        if (otherLoop) {
            key = loop().sockets().register(channel, 0, this);
        }
    }

    @Override
    void handOverKept() throws IOException {
        wire.arriveAtLoop(loop());
    }

    @Override
    void endCarrier(boolean gently) {
        boolean allLeft = false;
        if (gently) {
            try {
                wire.write(loop());
                if (!wire.wantsToWrite()) {
                    wire.writeEnd(loop());
                    allLeft = output.isEmpty() && !wire.wantsToWrite();
                }
            } catch (IOException e) {
                LOG.debug("last frames to {} did not leave", peerName(), e);
            }
        }
        wire.release();
        if (allLeft && key.isValid()) {
            linger();
        } else {
            closeChannel();
        }
    }

    /**
     * Closing a socket with unread input resets the connection, and the peer may lose the last frames over it, such as the error
     * that says why. So only the sending half is closed, until the peer has closed its half too.
     */
    private void linger() {
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            LOG.debug("the connection to {} did not end gently", peerName(), e);
            closeChannel();
            return;
        }
        lingering = true;
        loop().sockets().interest(key, SelectionKey.OP_READ);
        loop().schedule(LINGER_NANOS, this::closeChannel);
    }

    private void discardInput() {
        ByteBuffer shared = loop().buffers().receive();
        try {
            shared.clear();
            if (channel.read(shared) < 0) {
                closeChannel();
            }
        } catch (IOException e) {
            LOG.debug("{} ended the connection with an error", peerName(), e);
            closeChannel();
        }
    }

    private void closeChannel() {
        loop().sockets().keyGone();
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("the socket to {} did not close", peerName(), e);
        }
    }
}
