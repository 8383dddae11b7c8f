package io.longhorn.backup;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Which blocks of a backup are in the volume that is being restored, and who waits for one: a block is fetched once, by whoever needs it first. Calls that need a block take effect
 * in their order all the same. Safe for any thread.
 */
final class FirstTouch {

    /** Brings a block into the volume. */
    interface Fetch {
        void fetch(BlockReference block) throws InterruptedException;
    }

    private final List<BlockReference> blocks;
    private final int blockBytes;
    private final Fetch fetch;
    private final Executor threads;
    private final BitSet present = new BitSet();
    private final Map<Integer, CompletableFuture<Void>> running = new HashMap<>();
    /** Calls behind one that waits for a block. */
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();

    private boolean handingOver;
    private volatile boolean over;

    FirstTouch(BackupConfig backup, Fetch fetch, Executor threads) {
        this.blocks = backup.blocks();
        this.blockBytes = backup.blockBytes();
        this.fetch = fetch;
        this.threads = threads;
    }

    /** Whether every block is in the volume and no call waits any more: there is nothing left to do here. */
    boolean isOver() {
        return over;
    }

    synchronized long presentBytes() {
        return present.cardinality() * (long) blockBytes;
    }

    long totalBytes() {
        return blocks.size() * (long) blockBytes;
    }

    /** Index of the first block that ends behind {@code offset}. */
    private int indexFrom(long offset) {
        int low = 0;
        int high = blocks.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (blocks.get(middle).offsetBytes() + blockBytes <= offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Where the first block begins that is not there, in a range; the range's end if all are there. */
    synchronized long firstAbsent(long offset, long end) {
        for (int i = indexFrom(offset); i < blocks.size() && blocks.get(i).offsetBytes() < end; i++) {
            if (!present.get(i)) {
                return Math.max(offset, blocks.get(i).offsetBytes());
            }
        }
        return end;
    }

    /** Where the block that holds {@code offset} ends. */
    long endOfBlock(long offset) {
        return (offset / blockBytes + 1) * blockBytes;
    }

    /** Has everything in a range fetched, and waits for it. */
    void await(long offset, long length) throws InterruptedException {
        for (int i = indexFrom(offset); i < blocks.size() && blocks.get(i).offsetBytes() < offset + length; i++) {
            awaitBlock(i);
        }
    }

    void awaitBlock(int index) throws InterruptedException {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        CompletableFuture<Void> others;
        synchronized (this) {
            if (present.get(index)) {
                return;
            }
            others = running.putIfAbsent(index, mine);
        }
        if (others == null) {
            fetch(index, mine);
        } else {
            join(others);
        }
    }

    private void fetch(int index, CompletableFuture<Void> mine) throws InterruptedException {
        try {
            fetch.fetch(blocks.get(index));
            synchronized (this) {
                present.set(index);
                running.remove(index);
            }
            mine.complete(null);
        } catch (InterruptedException | RuntimeException | Error e) {
            synchronized (this) {
                running.remove(index);
            }
            mine.completeExceptionally(e);
            throw e;
        }
    }

    private static void join(CompletableFuture<Void> others) throws InterruptedException {
        try {
            others.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof InterruptedException) {
                throw new InterruptedException("whoever fetched the block was interrupted");
            }
            throw Failures.unwrapped(e);
        }
    }

    /** The call at once, if nothing is missing and nobody is before it; else behind those, when all of the range is there. */
    <T> CompletionStage<T> inOrder(long offset, long length, Supplier<CompletionStage<T>> call) {
        if (over) {
            return call.get();
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        synchronized (this) {
            if (!handingOver && firstAbsent(offset, offset + length) == offset + length) {
                return call.get();
            }
            waiting.add(() -> handOver(offset, length, call, result));
            if (!handingOver) {
                handingOver = true;
                threads.execute(this::handOverAll);
            }
        }
        return result;
    }

    private <T> void handOver(
            long offset, long length, Supplier<CompletionStage<T>> call, CompletableFuture<T> result) {
        try {
            await(offset, length);
            call.get().whenComplete((value, failure) -> {
                if (failure == null) {
                    result.complete(value);
                } else {
                    result.completeExceptionally(failure);
                }
            });
        } catch (InterruptedException | RuntimeException e) {
            result.completeExceptionally(e);
        }
    }

    private void handOverAll() {
        while (true) {
            Runnable next;
            synchronized (this) {
                next = waiting.poll();
                if (next == null) {
                    handingOver = false;
                    noteEnd();
                    return;
                }
            }
            next.run();
        }
    }

    /** Somebody has fetched the last one. */
    synchronized void noteEnd() {
        over = present.cardinality() == blocks.size() && !handingOver;
    }
}
