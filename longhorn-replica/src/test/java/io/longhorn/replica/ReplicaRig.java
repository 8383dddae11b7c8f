package io.longhorn.replica;

import io.longhorn.replica.disk.MemoryDisk;
import io.longhorn.replica.disk.PowerCut;
import io.longhorn.replica.disk.QueuedWorker;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A replica server with one disk in memory; turns, time and the worker's work are the test's. */
final class ReplicaRig {
    static final UUID SERVER = new UUID(7, 7);
    static final UUID CLUSTER = new UUID(0x1111, 0x2222);
    static final UUID VOLUME = new UUID(0x3333, 0x4444);
    static final UUID REPLICA = new UUID(0x5555_6666_7777_8888L, 0x9999);
    static final String PLACE = "replicas/vol-55556666";
    static final int BLOCKS = 400;
    static final long MILLI = 1_000_000;
    static final long SECOND = 1000 * MILLI;

    final MemoryDisk memory;
    DiskSettings settings = settings().build();
    String bootId = "boot-1";
    ManualLoop loop = new ManualLoop();
    QueuedWorker worker = new QueuedWorker();
    PowerCut power;

    @Nullable
    ReplicaDisk disk;

    @Nullable
    ReplicaHost host;

    ReplicaRig() {
        this(new MemoryDisk());
    }

    ReplicaRig(MemoryDisk memory) {
        this.memory = memory;
        power = new PowerCut(memory);
    }

    static DiskSettings.Builder settings() {
        return DiskSettings.builder()
                .journal(1 << 20, 6)
                .checkpointBytes(1 << 20)
                .checkpointPieceBlocks(3)
                .checkpointQuiet(Duration.ofMillis(100))
                .reserveBytes(0)
                .mapCacheBytes(64 << 10)
                .resolvedCacheBytes(64 << 10)
                .openFilesMax(16)
                .scrubBytesPerSecond(0);
    }

    /** Starts the server as a new process on what the disk holds. */
    ReplicaRig start() throws IOException {
        loop = new ManualLoop();
        worker = new QueuedWorker();
        power = new PowerCut(memory);
        return startHere();
    }

    /** Starts the server with loop, worker and power as they are. */
    ReplicaRig startHere() throws IOException {
        ReplicaDisk opened = ReplicaDisk.open(power, worker, loop, settings, bootId);
        disk = opened;
        host = new ReplicaHost(SERVER, bootId, "", List.of(opened));
        run();
        return this;
    }

    ReplicaDisk disk() {
        ReplicaDisk present = disk;
        if (present == null) {
            throw new IllegalStateException("not started");
        }
        return present;
    }

    ReplicaHost host() {
        ReplicaHost present = host;
        if (present == null) {
            throw new IllegalStateException("not started");
        }
        return present;
    }

    ReplicaState replica() {
        return replica(REPLICA);
    }

    ReplicaState replica(UUID id) {
        ReplicaState found = disk().find(id);
        if (found == null) {
            throw new IllegalStateException("no replica " + id);
        }
        return found;
    }

    ScriptedEngine engine(long epoch) {
        return new ScriptedEngine(this, epoch);
    }

    /** Runs turns and the worker's work until both have nothing more. */
    void run() {
        boolean again = true;
        while (again) {
            again = false;
            while (loop.turn()) {
                again = true;
            }
            again |= worker.runAll();
        }
    }

    /** Lets time pass, with all that it brings. */
    void pass(long nanos) {
        long deadline = loop.nanoTime() + nanos;
        run();
        while (loop.nextTimer(deadline)) {
            run();
        }
    }

    /** Long enough for the checkpoint of a quiet disk. */
    void quiet() {
        pass(SECOND);
    }
}
