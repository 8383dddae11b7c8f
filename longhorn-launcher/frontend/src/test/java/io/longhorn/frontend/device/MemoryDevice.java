package io.longhorn.frontend.device;

import io.longhorn.CompareResult;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import io.longhorn.frontend.BlockDevice;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;

/** A device in memory that notes what it was asked, and answers at once or when it is told to. */
final class MemoryDevice implements BlockDevice {

    final List<String> asked = new ArrayList<>();
    final List<Runnable> held = new ArrayList<>();
    final byte[] content;
    boolean holding;
    boolean readOnly;
    RuntimeException failure;

    MemoryDevice(int sizeBytes) {
        content = new byte[sizeBytes];
    }

    private CompletionStage<Void> answer(String what, Runnable action) {
        asked.add(what);
        CompletableFuture<Void> stage = new CompletableFuture<>();
        Runnable end = () -> {
            if (failure != null) {
                stage.completeExceptionally(failure);
            } else if (readOnly && !what.startsWith("read")) {
                stage.completeExceptionally(new ReadOnlyVolumeException(name(), what));
            } else {
                action.run();
                stage.complete(null);
            }
        };
        if (holding) {
            held.add(end);
        } else {
            end.run();
        }
        return stage;
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public UUID id() {
        return new UUID(0, 1);
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
        int length = destination.remaining();
        return answer("read " + offsetBytes + " " + length, () -> destination.put(content, (int) offsetBytes, length));
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        int length = source.remaining();
        return answer("write " + offsetBytes + " " + length, () -> source.get(content, (int) offsetBytes, length));
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        return answer("flush", () -> {});
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        return answer("discard " + offsetBytes + " " + lengthBytes, () -> zero(offsetBytes, lengthBytes));
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        return answer(
                "zero " + offsetBytes + " " + lengthBytes + " " + List.of(options),
                () -> zero(offsetBytes, lengthBytes));
    }

    private void zero(long offsetBytes, long lengthBytes) {
        Arrays.fill(content, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0);
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public EventSubscription onResize(LongConsumer listener) {
        return () -> {};
    }
}
