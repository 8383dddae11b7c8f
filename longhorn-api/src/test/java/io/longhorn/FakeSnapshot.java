package io.longhorn;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** A snapshot whose changed blocks are given, and are answered a page at a time like a real one. */
final class FakeSnapshot implements Snapshot {

    private final Volume volume;
    private final String name;
    private final List<Extent> changed;

    FakeSnapshot(Volume volume, String name, List<Extent> changed) {
        this.volume = volume;
        this.name = name;
        this.changed = changed;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Volume volume() {
        return volume;
    }

    @Override
    public Instant createdAt() {
        return Instant.EPOCH;
    }

    @Override
    public Map<String, String> labels() {
        return Map.of();
    }

    @Override
    public Optional<Snapshot> parent() {
        return Optional.empty();
    }

    @Override
    public boolean userMade() {
        return true;
    }

    /** Ends with the last changed extent, so that paging to the very end is tested. */
    @Override
    public long sizeBytes() {
        return changed.isEmpty()
                ? volume.sizeBytes()
                : changed.get(changed.size() - 1).endBytes();
    }

    @Override
    public long actualBytes() {
        return 0;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer destination) {
        volume.read(offsetBytes, destination);
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        return volume.readAsync(offsetBytes, destination);
    }

    @Override
    public HeldSnapshot hold() {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Extent> changedSince(Snapshot older, long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        return changed.stream()
                .filter(extent -> extent.offsetBytes() >= offsetBytes && extent.endBytes() <= offsetBytes + lengthBytes)
                .limit(Volume.EXTENTS_MAX)
                .toList();
    }

    @Override
    public void exportTo(Path file, ProgressListener listener) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void delete() {
        throw new UnsupportedOperationException();
    }
}
