package io.longhorn.app;

import io.longhorn.Volume;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A thread that never stops writing: takes a random block, reads it, compares it with what it wrote there last, writes the
 * next version, and flushes now and then. It remembers the longest time that one call took. What it finds wrong ends it,
 * and is thrown by the methods that ask it.
 */
final class SecondWriter implements AutoCloseable {

    private static final int FLUSH_EVERY = 256;

    private final Volume volume;
    private final long[] versions;
    private final Thread thread;
    private final ByteBuffer block = ByteBuffer.allocateDirect(Volume.BLOCK_BYTES);

    private volatile boolean stopping;
    private volatile @Nullable Throwable failure;
    private final AtomicLong verified = new AtomicLong();
    private final AtomicLong written = new AtomicLong();
    private final AtomicLong longestNanos = new AtomicLong();

    private SecondWriter(Volume volume, long seed) {
        this.volume = volume;
        versions = new long[Math.toIntExact(volume.sizeBytes() / Volume.BLOCK_BYTES)];
        thread = new Thread(() -> run(new SplittableRandom(seed)), "longhorn-second-writer");
        thread.setDaemon(true);
    }

    /**
     * Begins to write.
     *
     * @param volume never written before
     */
    static SecondWriter start(Volume volume, long seed) {
        SecondWriter writer = new SecondWriter(volume, seed);
        writer.thread.start();
        return writer;
    }

    /** How many blocks were read and found right so far. */
    long verified() {
        rethrow();
        return verified.get();
    }

    long written() {
        rethrow();
        return written.get();
    }

    /** The longest time that a single read, write or flush took since the last call of this method. */
    long takeLongestNanos() {
        rethrow();
        return longestNanos.getAndSet(0);
    }

    /** Stops the thread, then reads every block and compares it. */
    void stopAndVerifyAll() throws InterruptedException {
        stopping = true;
        thread.join();
        rethrow();
        for (int number = 0; number < versions.length; number++) {
            verify(number);
        }
    }

    @Override
    public void close() {
        stopping = true;
    }

    private void run(SplittableRandom random) {
        try {
            for (long round = 1; !stopping; round++) {
                int number = random.nextInt(versions.length);
                verify(number);
                long version = versions[number] + 1;
                Stamps.fill(block, number, version);
                timed(() -> volume.write(offset(number), block));
                versions[number] = version;
                written.set(round);
                if (round % FLUSH_EVERY == 0) {
                    timed(volume::flush);
                }
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private void verify(int number) {
        block.clear();
        timed(() -> volume.read(offset(number), block));
        if (!Stamps.matches(block, number, versions[number])) {
            throw new CommandFailure("MISMATCH: block " + number + " of volume " + volume.name()
                    + " is not what was confirmed last (version " + versions[number] + "); it begins with number "
                    + block.getLong(0) + ", version " + block.getLong(Long.BYTES));
        }
        verified.incrementAndGet();
    }

    private void timed(Runnable call) {
        long begin = System.nanoTime();
        call.run();
        longestNanos.accumulateAndGet(System.nanoTime() - begin, Math::max);
    }

    private void rethrow() {
        Throwable found = failure;
        if (found != null) {
            throw new CommandFailure("the second writer ended: " + FailureLine.of(found), found);
        }
    }

    private static long offset(int number) {
        return (long) number * Volume.BLOCK_BYTES;
    }
}
