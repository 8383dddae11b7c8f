package io.longhorn.engine;

import io.longhorn.CompareResult;
import io.longhorn.Durability;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.OutOfRangeException;
import io.longhorn.ProgressListener;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.Replicas;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotSpec;
import io.longhorn.SpaceUsage;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.VolumeHealth;
import io.longhorn.VolumeLimits;
import io.longhorn.VolumeStatistics;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import io.longhorn.replica.transport.NioLoop;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A volume as callers see it: checks what they ask for, brings it to the engine's loop, and waits where they want to. Safe for any thread. */
final class EngineVolume implements Volume {
    /** A blocking call may wait this much longer than the engine itself does, so that the engine's own reason comes first. */
    static final Duration GRACE = Duration.ofSeconds(2);

    private static final WriteOption[] NO_OPTIONS = {};

    private final EngineCore core;
    private final NioLoop loop;
    private final VolumeEvents events;
    private final VolumeRecord opened;
    private final boolean readOnly;
    private final Consumer<EngineVolume> onClose;
    private final Placement placement;
    private final MapReader maps;
    /** Of a blocking call. */
    private final Duration limit;

    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile VolumeLimits limits;

    EngineVolume(
            EngineCore core,
            NioLoop loop,
            VolumeEvents events,
            VolumeRecord opened,
            boolean readOnly,
            Placement placement,
            Consumer<EngineVolume> onClose) {
        this.placement = placement;
        this.core = core;
        this.loop = loop;
        this.limit = Duration.ofNanos(core.settings.operationNanos()).plus(GRACE);
        this.events = events;
        this.opened = opened;
        this.readOnly = readOnly;
        this.onClose = onClose;
        this.limits = opened.limits();
        this.maps = new MapReader(core);
    }

    EngineCore core() {
        return core;
    }

    Loop loop() {
        return core.loop;
    }

    boolean isOver() {
        return core.isOver();
    }

    Placement placement() {
        return placement;
    }

    /** What it is still being filled from. */
    Optional<String> source() {
        return await(
                core.<Optional<String>>call(
                        result -> result.complete(core.record().source())),
                "source");
    }

    void source(Optional<String> changed) {
        await(
                core.<Void>call(
                        result -> core.keeperOrFail().change(r -> r.withSource(changed), r -> result.complete(null))),
                "source");
    }

    // ------------------------------------------------------------------ what it is

    @Override
    public String name() {
        return opened.name();
    }

    @Override
    public UUID id() {
        return opened.volumeId();
    }

    @Override
    public long sizeBytes() {
        return core.sizeBytes();
    }

    @Override
    public Durability durability() {
        return opened.durability();
    }

    @Override
    public Map<String, String> labels() {
        return opened.labels();
    }

    @Override
    public boolean isReadOnly() {
        return readOnly;
    }

    // ------------------------------------------------------------------ reading and writing

    <T> T await(CompletionStage<T> stage, String operation) {
        return Calls.await(core.loop, stage, "volume " + name(), operation, limit);
    }

    private void blocking(String operation, Consumer<Completion> work) {
        BlockingCall.run(loop, name(), operation, limit, work);
    }

    @Override
    public void afterCompletions(Runnable task) {
        if (loop.inLoop()) {
            loop.afterInput(task);
        } else {
            task.run();
        }
    }

