package io.longhorn.engine;

import io.longhorn.Extent;
import io.longhorn.OutOfRangeException;
import io.longhorn.ProgressListener;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A snapshot as callers see it. What it says of itself was true when it was looked up; its content never changes. Safe for any thread. */
final class EngineSnapshot implements Snapshot {
    private final EngineVolume volume;
    private final Message.Layer layer;

    EngineSnapshot(EngineVolume volume, Message.Layer layer) {
        this.volume = volume;
        this.layer = layer;
    }

    Message.Layer layer() {
        return layer;
    }

    EngineVolume layerOf() {
        return volume;
    }

    @Override
    public String name() {
        return layer.name();
    }

    @Override
    public Volume volume() {
        return volume;
    }

    @Override
    public Instant createdAt() {
        return Instant.ofEpochMilli(layer.createdAtMillis());
    }

    @Override
    public Map<String, String> labels() {
        return layer.labels();
    }

    @Override
    public Optional<Snapshot> parent() {
        EngineCore core = volume.core();
        return volume.ofStructure(
                () -> core.tree.parentOf(layer).map(parent -> new EngineSnapshot(volume, parent)), "parent");
    }

    @Override
    public boolean userMade() {
        return layer.userMade();
    }

    @Override
    public long sizeBytes() {
        return layer.sizeBytes();
    }

    @Override
    public long actualBytes() {
        Message.StatusOk status = volume.await(volume.maps().status(), "actualBytes");
        return status.layers().stream()
                .filter(l -> l.id().equals(layer.id()))
                .mapToLong(Message.Layer::dataBytes)
                .findFirst()
                .orElse(0);
    }

    @Override
    public void read(long offsetBytes, ByteBuffer destination) {
        if (destination.isReadOnly()) {
            throw new IllegalArgumentException("the destination is a read-only buffer");
        }
        volume.readLayer(layer.id(), offsetBytes, destination, sizeBytes(), "read of snapshot " + name());
    }

    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        return volume.maps().allocation(volume, layer.id(), offsetBytes, lengthBytes);
    }

    @Override
    public List<Extent> changedSince(Snapshot older, long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        if (!(older instanceof EngineSnapshot other) || other.volume != volume) {
            throw new IllegalArgumentException("snapshot " + older.name() + " is of another volume");
        }
        return volume.maps().changed(volume, layer.id(), other.layer.id(), offsetBytes, lengthBytes);
    }

    @Override
    public void exportTo(Path file, ProgressListener listener) {
        new FileTransfer(volume, file, listener).write(layer.id(), sizeBytes());
    }

    @Override
    public void delete() {
        volume.change(new StructureOperation.DeleteSnapshot(layer.id()), "delete snapshot");
        volume.deleted(name());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EngineSnapshot s
                && s.volume.id().equals(volume.id())
                && s.layer.id().equals(layer.id());
    }

    @Override
    public int hashCode() {
        return layer.id().hashCode();
    }

    @Override
    public String toString() {
        return volume.name() + "@" + name();
    }
}
