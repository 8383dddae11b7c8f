package io.longhorn.frontend;

import io.longhorn.CompareResult;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;

/** An open volume. */
final class VolumeDevice implements BlockDevice {

    private final Volume volume;
    private final DeviceQueue queue;

    VolumeDevice(Volume volume, int inFlightMax) {
        this.volume = volume;
        this.queue = new DeviceQueue(inFlightMax);
    }

    @Override
    public String name() {
        return volume.name();
    }

    @Override
    public UUID id() {
        return volume.id();
    }

    @Override
    public long sizeBytes() {
        return volume.sizeBytes();
    }

    @Override
    public boolean isReadOnly() {
        return volume.isReadOnly();
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        return queue.run(() -> volume.readAsync(offsetBytes, destination));
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        return queue.run(() -> volume.writeAsync(offsetBytes, source, options));
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        return queue.run(volume::flushAsync);
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        return queue.run(() -> volume.discardAsync(offsetBytes, lengthBytes));
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        return queue.run(() -> volume.writeZeroesAsync(offsetBytes, lengthBytes, options));
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        return queue.run(() -> volume.compareAndWriteAsync(offsetBytes, expected, replacement, options));
    }

    @Override
    public void afterCompletions(Runnable task) {
        volume.afterCompletions(task);
    }

    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        return volume.allocation(offsetBytes, lengthBytes);
    }

    @Override
    public EventSubscription onResize(LongConsumer listener) {
        return volume.subscribe(event -> {
            if (event instanceof VolumeEvent.Expanded expanded) {
                listener.accept(expanded.sizeBytes());
            }
        });
    }
}