    private void requireWritable(String operation) {
        if (readOnly) {
            throw new ReadOnlyVolumeException(name(), operation);
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer destination) {
        if (!readCached(offsetBytes, destination)) {
            readLayer(LayerId.LIVE, 0, offsetBytes, destination, sizeBytes(), "read");
        }
    }

    static void checkDestination(ByteBuffer destination) {
        if (destination.isReadOnly()) {
            throw new IllegalArgumentException("the destination is a read-only buffer");
        }
    }

    private boolean readCached(long offsetBytes, ByteBuffer destination) {
        checkDestination(destination);
        OutOfRangeException.check(offsetBytes, destination.remaining(), sizeBytes());
        if (!core.cachedReads.read(offsetBytes, destination)) {
            return false;
        }
        destination.position(destination.limit());
        return true;
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        return readCached(offsetBytes, destination)
                ? CompletableFuture.completedFuture(null)
                : readLayerAsync(LayerId.LIVE, 0, offsetBytes, destination, sizeBytes());
    }

    void readLayer(LayerId layer, int pin, long offsetBytes, ByteBuffer destination, long size, String operation) {
        OutOfRangeException.check(offsetBytes, destination.remaining(), size);
        blocking(operation, done -> core.reads.read(layer, pin, offsetBytes, destination, done));
        destination.position(destination.limit());
    }

    CompletionStage<Void> readLayerAsync(LayerId layer, int pin, long offsetBytes, ByteBuffer destination, long size) {
        OutOfRangeException.check(offsetBytes, destination.remaining(), size);
        return core.<Void>call(result -> core.reads.read(layer, pin, offsetBytes, destination, failure -> {
            if (failure == null) {
                destination.position(destination.limit());
                result.complete(null);
            } else {
                result.completeExceptionally(failure);
            }
        }));
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) {
        write(offsetBytes, source, NO_OPTIONS);
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source, WriteOption... options) {
        boolean forced = checkWrite(offsetBytes, source, options);
        blocking("write", done -> core.write(offsetBytes, source, forced, done));
        source.position(source.limit());
    }

    /** Whether the write is a forced one. */
    private boolean checkWrite(long offsetBytes, ByteBuffer source, WriteOption... options) {
        OutOfRangeException.check(offsetBytes, source.remaining(), sizeBytes());
        requireWritable("write");
        return options.length > 0 && List.of(options).contains(WriteOption.FORCED);
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source) {
        return writeAsync(offsetBytes, source, NO_OPTIONS);
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        boolean forced = checkWrite(offsetBytes, source, options);
        return core.<Void>call(result -> core.write(offsetBytes, source, forced, failure -> {
            if (failure == null) {
                source.position(source.limit());
                result.complete(null);
            } else {
                result.completeExceptionally(failure);
            }
        }));
    }

    @Override
    public void flush() {
        blocking("flush", core::flush);
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        return core.<Void>call(result -> core.flush(Calls.ending(result)));
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        requireWritable("discard");
        blocking("discard", done -> core.discard(offsetBytes, lengthBytes, done));
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        requireWritable("discard");
        return core.<Void>call(result -> core.discard(offsetBytes, lengthBytes, Calls.ending(result)));
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, ZeroOption... options) {
        await(writeZeroesAsync(offsetBytes, lengthBytes, options), "writeZeroes");
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        requireWritable("writeZeroes");
        boolean allocate = List.of(options).contains(ZeroOption.ALLOCATE);
        return core.<Void>call(
                result -> core.writeZeroes(offsetBytes, lengthBytes, allocate, false, Calls.ending(result)));
    }

    @Override
    public CompareResult compareAndWrite(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        return await(compareAndWriteAsync(offsetBytes, expected, replacement, options), "compareAndWrite");
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        if (expected.remaining() != replacement.remaining() || expected.remaining() > COMPARE_AND_WRITE_BYTES_MAX) {
            throw new IllegalArgumentException("compareAndWrite takes two buffers of the same length, at most "
                    + COMPARE_AND_WRITE_BYTES_MAX + " bytes; got " + expected.remaining() + " and "
                    + replacement.remaining());
        }
        OutOfRangeException.check(offsetBytes, expected.remaining(), sizeBytes());
        requireWritable("compareAndWrite");
        boolean forced = List.of(options).contains(WriteOption.FORCED);
        return core.<CompareResult>call(result -> {
            Request[] request = new Request[1];
            Runnable[] late = new Runnable[1];
            Completion ended = failure -> {
                Request own = request[0];
                if (own == null && failure == null) {
                    // Ended before the call returned: its outcome is read when it has.
                    late[0] = () -> compared(result, request[0], expected, replacement);
                } else if (failure == null) {
                    compared(result, own, expected, replacement);
                } else {
                    result.completeExceptionally(failure);
                }
            };
            request[0] = core.compareAndWrite(offsetBytes, expected, replacement, forced, ended);
            if (late[0] != null) {
                late[0].run();
            }
        });
    }

    private static void compared(
            CompletableFuture<CompareResult> result, Request request, ByteBuffer expected, ByteBuffer replacement) {
        expected.position(expected.limit());
        replacement.position(replacement.limit());
        result.complete(
                request.mismatch < 0 ? CompareResult.replaced() : CompareResult.mismatchAt((int) request.mismatch));
    }

    // ------------------------------------------------------------------ snapshots

    @Override
    public Snapshot snapshot(SnapshotSpec spec) {
        requireWritable("snapshot");
        CompletionStage<Snapshot> stage = core.<Snapshot>call(result -> core.change(
                new StructureOperation.CreateSnapshot(spec.name(), true, System.currentTimeMillis(), spec.labels()),
                failure -> {
                    Optional<Message.Layer> made = failure == null ? core.tree.find(spec.name()) : Optional.empty();
                    if (made.isPresent()) {
                        result.complete(new EngineSnapshot(this, made.get()));
                    } else {
                        result.completeExceptionally(
                                failure == null ? new IllegalStateException("snapshot vanished") : failure);
                    }
                }));
        Snapshot made = await(stage, "snapshot");
        events.tell(new VolumeEvent.SnapshotCreated(name(), Instant.now(), spec.name()));
        return made;
    }

    @Override
    public List<Snapshot> snapshots() {
        return ofStructure(
                () -> core.tree.snapshots().stream()
                        .<Snapshot>map(layer -> new EngineSnapshot(this, layer))
                        .toList(),
                "snapshots");
    }

    /** What the volume's tree of snapshots says, once all that it says is confirmed and under the lease: another engine may have opened the volume since. */
    <T> T ofStructure(Supplier<T> question, String operation) {
        return await(
                core.<T>call(result -> core.reads.settleStructure(Calls.completing(result, question.get()))),
                operation);
    }

    @Override
    public void revertTo(Snapshot snapshot) {
        requireWritable("revertTo");
        EngineSnapshot own = own(snapshot);
        change(new StructureOperation.Revert(own.layer().id()), "revertTo");
        events.tell(new VolumeEvent.Reverted(name(), Instant.now(), snapshot.name()));
    }

    private EngineSnapshot own(Snapshot snapshot) {
        if (snapshot instanceof EngineSnapshot own && own.layerOf().id().equals(id())) {
            return own;
        }
        throw new IllegalArgumentException("snapshot " + snapshot.name() + " is of another volume");
    }

    void change(StructureOperation operation, String what) {
        await(core.<Void>call(result -> core.change(operation, Calls.ending(result))), what);
    }

    void deleted(String snapshot) {
        events.tell(new VolumeEvent.SnapshotDeleted(name(), Instant.now(), snapshot));
    }

    @Override
    public void expandTo(long sizeBytes) {
        requireWritable("expandTo");
        if (sizeBytes % BLOCK_BYTES != 0 || sizeBytes < sizeBytes()) {
            throw new IllegalArgumentException("a volume of " + sizeBytes()
                    + " bytes can be expanded to a larger multiple of " + BLOCK_BYTES + ", not to " + sizeBytes);
        }
        if (sizeBytes > sizeBytes()) {
            change(new StructureOperation.Expand(sizeBytes), "expandTo");
            events.tell(new VolumeEvent.Expanded(name(), Instant.now(), sizeBytes));
        }
    }

    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        OutOfRangeException.check(offsetBytes, lengthBytes, sizeBytes());
        return maps.allocation(this, LayerId.LIVE, 0, offsetBytes, lengthBytes);
    }

