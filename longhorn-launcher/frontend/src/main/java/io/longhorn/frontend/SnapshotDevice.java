package io.longhorn.frontend;

import io.longhorn.CompareResult;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.HeldSnapshot;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;

/** A held snapshot. */
final class SnapshotDevice implements BlockDevice {

    private final HeldSnapshot snapshot;
    private final String name;
    private final UUID id;
    private final DeviceQueue queue;

    SnapshotDevice(HeldSnapshot snapshot, int inFlightMax) {
        this.snapshot = snapshot;
        this.name = snapshot.volume().name() + "@" + snapshot.name();
        this.id = UUID.nameUUIDFromBytes((snapshot.volume().id() + "@" + snapshot.name() + "@" + snapshot.createdAt())
                .getBytes(StandardCharsets.UTF_8));
        this.queue = new DeviceQueue(inFlightMax);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public UUID id() {
        return id;
    }

    @Override
    public long sizeBytes() {
        return snapshot.sizeBytes();
    }

    @Override
    public boolean isReadOnly() {
        return true;
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        return queue.run(() -> snapshot.readAsync(offsetBytes, destination));
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        return refused("write");
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        return refused("discard");
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        return refused("writeZeroes");
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        return refused("compareAndWrite");
    }

    @Override
    public void afterCompletions(Runnable task) {
        snapshot.volume().afterCompletions(task);
    }

    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        return snapshot.allocation(offsetBytes, lengthBytes);
    }

    @Override
    public EventSubscription onResize(LongConsumer listener) {
        return () -> {};
    }

    private <T> CompletionStage<T> refused(String operation) {
        return CompletableFuture.failedFuture(new ReadOnlyVolumeException(name, operation));
    }
}
