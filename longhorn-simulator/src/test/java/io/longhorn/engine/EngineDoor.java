package io.longhorn.engine;

import io.longhorn.HealthState;
import io.longhorn.LonghornException;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.StructureOperation;
import io.longhorn.simulator.VolumePort;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The engine as a simulation drives it. In the engine's package because the state machine is not for programs; the program's face of it adds threads,
 * which a simulation has none of.
 */
public final class EngineDoor implements VolumePort {
    private static final long MILLI = 1_000_000;
    private static final int BLOCK = 4096;

    private final EngineCore core;
    private final Loop loop;

    /** Times of a simulated engine; shorter than real ones, in the same proportions. */
    public record Times(long silenceNanos, long leaseNanos, long openingNanos, long operationNanos, int cacheBlocks) {}

    public EngineDoor(
            Loop loop,
            Connection.Connector connector,
            Registry registry,
            Times times,
            String volumeName,
            UUID engineId) {
        this.loop = loop;
        EngineSettings settings = new EngineSettings(
                times.silenceNanos(),
                12 * times.silenceNanos(),
                times.leaseNanos(),
                times.openingNanos(),
                times.operationNanos(),
                50 * MILLI,
                500 * MILLI,
                32,
                256,
                1 << 20,
                (long) times.cacheBlocks() * BLOCK,
                0,
                "");
        this.core = new EngineCore(loop, connector, registry, settings, volumeName, engineId, new NoEvents());
    }

    /** The record of a volume that was never opened, with all its replicas in sync. */
    public static VolumeRecord firstRecord(
            String volumeName, UUID volumeId, long sizeBytes, boolean writeThrough, List<ReplicaRecord> replicas) {
        return new VolumeRecord(
                1,
                volumeName,
                volumeId,
                sizeBytes,
                writeThrough ? io.longhorn.Durability.WRITE_THROUGH : io.longhorn.Durability.ON_FLUSH,
                replicas.size(),
                1,
                io.longhorn.VolumeLimits.NONE,
                Map.of(),
                0,
                0,
                VolumeRecord.NO_ENGINE,
                replicas,
                replicas.stream().map(ReplicaRecord::replicaId).toList(),
                Optional.empty());
    }

    /** The record with another view. */
    public static VolumeRecord salvaged(VolumeRecord record, List<UUID> members) {
        return record.withView(members);
    }

    /** Opens; on the engine's loop. */
    public void open(Done done) {
        core.open(done::done);
    }

    /** Closes in order; on the engine's loop. */
    public void close(Done done) {
        core.close(done::done);
    }

    public boolean isOpen() {
        return core.state() == EngineCore.State.OPEN;
    }

    public boolean isOver() {
        return core.state() == EngineCore.State.OVER;
    }

    public long epoch() {
        return core.epoch();
    }

    public boolean isHealthy() {
        return core.health().state() == HealthState.HEALTHY;
    }

    /** Why the session is over, for messages. */
    public String failure() {
        return String.valueOf(core.failure());
    }

    /** The volume's state in words, for messages. */
    public String describe() {
        return core.state() + " epoch " + core.epoch() + " " + core.health();
    }

    @Override
    public void read(long offset, ByteBuffer target, Done done) {
        if (core.cachedReads.read(offset, target)) {
            done.done(null);
        } else {
            core.reads.read(LayerId.LIVE, 0, offset, target, done::done);
        }
    }

    @Override
    public void write(long offset, ByteBuffer data, boolean forced, Done done) {
        core.write(offset, data, forced, done::done);
    }

    @Override
    public void writeZeroes(long offset, long length, boolean allocate, Done done) {
        core.writeZeroes(offset, length, allocate, false, done::done);
    }

    @Override
    public void discard(long offset, long length, Done done) {
        core.discard(offset, length, done::done);
    }

    @Override
    public void compareAndWrite(long offset, ByteBuffer expected, ByteBuffer data, Compared done) {
        Request[] made = new Request[1];
        boolean[] inside = {true};
        Completion completion = failure -> {
            if (inside[0]) {
                loop.execute(() -> compared(made[0], failure, done));
            } else {
                compared(made[0], failure, done);
            }
        };
        made[0] = core.compareAndWrite(offset, expected, data, false, completion);
        inside[0] = false;
    }

    private static void compared(Request request, @Nullable LonghornException failure, Compared done) {
        done.done(failure == null && request.mismatch < 0, failure);
    }

    @Override
    public void flush(Done done) {
        core.flush(done::done);
    }

    @Override
    public void snapshot(String name, Done done) {
        core.change(new StructureOperation.CreateSnapshot(name, true, loop.wallMillis(), Map.of()), done::done);
    }

    private @Nullable LayerId layer(String name, Done done) {
        LayerId found = core.tree.find(name).map(Message.Layer::id).orElse(null);
        if (found == null) {
            done.done(new IllegalStateException("no snapshot " + name));
        }
        return found;
    }

    @Override
    public void readSnapshot(String name, long offset, ByteBuffer target, Done done) {
        LayerId layer = layer(name, done);
        if (layer != null) {
            core.reads.read(layer, 0, offset, target, done::done);
        }
    }

    @Override
    public Optional<Held> hold(String name) {
        LayerId found = core.tree.find(name).map(Message.Layer::id).orElse(null);
        if (found == null || core.refusal() != null) {
            return Optional.empty();
        }
        int pin = core.pins.hold(found);
        return Optional.of(new Held() {
            @Override
            public void read(long offset, ByteBuffer target, Done done) {
                core.reads.read(found, pin, offset, target, done::done);
            }

            @Override
            public void release() {
                core.pins.release(pin);
            }
        });
    }

    @Override
    public void deleteSnapshot(String name, Done done) {
        LayerId layer = layer(name, done);
        if (layer != null) {
            core.change(new StructureOperation.DeleteSnapshot(layer), done::done);
        }
    }

    @Override
    public void revert(String name, Done done) {
        LayerId layer = layer(name, done);
        if (layer != null) {
            core.change(new StructureOperation.Revert(layer), done::done);
        }
    }

    @Override
    public void expand(long sizeBytes, Done done) {
        core.change(new StructureOperation.Expand(sizeBytes), done::done);
    }

    @Override
    public void snapshots(Listed done) {
        List<String> names = snapshotNames();
        core.reads.settleStructure(failure -> done.done(failure == null ? names : List.of(), failure));
    }

    /** The snapshots as of the newest operation that was given a sequence. */
    List<String> snapshotNames() {
        return core.tree.snapshots().stream().map(Message.Layer::name).toList();
    }

    @Override
    public long sizeBytes() {
        return core.sizeBytes();
    }

    private static final class NoEvents implements EngineEvents {
        @Override
        public void healthChanged(HealthState before, HealthState after) {}

        @Override
        public void replicaLost(ReplicaRecord replica, String reason) {}

        @Override
        public void rebuildStarted(ReplicaRecord replica, long totalBytes) {}

        @Override
        public void rebuildProgress(ReplicaRecord replica, long doneBytes, long totalBytes) {}

        @Override
        public void rebuildEnded(
                ReplicaRecord replica, boolean inSync, long transferredBytes, long tookNanos, String reason) {}

        @Override
        public void blockRepaired(UUID replica, String location, long offsetBytes) {}

        @Override
        public void blockDamaged(long offsetBytes) {}

        @Override
        public void fenced(long newerEpoch) {}
    }
}
