package io.longhorn.replica;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads every block in the layers of a disk now and then, slowly, and compares it with its checksum. A step takes its turn among the changes of layers, so nothing changes the
 * blocks that it looks at while it does. What it finds is told to the engine that has the replica, which sends a good copy. Loop only.
 */
final class Scrubber {
    private static final Logger LOG = LoggerFactory.getLogger(Scrubber.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    private static final int STEP_BLOCKS = 64;
    /** Blocks of the volume that a step looks through at most: maps of layers with little in them are read too. */
    private static final long STEP_RANGE = 64L * MapPage.ENTRIES;
    /** From the beginning of one round through the disk to that of the next. */
    private static final long ROUND_NANOS = 24L * 3600 * 1_000_000_000;

    private record Bad(long block, long entry, int crc) {}

    private final ReplicaDisk disk;
    private Loop.@Nullable Timer timer;
    private boolean stopped;
    private long roundBegan;
    /** Where the round goes on. */
    private @Nullable UUID replicaId;

    private @Nullable LayerId layerId;
    private long block;

    Scrubber(ReplicaDisk disk) {
        this.disk = disk;
    }

    void start() {
        if (disk.settings().scrubBytesPerSecond() > 0) {
            roundBegan = disk.loop().nanoTime();
            scheduleIn(stepNanos());
        }
    }

    void stop() {
        stopped = true;
        Loop.Timer armed = timer;
        if (armed != null) {
            armed.cancel();
        }
    }

    private long stepNanos() {
        return (long) (STEP_BLOCKS * BLOCK * 1e9 / disk.settings().scrubBytesPerSecond());
    }

    private void scheduleIn(long nanos) {
        if (!stopped && !disk.hasFailed()) {
            timer = disk.loop()
                    .schedule(Math.max(1, nanos), () -> disk.changes().add(this::step));
        }
    }

    /** The next step, at once. */
    void step(Runnable ended) throws IOException {
        Step step = stopped ? null : next();
        if (step == null) {
            ended.run();
            scheduleIn(
                    Math.max(stepNanos(), roundBegan + ROUND_NANOS - disk.loop().nanoTime()));
            roundBegan = Math.max(roundBegan + ROUND_NANOS, disk.loop().nanoTime());
            return;
        }
        step.files.retain();
        disk.worker().run(DiskWorker.Lane.BACKGROUND, step, failure -> {
            step.files.release();
            if (failure != null) {
                LOG.warn("scrub cannot read: replica={} cause={}", step.replica, failure.toString());
            }
            step.bad.forEach(bad -> found(step.replica, step.layer, bad));
            block = step.nextBlock;
            ended.run();
            scheduleIn(stepNanos());
        });
    }

    /** The part that comes next in the round, null at its end. */
    private @Nullable Step next() {
        List<ReplicaState> replicas = new ArrayList<>(disk.replicas());
        replicas.sort(Comparator.comparing(ReplicaState::replicaId));
        for (ReplicaState replica : replicas) {
            UUID at = replicaId;
            if (at != null && replica.replicaId().compareTo(at) < 0) {
                continue;
            }
            if (at == null || !replica.replicaId().equals(at)) {
                replicaId = replica.replicaId();
                layerId = null;
                block = 0;
            }
            Step step = nextIn(replica);
            if (step != null) {
                return step;
            }
        }
        replicaId = null;
        layerId = null;
        block = 0;
        return null;
    }

    private @Nullable Step nextIn(ReplicaState replica) {
        for (LayerNode node : replica.tree.all()) {
            LayerFiles files = node.files();
            LayerId at = layerId;
            if (files == null || (at != null && node.id().compareTo(at) < 0)) {
                continue;
            }
            if (at == null || !node.id().equals(at)) {
                layerId = node.id();
                block = 0;
            }
            if (block < files.map().blocks()) {
                return new Step(replica, node, files, block);
            }
        }
        return null;
    }

    private void found(ReplicaState replica, LayerNode layer, Bad bad) {
        if (layer.pending().sequenceOf(bad.block()) != 0 || !replica.damage.add(layer.id(), bad.block())) {
            return;
        }
        LOG.warn("block is damaged: replica={} layer={} block={}", replica, layer.id(), bad.block());
        ReplicaSession bound = replica.session;
        if (bound != null) {
            bound.tellDamage(new Message.Damage(layer.id(), bad.block(), MapEntry.sequence(bad.entry()), bad.crc()));
        }
    }

    /** Reads some blocks of one layer. */
    private static final class Step implements DiskWorker.Work {
        private final ReplicaState replica;
        private final LayerNode layer;
        private final LayerFiles files;
        private final long from;
        private final List<Bad> bad = new ArrayList<>();
        private long nextBlock;

        Step(ReplicaState replica, LayerNode layer, LayerFiles files, long from) {
            this.replica = replica;
            this.layer = layer;
            this.files = files;
            this.from = from;
            this.nextBlock = from + STEP_RANGE;
        }

        @Override
        public void run() throws IOException {
            ByteBuffer buffer = ByteBuffer.allocateDirect(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
            int[] read = {0};
            nextBlock = files.map().walk(from, from + STEP_RANGE, 0, (block, entry, crc) -> {
                if (MapEntry.isData(entry)) {
                    if (!matches(block, crc, buffer)) {
                        bad.add(new Bad(block, entry, crc));
                    }
                    read[0]++;
                }
                return read[0] < STEP_BLOCKS;
            });
        }

        /** A block that cannot be read is as bad as one that was read wrong. */
        private boolean matches(long block, int crc, ByteBuffer buffer) {
            try {
                files.read(block, buffer.clear());
                return Checksum.block(buffer, 0) == crc;
            } catch (IOException e) {
                LOG.warn("block cannot be read: layer={} block={} cause={}", layer.id(), block, e.toString());
                return false;
            }
        }
    }
}
