package io.longhorn;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A volume in an array: enough of the contract for the tests of what the API itself implements. */
final class FakeVolume implements Volume {

    private final boolean readOnly;
    private final List<Consumer<? super VolumeEvent>> listeners = new CopyOnWriteArrayList<>();
    private final List<Snapshot> snapshots = new ArrayList<>();
    private byte[] content;
    private HealthState health = HealthState.HEALTHY;
    private @Nullable LonghornException failure;

    FakeVolume(int sizeBytes) {
        this(sizeBytes, false);
    }

    FakeVolume(int sizeBytes, boolean readOnly) {
        this.readOnly = readOnly;
        content = new byte[sizeBytes];
    }

    void failWith(LonghornException next) {
        failure = next;
    }

    void add(Snapshot snapshot) {
        snapshots.add(snapshot);
    }

    void become(HealthState after) {
        HealthState before = health;
        health = after;
        listeners.forEach(
                listener -> listener.accept(new VolumeEvent.HealthChanged(name(), Instant.EPOCH, before, after)));
    }

    int listenerCount() {
        return listeners.size();
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public UUID id() {
        return new UUID(1, 2);
    }

    @Override
    public long sizeBytes() {
        return content.length;
    }

    @Override
    public Durability durability() {
        return Durability.ON_FLUSH;
    }

    @Override
    public Map<String, String> labels() {
        return Map.of();
    }

    @Override
    public boolean isReadOnly() {
        return readOnly;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer destination) {
        begin(offsetBytes, destination.remaining());
        destination.put(content, (int) offsetBytes, destination.remaining());
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) {
        begin(offsetBytes, source.remaining());
        source.get(content, (int) offsetBytes, source.remaining());
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source, WriteOption... options) {
        write(offsetBytes, source);
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        read(offsetBytes, destination);
        return CompletableFuture.allOf();
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source) {
        write(offsetBytes, source);
        return CompletableFuture.allOf();
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        return writeAsync(offsetBytes, source);
    }

    @Override
    public void flush() {}

    @Override
    public CompletionStage<Void> flushAsync() {
        return CompletableFuture.allOf();
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, ZeroOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompareResult compareAndWrite(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        throw new UnsupportedOperationException();
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
    public Snapshot snapshot(SnapshotSpec spec) {
        Snapshot snapshot = new FakeSnapshot(this, spec.name(), List.of());
        snapshots.add(snapshot);
        return snapshot;
    }

    @Override
    public List<Snapshot> snapshots() {
        return List.copyOf(snapshots);
    }

    @Override
    public void revertTo(Snapshot snapshot) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void expandTo(long sizeBytes) {
        content = Arrays.copyOf(content, (int) sizeBytes);
    }

    @Override
    public VolumeHealth health() {
        return new VolumeHealth(health, 3, List.of());
    }

    @Override
    public Replicas replicas() {
        throw new UnsupportedOperationException();
    }

    @Override
    public EventSubscription subscribe(Consumer<? super VolumeEvent> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    @Override
    public VolumeLimits limits() {
        return VolumeLimits.NONE;
    }

    @Override
    public void limits(VolumeLimits limits) {
        throw new UnsupportedOperationException();
    }

    @Override
    public VolumeStatistics statistics() {
        throw new UnsupportedOperationException();
    }

    @Override
    public SpaceUsage spaceUsage() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void importFrom(Path file, ProgressListener listener) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void exportTo(Path file, ProgressListener listener) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}

    private void begin(long offsetBytes, int lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, content.length);
        if (failure != null) {
            throw failure;
        }
    }
}
