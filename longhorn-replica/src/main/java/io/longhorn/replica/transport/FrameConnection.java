package io.longhorn.replica.transport;

import io.longhorn.ProtocolException;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What connections have in common whatever carries their bytes: the queue of frames going out, finding frames in what comes in, the way a
 * connection ends, and moving to another loop. Belongs to its loop; only {@link #loop} may be read by others.
 *
 * <p>Moving, in order: no more input is handed over; what is queued for the peer leaves; nothing of the old loop's memory is left; what had come in
 * is copied to memory of its own and goes along; the connection arrives as a task of the new loop and hands that over first.
 */
abstract class FrameConnection implements MovableConnection, NioLoop.Member, NioLoop.Output, FrameInput.Sink {
    private static final Logger LOG = LoggerFactory.getLogger(FrameConnection.class);

    final FrameInput input = new FrameInput(this);
    final OutputQueue output = new OutputQueue();
    private final String peerName;
    private final TransportLimits limits;

    private volatile NioLoop loop;
    private Handler handler = NoHandler.INSTANCE;
    private boolean handlerKnown;
    private @Nullable Function<Connection, Handler> whoHandles;
    private @Nullable StartFailure startFailure;
    private @Nullable Stranger stranger;

    private boolean open = true;
    private String closeCause = "";
    private boolean flushQueued;
    private boolean batchOpen;
    /** Input is being handed over, so memory that the handler may look at must stay. */
    private boolean handing;

    private @Nullable NioLoop moveTarget;
    private @Nullable Handler moveHandler;
    /** Left one loop and not arrived at the next. */
    private boolean underway;

    /** Told about the first signs of life of a connection that nobody knows yet. */
    interface Stranger {
        /** A frame came, and the connection is still open after it. */
        void onKnown();

        /** It ended before. */
        void onGone(String cause);
    }

    /** Told on the loop, once, if a connection ends before anybody was asked to handle it. */
    interface StartFailure {
        void onFailed(String cause);
    }

    /** Something that may hand over input. */
    interface InputStep {
        void run() throws IOException;
    }

    FrameConnection(NioLoop loop, String peerName, TransportLimits limits) {
        this.loop = loop;
        this.peerName = peerName;
        this.limits = limits;
    }

    /** Sends what is queued, as far as it goes, when the turn ends. */
    abstract void flush();

    /** Bytes that left the queue and are not out of this side's hands. */
    abstract int bytesUnderway();

    /** Input may be handed over, or not, from now on; {@link #mayHandOver} says which. */
    abstract void inputChanged();

    /** Leaves the present loop, for another or the same. Nothing is queued or underway. */
    abstract void leave(NioLoop from, boolean otherLoop);

    /** Takes up work on the present loop after {@link #leave}. */
    abstract void arrive(boolean otherLoop) throws IOException;

    /** Whether {@link #arrive} would come too early; it is tried again on the next turn. */
    abstract boolean mustWaitToArrive();

    /** After {@link #arrive}: hands over input that was kept in another form. */
    abstract void handOverKept() throws IOException;

    /** Gives up what carries the bytes; with {@code gently} after one attempt to send what is queued. */
    abstract void endCarrier(boolean gently);

    final NioLoop loop() {
        return loop;
    }

    final TransportLimits limits() {
        return limits;
    }

    /** Says whom to ask for the handler in {@link #start}, and whom to tell if it does not come to that. */
    final void onStart(Function<Connection, Handler> handlerSource, StartFailure failure) {
        whoHandles = handlerSource;
        startFailure = failure;
    }

    /** Asks for the handler; nothing arrives before. */
    final void start() {
        Function<Connection, Handler> source = whoHandles;
        if (source == null) {
            throw new IllegalStateException("nobody can be asked who handles the connection to " + peerName);
        }
        whoHandles = null;
        try {
            startFailure = null;
            Handler first = source.apply(this);
            // Whoever was asked may have moved the connection to its handler already.
            if (!handlerKnown) {
                handlerKnown = true;
                handler = first;
            }
        } catch (RuntimeException | Error e) {
            end("the connection to " + peerName + " got no handler: " + e, false);
            loop.report(e);
        }
    }

    final void watch(Stranger watcher) {
        stranger = watcher;
        input.limitFrames(limits.firstFrameBytesMax());
    }

    @Override
    public final void send(FrameBuffer frame) {
        if (!open) {
            frame.release();
            return;
        }
        output.takeFrame(frame);
        if (queuedBytes() > limits.outputBytesMax()) {
            end(peerName + " does not read: more than " + limits.outputBytesMax() + " bytes are queued for it", false);
        } else if (!flushQueued) {
            flushQueued = true;
            loop.flushLater(this);
        }
    }

    /** Whether {@link #flush} follows at the end of this turn. */
    final boolean isFlushQueued() {
        return flushQueued;
    }

    @Override
    public final int queuedBytes() {
        return output.queuedBytes() + bytesUnderway();
    }

    @Override
    public final void close() {
        end("closed by this side", true);
    }

    @Override
    public final boolean isOpen() {
        return open;
    }

    @Override
    public final FramePool pool() {
        return loop.pool();
    }

    @Override
    public final String peerName() {
        return peerName;
    }

    @Override
    public final void onLoopClosing() {
        end("the loop was closed", true);
    }

    @Override
    public final void flushOutput() {
        flushQueued = false;
        // On the way to another loop it waits for the arrival.
        if (open && !underway) {
            flush();
            finishMoveIfIdle();
        }
    }

    /** Whether frames may go to the handler now, and here: the connection may have left in the step before. */
    final boolean mayHandOver() {
        return loop.inLoop() && open && moveTarget == null && !underway;
    }

    /** Runs {@code step}; a failure in it ends this connection, and nothing else. */
    final void handOver(InputStep step) {
        handing = true;
        try {
            step.run();
        } catch (SSLException e) {
            end("TLS with " + peerName + " failed: " + e.getMessage(), false);
        } catch (IOException e) {
            end("reading from " + peerName + " failed: " + e.getMessage(), false);
        } catch (ProtocolException e) {
            end(peerName + " broke the protocol: " + e.reason(), true);
        } catch (RuntimeException | Error e) {
            end("handling a frame of " + peerName + " failed: " + e, false);
            loop.report(e);
        } finally {
            handing = false;
        }
        if (!open) {
            input.release();
        } else if (moveTarget != null) {
            inputChanged();
            finishMoveIfIdle();
        }
    }

    @Override
    public final FrameInput.Next onWholeFrame(ByteBuffer buffer, int offset, int length) {
        batchOpen = true;
        handler.onFrame(buffer, offset, length);
        if (!open) {
            return FrameInput.Next.STOP;
        }
        Stranger watcher = stranger;
        if (watcher != null) {
            stranger = null;
            input.limitFrames(FrameLayout.FRAME_BYTES_MAX);
            watcher.onKnown();
        }
        return moveTarget == null ? FrameInput.Next.GO_ON : FrameInput.Next.CARRY;
    }

    @Override
    public final void onInputEnd() {
        if (batchOpen) {
            batchOpen = false;
            handler.onBatchEnd();
        }
    }

    @Override
    public final void moveTo(NioLoop target, Handler next) {
        if (!open) {
            tellClosed(target, next, closeCause);
            return;
        }
        if (moveTarget != null || underway) {
            throw new IllegalStateException("the connection to " + peerName + " is moving already");
        }
        moveTarget = target;
        moveHandler = next;
        if (!handing) {
            inputChanged();
            finishMoveIfIdle();
        }
    }

    /** Called whenever something that a move waits for may have ended. */
    final void finishMoveIfIdle() {
        NioLoop target = moveTarget;
        Handler next = moveHandler;
        if (!open || target == null || next == null || handing || flushQueued || queuedBytes() > 0) {
            return;
        }
        NioLoop from = loop;
        boolean otherLoop = target != from;
        input.carryPartial();
        moveTarget = null;
        moveHandler = null;
        underway = true;
        handler = next;
        handlerKnown = true;
        from.remove(this);
        leave(from, otherLoop);
        // From here on others may find this connection on the target loop, so this comes last.
        loop = target;
        try {
            target.execute(() -> arriveNow(otherLoop));
        } catch (RejectedExecutionException e) {
            LOG.warn("the connection to {} is dropped: the loop that it moves to is closed", peerName, e);
            open = false;
            endCarrier(false);
        }
    }

    private void arriveNow(boolean otherLoop) {
        if (!open) {
            return;
        }
        if (mustWaitToArrive()) {
            loop.schedule(0, () -> arriveNow(otherLoop));
            return;
        }
        underway = false;
        loop.add(this);
        handOver(() -> {
            arrive(otherLoop);
            input.handOverCarried(loop.pool());
            if (mayHandOver()) {
                handOverKept();
            }
        });
        if (mayHandOver()) {
            inputChanged();
        }
        if (mayHandOver() && !output.isEmpty()) {
            flush();
        }
    }

    /** Ends the connection for both handler and peer, once; with {@code gently} after one attempt to send what is queued. */
    final void end(String cause, boolean gently) {
        if (!open) {
            return;
        }
        open = false;
        closeCause = cause;
        endCarrier(gently);
        output.releaseAll();
        if (!handing) {
            input.release();
        }
        loop.remove(this);
        Stranger watcher = stranger;
        if (watcher != null) {
            stranger = null;
            watcher.onGone(cause);
        }
        StartFailure failure = startFailure;
        if (failure != null) {
            startFailure = null;
            failure.onFailed(cause);
            return;
        }
        NioLoop target = moveTarget;
        Handler next = moveHandler;
        if (target != null && next != null) {
            tellClosed(target, next, cause);
        } else {
            tellClosed(loop, handler, cause);
        }
    }

    private static void tellClosed(NioLoop loop, Handler handler, String cause) {
        try {
            loop.execute(() -> handler.onClosed(cause));
        } catch (RejectedExecutionException e) {
            LOG.debug("a connection ended after the loop of its handler: {}", cause, e);
        }
    }

    /** Ends the connection unless a frame came by now. Any loop. */
    final void endStranger(String cause) {
        if (!loop.inLoop()) {
            loop.execute(() -> endStranger(cause));
        } else if (stranger != null) {
            end(cause, false);
        }
    }

    /** Stands in until the handler is known. */
    private enum NoHandler implements Handler {
        INSTANCE;

        @Override
        public void onFrame(ByteBuffer buffer, int offset, int length) {
            throw new IllegalStateException("a frame came before the connection had a handler");
        }

        @Override
        public void onBatchEnd() {
            throw new IllegalStateException("a batch ended before the connection had a handler");
        }

        @Override
        public void onClosed(String cause) {
            LOG.debug("a connection ended before it had a handler: {}", cause);
        }
    }
}
