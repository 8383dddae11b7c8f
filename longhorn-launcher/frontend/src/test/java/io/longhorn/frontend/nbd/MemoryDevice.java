package io.longhorn.frontend.nbd;

import io.longhorn.CompareResult;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import io.longhorn.frontend.BlockDevice;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.LongConsumer;

/**
 * A device in memory that notes what it is asked. Operations are complete at once, or, while it is {@link #hold held}, when the test says so: each then takes part in memory only at
 * its completion, as a write may whose buffer is lent.
 */
final class MemoryDevice implements BlockDevice {

    private static final int BLOCK = 4096;

    private final String name;
    private final boolean readOnly;
    private volatile byte[] content;
    private final ExtentState[] states;
    private final List<String> asked = new ArrayList<>();
    private final BlockingQueue<Runnable> held = new LinkedBlockingQueue<>();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private volatile boolean holding;

    MemoryDevice(String name, int sizeBytes, boolean readOnly) {
        this.name = name;
        this.readOnly = readOnly;
        this.content = new byte[sizeBytes];
        this.states = new ExtentState[16 << 10];
        Arrays.fill(states, ExtentState.ABSENT);
    }

    static MemoryDevice writable(String name, int sizeBytes) {
        return new MemoryDevice(name, sizeBytes, false);
    }

    /** Operations wait for {@link #letGo} from now on. */
    void hold() {
        holding = true;
    }

    /** Operations that come from now on do not wait; those that do go on waiting. */
    void letLaterPass() {
        holding = false;
    }

    /** Completes the oldest operation that waits, on this thread; waits for one to come. */
    void letGo() throws InterruptedException {
        held.take().run();
    }

    /** No operation waits any more, and none will. */
    void letAllGo() {
        holding = false;
        for (Runnable next = held.poll(); next != null; next = held.poll()) {
            next.run();
        }
    }

    int heldCount() {
        return held.size();
    }

    /** The next operation fails so. */
    void failNext(Throwable failure) {
        failures.add(failure);
    }

    void grow(int sizeBytes) {
        content = Arrays.copyOf(content, sizeBytes);
    }

    /** What was asked so far, without reads. */
    synchronized List<String> asked() {
        return List.copyOf(asked);
    }

    byte at(int offset) {
        return content[offset];
    }

    private synchronized void note(String operation) {
        asked.add(operation);
    }

    private CompletionStage<Void> run(Runnable operation) {
        CompletableFuture<Void> stage = new CompletableFuture<>();
        Throwable failure = failures.poll();
        Runnable end = () -> {
            if (failure != null) {
                stage.completeExceptionally(failure);
                return;
            }
            operation.run();
            stage.complete(null);
        };
        if (holding) {
            held.add(end);
        } else {
            end.run();
        }
        return stage;
    }

    private void mark(long offset, long length, ExtentState state) {
        for (long block = offset / BLOCK; block * BLOCK < offset + length; block++) {
            states[(int) block] = state;
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public UUID id() {
        return new UUID(0, name.hashCode());
    }

    @Override
    public long sizeBytes() {
        return content.length;
    }

    @Override
    public boolean isReadOnly() {
        return readOnly;
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        return run(() -> destination.put(content, (int) offsetBytes, destination.remaining()));
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        note((options.length > 0 ? "forced write " : "write ") + offsetBytes + " " + source.remaining());
        return run(() -> {
            mark(offsetBytes, source.remaining(), ExtentState.DATA);
            source.get(content, (int) offsetBytes, source.remaining());
        });
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        note("flush");
        return run(() -> {});
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        note("discard " + offsetBytes + " " + lengthBytes);
        return run(() -> clear(offsetBytes, lengthBytes));
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        note((options.length > 0 ? "allocating zeroes " : "zeroes ") + offsetBytes + " " + lengthBytes);
        return run(() -> clear(offsetBytes, lengthBytes));
    }

    private void clear(long offset, long length) {
        Arrays.fill(content, (int) offset, (int) (offset + length), (byte) 0);
        mark(offset, length, ExtentState.ZEROED);
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        throw new UnsupportedOperationException("no NBD command asks for it");
    }

    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        List<Extent> extents = new ArrayList<>();
        long end = offsetBytes + lengthBytes;
        for (long at = offsetBytes; at < end; ) {
            ExtentState state = states[(int) (at / BLOCK)];
            long next = at;
            while (next < end && states[(int) (next / BLOCK)] == state) {
                next = Math.min(end, (next / BLOCK + 1) * BLOCK);
            }
            extents.add(new Extent(at, next - at, state));
            at = next;
        }
        return extents;
    }

    @Override
    public EventSubscription onResize(LongConsumer listener) {
        return () -> {};
    }
}
