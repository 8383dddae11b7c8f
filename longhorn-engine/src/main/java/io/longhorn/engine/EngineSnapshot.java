package io.longhorn.engine;

import io.longhorn.Extent;
import io.longhorn.HeldSnapshot;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

/** A snapshot as callers see it. What it says of itself was true when it was looked up; its content never changes. Safe for any thread. */
class EngineSnapshot implements Snapshot {
    private final EngineVolume volume;
    private final Message.Layer layer;
    /** What reads name, so that a deleted snapshot is still read; 0 for none. */
    private final int pin;

    EngineSnapshot(EngineVolume volume, Message.Layer layer) {
        this(volume, layer, 0);
    }

    private EngineSnapshot(EngineVolume volume, Message.Layer layer, int pin) {
        this.volume = volume;
        this.layer = layer;
        this.pin = pin;
    }

    /** One that is held; closed by its user. */
    private static final class Held extends EngineSnapshot implements HeldSnapshot {
        private final AtomicBoolean closed = new AtomicBoolean();

        Held(EngineSnapshot snapshot, int pin) {
            super(snapshot.volume, snapshot.layer, pin);
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                super.release();
            }
        }
    }

    final Message.Layer layer() {
        return layer;
    }

    final EngineVolume layerOf() {
        return volume;
    }

    @Override
    public final String name() {
        return layer.name();
    }

    @Override
    public final Volume volume() {
        return volume;
    }

    @Override
    public final Instant createdAt() {
        return Instant.ofEpochMilli(layer.createdAtMillis());
    }

    @Override
    public final Map<String, String> labels() {
        return layer.labels();
    }

    @Override
    public final Optional<Snapshot> parent() {
        EngineCore core = volume.core();
        return volume.ofStructure(
                () -> core.tree.parentOf(layer).map(parent -> new EngineSnapshot(volume, parent)), "parent");
    }

    @Override
    public final boolean userMade() {
        return layer.userMade();
    }

    @Override
    public final long sizeBytes() {
        return layer.sizeBytes();
    }

    @Override
    public final long actualBytes() {
        Message.StatusOk status = volume.await(volume.maps().status(), "actualBytes");
        return status.layers().stream()
                .filter(l -> l.id().equals(layer.id()))
                .mapToLong(Message.Layer::dataBytes)
                .findFirst()
                .orElse(0);
    }

    @Override
    public final void read(long offsetBytes, ByteBuffer destination) {
        EngineVolume.checkDestination(destination);
        volume.readLayer(layer.id(), pin, offsetBytes, destination, sizeBytes(), "read of snapshot " + name());
    }

    @Override
    public final CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        EngineVolume.checkDestination(destination);
        return volume.readLayerAsync(layer.id(), pin, offsetBytes, destination, sizeBytes());
    }

    @Override
    public final HeldSnapshot hold() {
        EngineCore core = volume.core();
        return volume.await(
                core.<HeldSnapshot>call(result -> result.complete(new Held(this, holding(core.pins)))),
                "hold of snapshot " + name());
    }

    private int holding(SnapshotPins pins) {
        return pin == 0 ? pins.hold(layer.id()) : pins.holdAgain(pin, layer.id());
    }

    private void release() {
        EngineCore core = volume.core();
        // Nobody waits for it, and a session that is over holds nothing.
        CompletableFuture<Boolean> unused = core.call(result -> {
            core.pins.release(pin);
            result.complete(true);
        });
    }

    @Override
    public final List<Extent> allocation(long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        return volume.maps().allocation(volume, layer.id(), pin, offsetBytes, lengthBytes);
    }

    @Override
    public final List<Extent> changedSince(Snapshot older, long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        if (!(older instanceof EngineSnapshot other) || other.volume != volume) {
            throw new IllegalArgumentException("snapshot " + older.name() + " is of another volume");
        }
        return volume.maps().changed(volume, layer.id(), pin, other.layer.id(), offsetBytes, lengthBytes);
    }

    @Override
    public final void exportTo(Path file, ProgressListener listener) {
        if (pin != 0) {
            new FileTransfer(volume, file, listener).write(layer.id(), pin, sizeBytes());
            return;
        }
        try (HeldSnapshot held = hold()) {
            held.exportTo(file, listener);
        }
    }

    @Override
    public final void delete() {
        volume.change(new StructureOperation.DeleteSnapshot(layer.id()), "delete snapshot");
        volume.deleted(name());
    }

    @Override
    public final boolean equals(Object other) {
        return other instanceof EngineSnapshot s
                && s.volume.id().equals(volume.id())
                && s.layer.id().equals(layer.id());
    }

    @Override
    public final int hashCode() {
        return layer.id().hashCode();
    }

    @Override
    public final String toString() {
        return volume.name() + "@" + name();
    }
}
