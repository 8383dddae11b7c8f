package io.longhorn.replica.wire;

/**
 * One ordered, reliable stream of frames to a peer. Belongs to one {@link Loop}; every method is for that loop only.
 *
 * <p>Frames arrive whole and in order, or not at all; a connection that lost something is closed instead.
 */
public interface Connection {

    /**
     * Queues a frame and takes over one reference to it; the connection releases it when the bytes have left, or
     * when the connection is closed. The bytes must not change from now on. On a closed connection the frame is released at
     * once and nothing else happens: the handler has been, or will be, told by {@link Handler#onClosed}.
     */
    void send(FrameBuffer frame);

    /** Bytes queued and not yet handed to the network. A sender with bulk data stops while this is large. */
    int queuedBytes();

    /** Closes; {@link Handler#onClosed} follows on a later turn. Repeated calls do nothing. */
    void close();

    boolean isOpen();

    /** Where frames of this connection are made. */
    FramePool pool();

    /** What the peer is, for logs: {@code host:port}, or a name in process. */
    String peerName();

    /** The receiving end. Called on the connection's loop. */
    interface Handler {
        /**
         * One frame: {@code buffer[offset, offset + length)}. Its length was checked against {@link FrameLayout}'s limits;
         * nothing else was. The bytes are borrowed until {@link #onBatchEnd} returns, frames of one batch lie
         * behind one another in one buffer when they arrived so, and the receiver may change bytes inside the frame.
         */
        void onFrame(java.nio.ByteBuffer buffer, int offset, int length);

        /** No further frame is readable now. Work saved up over the batch is done here. */
        void onBatchEnd();

        /** The connection ended, once, whoever closed it. {@code cause} says why in words for logs. */
        void onClosed(String cause);
    }

    /** Opens connections to a peer. */
    interface Connector {
        /**
         * Starts connecting from {@code loop} to {@code endpoint} and calls exactly one method of {@code result} later, on
         * that loop, within the transport's connect time limit.
         */
        void connect(Loop loop, String endpoint, Result result);

        /** Outcome of a connect. */
        interface Result {
            /** Connected. Returns the handler of everything that arrives. */
            Handler onConnected(Connection connection);

            void onFailed(String cause);
        }
    }

    /** Accepts connections from peers. */
    interface Acceptor {
        /** A peer connected. Called on the loop that {@code connection} belongs to. Returns its handler. */
        Handler onAccepted(Connection connection);
    }
}
