package io.longhorn.app.bench;

import io.longhorn.Volume;
import io.longhorn.app.CommandFailure;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Random 4 KiB writes all over a volume, some of them always in flight until it is closed, beside which something else
 * happens. Used by one thread; completions come on the one that runs the volume's loop.
 */
final class RunningWrites implements AutoCloseable {

    /** For all that is in flight, and for one of them. */
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Volume volume;
    private final SplittableRandom random = new SplittableRandom(1);
    private final List<BackToBack> slots = new ArrayList<>();
    private volatile boolean stopped;

    private long beginNanos = System.nanoTime();
    private long lastNanos = beginNanos;
    private long longestPauseNanos;
    private long completed;
    private final BitSet blocks = new BitSet();

    /**
     * What happened from the end of the stretch before to its own.
     *
     * @param nanos how long it was
     * @param completed how many writes
     * @param longestPauseNanos the longest time without a completion, one that still lasts included
     * @param blocks how many blocks were written, each counted once
     */
    record Stretch(long nanos, long completed, long longestPauseNanos, int blocks) {

        double perSecond() {
            return completed * 1e9 / nanos;
        }
    }

    private RunningWrites(Volume volume) {
        this.volume = volume;
    }

    static RunningWrites start(Volume volume, int depth) {
        RunningWrites writes = new RunningWrites(volume);
        byte[] content = new byte[Volume.BLOCK_BYTES];
        writes.random.nextBytes(content);
        for (int slot = 0; slot < depth; slot++) {
            ByteBuffer buffer =
                    ByteBuffer.allocateDirect(content.length).put(content).flip();
            writes.slots.add(new BackToBack(() -> !writes.stopped, () -> writes.write(buffer), writes::noteCompleted));
        }
        for (BackToBack slot : writes.slots) {
            CompletableFuture<Void> unused = slot.ended().whenComplete((nothing, failure) -> writes.wakeUp());
            slot.start();
        }
        return writes;
    }

    /** Ends a stretch and begins the next one. */
    synchronized Stretch takeStretch() {
        long now = System.nanoTime();
        Stretch stretch = new Stretch(
                now - beginNanos, completed, Math.max(longestPauseNanos, now - lastNanos), blocks.cardinality());
        beginNanos = now;
        lastNanos = now;
        longestPauseNanos = 0;
        completed = 0;
        blocks.clear();
        return stretch;
    }

    /**
     * Ends a stretch with the next write that completes, and begins the next one: no pause is cut short, and at least one
     * write is in it.
     */
    synchronized Stretch takeStretchToNextCompletion() throws InterruptedException {
        long before = completed;
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (completed == before) {
            if (slots.stream().allMatch(slot -> slot.ended().isDone())) {
                // Says what the writes failed with.
                close();
                throw new IllegalStateException("nothing is written any more");
            }
            long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (leftMillis <= 0) {
                throw new CommandFailure(
                        "no write to volume " + volume.name() + " completed within " + LIMIT.toSeconds() + " s");
            }
            wait(leftMillis);
        }
        return takeStretch();
    }

    /** How long the stretch has lasted. */
    synchronized long stretchMillis() {
        return (System.nanoTime() - beginNanos) / 1_000_000;
    }

    /** Waits until nothing is in flight any more. */
    @Override
    public void close() {
        stopped = true;
        for (BackToBack slot : slots) {
            try {
                slot.ended().get(LIMIT.toNanos(), TimeUnit.NANOSECONDS);
            } catch (ExecutionException e) {
                throw new CommandFailure("a write to volume " + volume.name() + " failed: " + e.getCause(), e);
            } catch (TimeoutException e) {
                throw new CommandFailure("a write to volume " + volume.name() + " never completed", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CommandFailure("interrupted", e);
            }
        }
    }

    private CompletionStage<Void> write(ByteBuffer buffer) {
        return volume.writeAsync(nextBlock() * Volume.BLOCK_BYTES, buffer.clear());
    }

    private synchronized void wakeUp() {
        notifyAll();
    }

    private synchronized long nextBlock() {
        int block = (int) random.nextLong(volume.sizeBytes() / Volume.BLOCK_BYTES);
        blocks.set(block);
        return block;
    }

    private synchronized void noteCompleted() {
        long now = System.nanoTime();
        longestPauseNanos = Math.max(longestPauseNanos, now - lastNanos);
        lastNanos = now;
        completed++;
        wakeUp();
    }
}
