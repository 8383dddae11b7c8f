package io.longhorn.frontend.scsi;

import io.longhorn.CompareResult;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.OutOfRangeException;
import io.longhorn.Volume;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import io.longhorn.frontend.BlockDevice;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/** A device in memory, whose operations can be made to fail or to wait. */
final class MemoryDevice implements BlockDevice {

    private final List<LongConsumer> listeners = new CopyOnWriteArrayList<>();
    private final Queue<Runnable> held = new ArrayDeque<>();
    private final BitSet present = new BitSet();
    private byte[] content;
    private boolean readOnly;
    private boolean holding;
    private RuntimeException failure;
    private final List<String> operations = new ArrayList<>();
    private Runnable beforeCompare = () -> {};

    MemoryDevice(int sizeBytes) {
        content = new byte[sizeBytes];
    }

    synchronized void failWith(RuntimeException next) {
        failure = next;
    }

    synchronized void makeReadOnly() {
        readOnly = true;
    }

    synchronized void hold() {
        holding = true;
    }

    synchronized void beforeCompare(Runnable action) {
        beforeCompare = action;
    }

    void letGo() {
        List<Runnable> waiting;
        synchronized (this) {
            holding = false;
            waiting = new ArrayList<>(held);
            held.clear();
        }
        waiting.forEach(Runnable::run);
    }

    /** What has been done, in words. */
    synchronized List<String> operations() {
        return List.copyOf(operations);
    }

    synchronized byte[] content(int offset, int length) {
        return Arrays.copyOfRange(content, offset, offset + length);
    }

    void grow(int sizeBytes) {
        synchronized (this) {
            content = Arrays.copyOf(content, sizeBytes);
        }
        listeners.forEach(listener -> listener.accept(sizeBytes));
    }

    int listeners() {
        return listeners.size();
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public UUID id() {
        return UUID.fromString("01234567-89ab-cdef-0123-456789abcdef");
    }

    @Override
    public synchronized long sizeBytes() {
        return content.length;
    }

    @Override
    public synchronized boolean isReadOnly() {
        return readOnly;
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        return done("read", offsetBytes, destination.remaining(), () -> {
            destination.put(content, (int) offsetBytes, destination.remaining());
            return null;
        });
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        return done("write" + Arrays.toString(options), offsetBytes, source.remaining(), () -> {
            present.set((int) (offsetBytes / Volume.BLOCK_BYTES), blockAbove(offsetBytes + source.remaining()));
            source.get(content, (int) offsetBytes, source.remaining());
            return null;
        });
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        return done("flush", 0, 0, () -> null);
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        return done("discard", offsetBytes, lengthBytes, () -> {
            Arrays.fill(content, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0);
            int from = blockAbove(offsetBytes);
            int to = (int) ((offsetBytes + lengthBytes) / Volume.BLOCK_BYTES);
            if (from < to) {
                present.clear(from, to);
            }
            return null;
        });
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        return done("zero" + Arrays.toString(options), offsetBytes, lengthBytes, () -> {
            Arrays.fill(content, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0);
            return null;
        });
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        beforeCompare.run();
        return done("compare", offsetBytes, expected.remaining(), () -> {
            ByteBuffer found = ByteBuffer.wrap(content, (int) offsetBytes, expected.remaining());
            int mismatch = found.mismatch(expected);
            if (mismatch >= 0) {
                return CompareResult.mismatchAt(mismatch);
            }
            replacement.get(content, (int) offsetBytes, replacement.remaining());
            return CompareResult.replaced();
        });
    }

    @Override
    public synchronized List<Extent> allocation(long offsetBytes, long lengthBytes) {
        List<Extent> extents = new ArrayList<>();
        for (long at = offsetBytes; at < offsetBytes + lengthBytes; ) {
            int block = (int) (at / Volume.BLOCK_BYTES);
            long end = Math.min((block + 1L) * Volume.BLOCK_BYTES, offsetBytes + lengthBytes);
            extents.add(new Extent(at, end - at, present.get(block) ? ExtentState.DATA : ExtentState.ABSENT));
            at = end;
        }
        return extents;
    }

    @Override
    public EventSubscription onResize(LongConsumer listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    private static int blockAbove(long offsetBytes) {
        return (int) ((offsetBytes + Volume.BLOCK_BYTES - 1) / Volume.BLOCK_BYTES);
    }

    private synchronized <T> CompletionStage<T> done(String name, long offset, long length, Supplier<T> operation) {
        operations.add(name + " " + offset + " " + length);
        CompletableFuture<T> stage = new CompletableFuture<>();
        Runnable run = () -> {
            T result;
            synchronized (this) {
                if (failure != null) {
                    stage.completeExceptionally(failure);
                    return;
                }
                if (offset < 0 || length < 0 || offset > content.length - length) {
                    stage.completeExceptionally(new OutOfRangeException(offset, length, content.length));
                    return;
                }
                result = operation.get();
            }
            stage.complete(result);
        };
        if (holding) {
            held.add(run);
        } else {
            run.run();
        }
        return stage;
    }
}
