package io.longhorn.engine;

import io.longhorn.LonghornException;
import io.longhorn.TimeLimitException;
import io.longhorn.VolumeClosedException;
import io.longhorn.replica.transport.NioLoop;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A call that a thread waits for. If nobody runs the engine's loop at the moment, the caller does, from asking to the answer: no other thread is woken on the way there
 * and back, which costs more than the operation itself. An interrupt does not cut the call short and is there again afterwards.
 */
final class BlockingCall implements Completion, BooleanSupplier {
    private final NioLoop loop;
    private final Thread caller = Thread.currentThread();
    private @Nullable RuntimeException failure;
    private volatile boolean done;

    private BlockingCall(NioLoop loop) {
        this.loop = loop;
    }

    /**
     * Has {@code work} begin on the loop and returns when its completion was told success.
     *
     * @throws LonghornException the failure that the completion was told
     * @throws TimeLimitException if it is told nothing in time; what was asked for may still happen
     * @throws IllegalStateException if called on the loop, which would wait for itself
     */
    static void run(NioLoop loop, String volume, String operation, Duration limit, Consumer<Completion> work) {
        if (loop.inLoop()) {
            throw Calls.blocksItself(operation);
        }
        BlockingCall call = new BlockingCall(loop);
        long deadline = loop.nanoTime() + limit.toNanos();
        if (loop.tryEnter()) {
            try {
                call.begin(work);
            } catch (Error e) {
                loop.exit();
                throw e;
            }
        } else {
            try {
                loop.execute(() -> call.begin(work));
            } catch (RejectedExecutionException e) {
                throw closed(volume, e);
            }
        }
        loop.awaitLeading(call, deadline);
        if (!call.done) {
            throw deadline - loop.nanoTime() > 0
                    ? closed(volume, null)
                    : new TimeLimitException("volume " + volume, operation, limit);
        }
        RuntimeException failed = call.failure;
        if (failed != null) {
            throw failed;
        }
    }

    private static VolumeClosedException closed(String volume, @Nullable Throwable cause) {
        VolumeClosedException closed = new VolumeClosedException(volume);
        if (cause != null) {
            closed.addSuppressed(cause);
        }
        return closed;
    }

    private void begin(Consumer<Completion> work) {
        try {
            work.accept(this);
        } catch (RuntimeException e) {
            end(e);
        }
    }

    @Override
    public void done(@Nullable LonghornException cause) {
        end(cause);
    }

    private void end(@Nullable RuntimeException cause) {
        failure = cause;
        done = true;
        loop.unblock(caller);
    }

    @Override
    public boolean getAsBoolean() {
        return done;
    }
}
