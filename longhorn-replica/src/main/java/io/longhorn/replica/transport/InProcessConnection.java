package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One end of a connection inside the process. At the end of a turn the frames queued for the peer are copied behind one another into a buffer of the
 * sender's pool, and a {@link Delivery} brings it to the peer's loop and back. Belongs to its loop; deliveries are numbered, because those on
 * their way while the receiver changes loops may overtake one another.
 */
final class InProcessConnection extends FrameConnection {
    private static final Logger LOG = LoggerFactory.getLogger(InProcessConnection.class);

    /** Frames that arrive as one batch; as much as one read from a socket takes. */
    private static final int BATCH_BYTES_MAX = 512 << 10;
    /** Deliveries kept for the next frames. */
    private static final int KEPT_DELIVERIES = 16;

    private @Nullable InProcessConnection peer;
    private final ArrayDeque<Delivery> free = new ArrayDeque<>();
    private final InputStep receiveStep = this::handOverReceived;
    /** What is being handed over. */
    private @Nullable FrameBuffer received;

    private int bytesUnderway;
    private long lastSent;
    private long lastReceived;
    /** Deliveries that came too early. */
    private final List<Delivery> early = new ArrayList<>();

    InProcessConnection(NioLoop loop, String peerName, TransportLimits limits) {
        super(loop, peerName, limits);
    }

    /** Makes two ends one connection. Before anything else, on any thread. */
    void join(InProcessConnection other) {
        peer = other;
        other.peer = this;
    }

    private InProcessConnection peer() {
        InProcessConnection other = peer;
        if (other == null) {
            throw new IllegalStateException("a connection inside the process has only one end");
        }
        return other;
    }

    void open(Function<Connection, Handler> whoHandles) {
        loop().add(this);
        onStart(whoHandles, cause -> LOG.debug("a connection ended before it began: {}", cause));
        start();
    }

    @Override
    void flush() {
        boolean taken = true;
        while (taken && !output.isEmpty()) {
            int bytes = output.wholeFramesWithin(BATCH_BYTES_MAX);
            FrameBuffer batch = loop().pool().acquire(bytes);
            output.copyTo(batch.bytes().limit(bytes));
            batch.bytes().clear();
            batch.length(bytes);
            bytesUnderway += bytes;
            Delivery delivery = free.pollLast();
            taken = deliver(delivery == null ? new Delivery() : delivery, batch);
        }
        if (!taken) {
            end(peerName() + " is gone: its loop is closed", false);
        }
    }

    /** Returns false if there is nobody any more to deliver to. */
    private boolean deliver(Delivery delivery, @Nullable FrameBuffer batch) {
        delivery.batch = batch;
        delivery.number = ++lastSent;
        try {
            peer().loop().execute(delivery);
            return true;
        } catch (RejectedExecutionException e) {
            LOG.debug("{} is gone", peerName(), e);
            delivery.takeBack();
            return false;
        }
    }

    @Override
    int bytesUnderway() {
        return bytesUnderway;
    }

    @Override
    void inputChanged() {
        // After each step the connection may be gone to another loop, and the list with it.
        while (mayHandOver() && !early.isEmpty()) {
            Delivery next = null;
            for (Iterator<Delivery> it = early.iterator(); next == null && it.hasNext(); ) {
                Delivery candidate = it.next();
                if (candidate.number == lastReceived + 1) {
                    it.remove();
                    next = candidate;
                }
            }
            if (next == null) {
                return;
            }
            receive(next);
        }
    }

    private void receive(Delivery delivery) {
        if (isOpen() && (!mayHandOver() || delivery.number != lastReceived + 1)) {
            early.add(delivery);
            return;
        }
        lastReceived++;
        FrameBuffer batch = delivery.batch;
        if (batch == null) {
            end(peerName() + " closed the connection", false);
        } else {
            if (isOpen()) {
                received = batch;
                // The connection may be gone to another loop after this.
                handOver(receiveStep);
            }
            delivery.goHome();
        }
    }

    private void handOverReceived() {
        FrameBuffer batch = received;
        received = null;
        if (batch != null) {
            input.accept(batch.bytes(), 0, batch.length(), loop().pool());
        }
    }

    @Override
    void leave(NioLoop from, boolean otherLoop) {
        free.clear();
    }

    @Override
    void arrive(boolean otherLoop) {
        LOG.trace("the connection to {} arrived at {}", peerName(), loop().name());
    }

    @Override
    boolean mustWaitToArrive() {
        return false;
    }

    @Override
    void handOverKept() {
        // What came meanwhile is in the list of those that came too early.
    }

    @Override
    void endCarrier(boolean gently) {
        if (gently) {
            flush();
        }
        for (Delivery delivery : early) {
            delivery.goHome();
        }
        early.clear();
        if (!deliver(new Delivery(), null)) {
            LOG.debug("{} was gone already", peerName());
        }
    }

    /** Brings one batch of frames, or none for the connection's end, from this end to its peer, and its memory back. */
    private final class Delivery implements Runnable {
        private @Nullable FrameBuffer batch;
        private long number;
        private boolean goingHome;

        @Override
        public void run() {
            if (goingHome) {
                takeBack();
                return;
            }
            InProcessConnection receiver = peer();
            NioLoop place = receiver.loop();
            if (place.inLoop()) {
                receiver.receive(this);
                // Others may have been waiting for this one.
                receiver.inputChanged();
            } else {
                // The receiver has moved on.
                hand(place);
            }
        }

        /** On the receiver's loop, when the batch was handled. */
        void goHome() {
            goingHome = true;
            if (loop().inLoop()) {
                takeBack();
            } else {
                hand(loop());
            }
        }

        private void hand(NioLoop place) {
            try {
                place.execute(this);
            } catch (RejectedExecutionException e) {
                // Both ends hear of a loop's end when it closes its connections; this memory is left to the garbage
                // collector.
                LOG.debug("a batch of frames came after the end of {}", place.name(), e);
            }
        }

        /** On the sender's loop. */
        void takeBack() {
            FrameBuffer returned = batch;
            batch = null;
            goingHome = false;
            if (returned != null) {
                bytesUnderway -= returned.length();
                returned.release();
                if (free.size() < KEPT_DELIVERIES) {
                    free.addLast(this);
                }
                finishMoveIfIdle();
            }
        }
    }
}
