package io.longhorn.frontend;

import io.longhorn.CompareResult;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.OutOfRangeException;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.Volume;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * A device in memory, for tests of what serves it: notes what it is asked, and fails when the test wants it to. Operations end at once, or, while it {@link #hold holds} them,
 * when the test says so: each then takes part in memory only at its end, as a write may whose buffer is lent. Any thread.
 */
public final class MemoryDevice implements BlockDevice {

    private static final int BLOCK = Volume.BLOCK_BYTES;

    private final String name;
    private final List<LongConsumer> listeners = new CopyOnWriteArrayList<>();
    private final List<String> asked = new ArrayList<>();
    private final LinkedBlockingDeque<Runnable> held = new LinkedBlockingDeque<>();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final Queue<Runnable> after = new ConcurrentLinkedQueue<>();
    private final BitSet written = new BitSet();
    private byte[] content;
    private volatile boolean readOnly;
    private volatile boolean holding;
    private volatile boolean gathering;
    private volatile RuntimeException failure;
    private volatile Runnable beforeCompare = () -> {};
    private volatile Runnable beforeFlush = () -> {};

    /** A device whose name and id do not matter. */
    public MemoryDevice(int sizeBytes) {
        this("memory", sizeBytes);
    }

    public MemoryDevice(String name, int sizeBytes) {
        this.name = name;
        content = new byte[sizeBytes];
    }

    public static MemoryDevice readOnly(String name, int sizeBytes) {
        MemoryDevice device = new MemoryDevice(name, sizeBytes);
        device.makeReadOnly();
        return device;
    }

    public void makeReadOnly() {
        readOnly = true;
    }

    /** Operations wait for {@link #letGo} from now on. */
    public void hold() {
        holding = true;
    }

    public boolean isHolding() {
        return holding;
    }

    /** Operations that come from now on do not wait; those that do go on waiting. */
    public void letLaterPass() {
        holding = false;
    }

    /** Ends the oldest operation that waits, on this thread; waits for one to come. */
    public void letGo() throws InterruptedException {
        held.takeFirst().run();
    }

    /** The same with the newest one. */
    public void letNewestGo() throws InterruptedException {
        held.takeLast().run();
    }

    /** No operation waits any more, and none will. */
    public void letAllGo() {
        List<Runnable> waiting = new ArrayList<>();
        synchronized (held) {
            holding = false;
            held.drainTo(waiting);
        }
        waiting.forEach(Runnable::run);
    }

    public int heldCount() {
        return held.size();
    }

    /** Waits until so many operations wait. */
    public void awaitHeld(int count) {
        while (held.size() < count) {
            Thread.onSpinWait();
        }
    }

    /** The next operation fails so. */
    public void failNext(Throwable cause) {
        failures.add(cause);
    }

    /** Operations that end from now on fail so; with null, none. */
    public void failWith(RuntimeException cause) {
        failure = cause;
    }

    /** Runs on whoever asks for a compare-and-write, before it is done. */
    public void beforeCompare(Runnable action) {
        beforeCompare = action;
    }

    /** Runs on whoever asks for a flush, before it is done. */
    public void beforeFlush(Runnable action) {
        beforeFlush = action;
    }

    /** What is to be done after completions waits for {@link #completionsEnd} from now on. */
    public void gatherAfterCompletions() {
        gathering = true;
    }

    /** Runs on this thread what was to be done after completions, and returns how much that was. */
    public int completionsEnd() {
        int count = 0;
        for (Runnable task = after.poll(); task != null; task = after.poll()) {
            task.run();
            count++;
        }
        return count;
    }

    public void grow(int sizeBytes) {
        synchronized (this) {
            content = Arrays.copyOf(content, sizeBytes);
        }
        listeners.forEach(listener -> listener.accept(sizeBytes));
    }

    public int listeners() {
        return listeners.size();
    }

    /** What was asked so far, for instance {@code write 4096 512 [FORCED]}: offset, length, and options if there are any. */
    public synchronized List<String> asked() {
        return List.copyOf(asked);
    }

    public synchronized byte at(int offset) {
        return content[offset];
    }

    public synchronized byte[] content(int offset, int length) {
        return Arrays.copyOfRange(content, offset, offset + length);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public UUID id() {
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public synchronized long sizeBytes() {
        return content.length;
    }

    @Override
    public boolean isReadOnly() {
        return readOnly;
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        int length = destination.remaining();
        return run("read " + offsetBytes + " " + length, false, offsetBytes, length, () -> {
            destination.put(content, (int) offsetBytes, length);
            return null;
        });
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        int length = source.remaining();
        return change("write", offsetBytes, length, named(options), () -> {
            source.get(content, (int) offsetBytes, length);
            written.set((int) (offsetBytes / BLOCK), blockAbove(offsetBytes + length));
            return null;
        });
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        beforeFlush.run();
        return run("flush", false, 0, 0, () -> null);
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        return change("discard", offsetBytes, lengthBytes, "", () -> {
            clear(offsetBytes, lengthBytes);
            int from = blockAbove(offsetBytes);
            written.clear(from, Math.max(from, (int) ((offsetBytes + lengthBytes) / BLOCK)));
            return null;
        });
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        return change("zero", offsetBytes, lengthBytes, named(options), () -> {
            clear(offsetBytes, lengthBytes);
            return null;
        });
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        beforeCompare.run();
        return change("compare", offsetBytes, expected.remaining(), named(options), () -> {
            int mismatch = ByteBuffer.wrap(content, (int) offsetBytes, expected.remaining())
                    .mismatch(expected);
            if (mismatch >= 0) {
                return CompareResult.mismatchAt(mismatch);
            }
            replacement.get(content, (int) offsetBytes, replacement.remaining());
            return CompareResult.replaced();
        });
    }

    @Override
    public void afterCompletions(Runnable task) {
        if (gathering) {
            after.add(task);
        } else {
            task.run();
        }
    }

    @Override
    public synchronized List<Extent> allocation(long offsetBytes, long lengthBytes) {
        List<Extent> extents = new ArrayList<>();
        long end = offsetBytes + lengthBytes;
        for (long at = offsetBytes; at < end; ) {
            boolean data = written.get((int) (at / BLOCK));
            long next = at;
            while (next < end && written.get((int) (next / BLOCK)) == data) {
                next = Math.min(end, (next / BLOCK + 1) * BLOCK);
            }
            extents.add(new Extent(at, next - at, data ? ExtentState.DATA : ExtentState.ABSENT));
            at = next;
        }
        return extents;
    }

    @Override
    public EventSubscription onResize(LongConsumer listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    private static String named(Object[] options) {
        return options.length == 0 ? "" : " " + Arrays.toString(options);
    }

    private static int blockAbove(long offset) {
        return (int) ((offset + BLOCK - 1) / BLOCK);
    }

    private void clear(long offset, long length) {
        Arrays.fill(content, (int) offset, (int) (offset + length), (byte) 0);
    }

    private <T> CompletionStage<T> change(
            String operation, long offset, long length, String options, Supplier<T> action) {
        return run(operation + " " + offset + " " + length + options, true, offset, length, action);
    }

    private <T> CompletionStage<T> run(String what, boolean isChange, long offset, long length, Supplier<T> action) {
        synchronized (this) {
            asked.add(what);
        }
        Throwable nextFailure = failures.poll();
        CompletableFuture<T> stage = new CompletableFuture<>();
        Runnable end = () -> {
            Throwable cause = nextFailure != null ? nextFailure : failure;
            if (cause == null && isChange && readOnly) {
                cause = new ReadOnlyVolumeException(name, what);
            }
            if (cause != null) {
                stage.completeExceptionally(cause);
                return;
            }
            T result;
            synchronized (this) {
                if (offset < 0 || length < 0 || offset > content.length - length) {
                    stage.completeExceptionally(new OutOfRangeException(offset, length, content.length));
                    return;
                }
                result = action.get();
            }
            stage.complete(result);
        };
        synchronized (held) {
            if (holding) {
                held.add(end);
                return stage;
            }
        }
        end.run();
        return stage;
    }
}
