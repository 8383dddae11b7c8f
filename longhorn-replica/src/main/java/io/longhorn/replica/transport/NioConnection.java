package io.longhorn.replica.transport;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection over a TCP socket. Frames queued during a turn leave at its end with one gathering write; what arrives is handed over where it
 * was read to. An idle connection owns no buffer. Belongs to its loop.
 *
 * <p>The channel is in non-blocking mode, so interrupting a thread that reads or writes it does nothing to it: only an operation that may block
 * is ended by an interrupt, and closes the channel then (see {@link java.nio.channels.InterruptibleChannel}).
 */
final class NioConnection extends FrameConnection implements NioLoop.Ready {
    private static final Logger LOG = LoggerFactory.getLogger(NioConnection.class);

    /** Reads of one connection before others have their turn. Together more than a dozen of the largest frames. */
    private static final int READS_PER_TURN = 8;

    /** How long the last frames of a closed connection may take to reach the peer. */
    private static final long LINGER_NANOS = 1_000_000_000L;

    private final SocketChannel channel;
    private final InputStep readStep = this::read;
    private SelectionKey key;
    private boolean lingering;

    /** For a channel that is connected and in non-blocking mode. {@link #start} follows at once. */
    NioConnection(NioLoop loop, SocketChannel channel, String peerName, TransportLimits limits) throws IOException {
        super(loop, peerName, limits);
        this.channel = channel;
        this.key = loop.register(channel, SelectionKey.OP_READ, this);
        loop.add(this);
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
        if (mayHandOver() && readyKey.isReadable()) {
            handOver(readStep);
        }
    }

    @Override
    void flush() {
        // With interest in writing the socket is full, and the selector says when it is not.
        if ((key.interestOps() & SelectionKey.OP_WRITE) == 0) {
            write();
        }
    }

    @Override
    int bytesUnderway() {
        return 0;
    }

    private void write() {
        try {
            output.writeTo(channel);
        } catch (IOException e) {
            end("writing to " + peerName() + " failed: " + e.getMessage(), false);
            return;
        }
        inputChanged();
    }

    @Override
    void inputChanged() {
        int reads = mayHandOver() ? SelectionKey.OP_READ : 0;
        loop().interest(key, output.isEmpty() ? reads : reads | SelectionKey.OP_WRITE);
    }

    private void read() throws IOException {
        ByteBuffer shared = loop().receiveBuffer();
        for (int i = 0; i < READS_PER_TURN && mayHandOver(); i++) {
            int read = input.readFrom(channel, shared, loop().pool());
            if (read < 0) {
                end(
                        peerName() + " closed the connection"
                                + (input.isInsideFrame() ? " in the middle of a frame" : ""),
                        false);
            }
            if (shared.hasRemaining()) {
                // The socket had less than there was room for, so asking again would only cost a system call.
                return;
            }
        }
    }

    @Override
    void leave(NioLoop from, boolean otherLoop) {
        if (otherLoop) {
            key.cancel();
            from.keyGone();
        } else {
            // Nothing may be read before what came earlier was handled.
            from.interest(key, 0);
        }
    }

    @Override
    void arrive(boolean otherLoop) throws IOException {
        if (otherLoop) {
            key = loop().register(channel, 0, this);
        }
    }

    @Override
    boolean mustWaitToArrive() {
        // It was on this loop before, and the selector has not dropped the cancelled key yet.
        return !key.isValid() && loop().isRegistered(channel);
    }

    @Override
    void endCarrier(boolean gently) {
        boolean allLeft = false;
        if (gently) {
            try {
                allLeft = output.writeTo(channel);
            } catch (IOException e) {
                LOG.debug("last frames to {} did not leave", peerName(), e);
            }
        }
        if (allLeft) {
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
        loop().interest(key, SelectionKey.OP_READ);
        loop().schedule(LINGER_NANOS, this::closeChannel);
    }

    private void discardInput() {
        ByteBuffer shared = loop().receiveBuffer();
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
        loop().keyGone();
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("the socket to {} did not close", peerName(), e);
        }
    }
}