    MapReader maps() {
        return maps;
    }

    // ------------------------------------------------------------------ state

    @Override
    public VolumeHealth health() {
        return core.health();
    }

    @Override
    public Replicas replicas() {
        return new EngineReplicas(this, placement);
    }

    @Override
    public EventSubscription subscribe(Consumer<? super VolumeEvent> listener) {
        return events.subscribe(listener);
    }

    @Override
    public VolumeLimits limits() {
        return limits;
    }

    @Override
    public void limits(VolumeLimits changed) {
        await(
                core.<Void>call(result -> {
                    core.requests.limiter().limits(changed);
                    core.keeperOrFail().change(r -> r.withLimits(changed), r -> result.complete(null));
                }),
                "limits");
        limits = changed;
    }

    @Override
    public VolumeStatistics statistics() {
        return core.counters.snapshot();
    }

    @Override
    public SpaceUsage spaceUsage() {
        Message.StatusOk status = await(maps.status(), "spaceUsage");
        Map<String, Long> bySnapshot = new HashMap<>();
        long head = 0;
        for (Message.Layer layer : status.layers()) {
            if (layer.frozenSequence() == 0) {
                head = layer.dataBytes();
            } else if (!layer.removed()) {
                bySnapshot.merge(layer.name(), layer.dataBytes(), Long::sum);
            }
        }
        return new SpaceUsage(status.sizeBytes(), status.allocatedBytes(), head, bySnapshot);
    }

    @Override
    public void importFrom(Path file, ProgressListener listener) {
        requireWritable("importFrom");
        new FileTransfer(this, file, listener).read();
    }

    @Override
    public void exportTo(Path file, ProgressListener listener) {
        new FileTransfer(this, file, listener).write(LayerId.LIVE, 0, sizeBytes());
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            await(core.<Void>call(result -> core.close(Calls.ending(result))), "close");
        } finally {
            onClose.accept(this);
        }
    }
}
