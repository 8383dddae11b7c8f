package io.longhorn.replica.server;

import io.longhorn.replica.DiskFile;
import io.longhorn.replica.DiskWorker;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A replica that is being rebuilt: marks itself mixed, drops what it has beyond the last point shared with the source, takes over the source's layers,
 * then takes in copied blocks while new records arrive. Copies go straight to the layer files: should the process die, the mark makes the next rebuild start
 * over from the same point. Loop only.
 */
final class RebuildTarget {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    private static final long POLL_NANOS = 1_000_000;
    /** Map pages changed by copies before they are written out. */
    private static final int DIRTY_PAGES_MAX = 4096;

    private final ReplicaState replica;
    private final ReplicaDisk disk;
    private final Message.RebuildBegin plan;
    private final Set<LayerNode> touched = new LinkedHashSet<>();
    private int dirtied;

    RebuildTarget(ReplicaState replica, Message.RebuildBegin plan) {
        this.replica = replica;
        this.disk = replica.owner;
        this.plan = plan;
    }

    long session() {
        return plan.session();
    }

    // ------------------------------------------------------------------ beginning

    /** {@code done} runs when the mark is durable and the replica stands at the base. */
    void begin(Runnable done) {
        replica.committed(plan.commonSequence());
        bringLayersToCommonPoint(done);
    }

    /** What both histories share must be in the layers before the rest of the journal is given up. */
    private void bringLayersToCommonPoint(Runnable done) {
        long wanted = Math.min(plan.commonSequence(), replica.lastSequence());
        if (disk.hasFailed()) {
            return;
        }
        if (replica.checkpointed() < wanted || replica.checkpointing) {
            disk.requestSync();
            disk.checkpointer().request(replica);
            disk.loop().schedule(POLL_NANOS, () -> bringLayersToCommonPoint(done));
            return;
        }
        List<LayerNode> foreign = new ArrayList<>();
        List<Message.Layer> layers = reconcile(foreign);
        ReplicaMeta now = replica.meta();
        ReplicaMeta mixed = new ReplicaMeta(
                now.clusterId(),
                now.volumeId(),
                now.volumeName(),
                now.replicaId(),
                now.slot(),
                plan.sizeBytes(),
                now.promisedEpoch(),
                now.promisedEngine(),
                now.recordVersion(),
                plan.baseSequence(),
                plan.baseEpoch(),
                plan.baseSequence(),
                disk.journalPosition(),
                true,
                plan.commonSequence(),
                plan.baseSequence(),
                now.uncertain(),
                plan.history(),
                layers);
        disk.store(replica, mixed, stored -> {
            try {
                replica.restart(mixed);
                for (LayerNode node : foreign) {
                    node.files.delete();
                }
                done.run();
            } catch (IOException e) {
                disk.failed(e);
            }
        });
    }

    /**
     * The source's tree, with own layers that it lacks but that kept ones stand on: those the source merged away while we were gone, whose blocks we
     * still have only there. They stay, as residual layers, in their place by age. Layers that nothing kept stands on are foreign.
     */
    private List<Message.Layer> reconcile(List<LayerNode> foreign) {
        Map<LayerId, Message.Layer> result = new HashMap<>();
        for (Message.Layer layer : plan.layers()) {
            LayerNode own = replica.tree.find(layer.id());
            result.put(layer.id(), withData(layer, own == null ? 0 : own.dataBlocks));
        }
        for (LayerNode node : replica.tree.all()) {
            if (result.containsKey(node.id)) {
                continue;
            }
            LayerId descendant = keptDescendant(node);
            if (descendant == null) {
                foreign.add(node);
            } else {
                insertByAge(result, node, descendant);
            }
        }
        List<Message.Layer> layers = new ArrayList<>(result.values());
        layers.sort(Comparator.comparing(Message.Layer::id));
        return layers;
    }

    private @Nullable LayerId keptDescendant(LayerNode ancestor) {
        for (Message.Layer layer : plan.layers()) {
            LayerNode node = replica.tree.find(layer.id());
            while (node != null) {
                if (node == ancestor) {
                    return layer.id();
                }
                node = node.parent;
            }
        }
        return null;
    }

    private static void insertByAge(Map<LayerId, Message.Layer> layers, LayerNode node, LayerId descendant) {
        Message.Layer child = layers.get(descendant);
        Message.Layer above = child == null ? null : layers.get(child.parent());
        while (child != null && above != null && above.id().compareTo(node.id) > 0) {
            child = above;
            above = layers.get(above.parent());
        }
        if (child == null) {
            return;
        }
        Message.Layer mine = node.asOf(Long.MAX_VALUE);
        layers.put(
                node.id,
                new Message.Layer(
                        node.id,
                        child.parent(),
                        Math.max(mine.frozenSequence(), child.id().sequence()),
                        mine.name(),
                        mine.userMade(),
                        true,
                        mine.createdAtMillis(),
                        mine.sizeBytes(),
                        mine.dataBytes(),
                        mine.labels()));
        layers.put(child.id(), withParent(child, node.id));
    }

    private static Message.Layer withParent(Message.Layer l, LayerId parent) {
        return new Message.Layer(
                l.id(),
                parent,
                l.frozenSequence(),
                l.name(),
                l.userMade(),
                l.removed(),
                l.createdAtMillis(),
                l.sizeBytes(),
                l.dataBytes(),
                l.labels());
    }

    private static Message.Layer withData(Message.Layer l, long dataBlocks) {
        return new Message.Layer(
                l.id(),
                l.parent(),
                l.frozenSequence(),
                l.name(),
                l.userMade(),
                l.removed(),
                l.createdAtMillis(),
                l.sizeBytes(),
                dataBlocks * BLOCK,
                l.labels());
    }

    // ------------------------------------------------------------------ copies

    /** Takes in checked blocks. */
    Message.RebuildProgress install(ByteBuffer b, int at) throws IOException {
        LayerNode node = replica.tree.find(LayerBlocksLayout.layer(b, at));
        int entries = LayerBlocksLayout.entryCount(b, at);
        int payload = at + FrameLayout.headerLength(b, at);
        int installed = 0;
        for (int i = 0; i < entries; i++) {
            BlockState state = LayerBlocksLayout.state(b, at, i);
            long block = LayerBlocksLayout.block(b, at, i);
            if (node != null && isNewer(node, block, LayerBlocksLayout.sequence(b, at, i))) {
                put(
                        node,
                        block,
                        state,
                        LayerBlocksLayout.sequence(b, at, i),
                        LayerBlocksLayout.crc(b, at, i),
                        b,
                        payload);
                installed++;
            }
            payload += state == BlockState.DATA ? BLOCK : 0;
        }
        if (dirtied >= DIRTY_PAGES_MAX) {
            writeMaps();
        }
        return new Message.RebuildProgress(plan.session(), installed, entries - installed);
    }

    /** Rule: a copy is installed only over something older; what new records brought always stays. */
    private boolean isNewer(LayerNode node, long block, long sequence) throws IOException {
        return effectiveSequence(node, block) < sequence;
    }

    /** What the replica changed on its own beyond the common point counts as older than any copy. */
    private long effectiveSequence(LayerNode node, long block) throws IOException {
        if (node.pending.find(block) >= 0) {
            return Long.MAX_VALUE;
        }
        BlockLookup lookup = replica.lookup;
        long own = lookup.inFiles(node, block) ? lookup.sequence : lookup.damaged ? -1 : 0;
        if (own > plan.baseSequence()) {
            return Long.MAX_VALUE;
        }
        boolean absent = !lookup.damaged && lookup.state == BlockState.ABSENT;
        return absent || own > plan.commonSequence() ? -1 : own;
    }

    private void put(LayerNode node, long block, BlockState state, long sequence, int crc, ByteBuffer b, int payload)
            throws IOException {
        if (state == BlockState.DATA) {
            int position = b.position();
            int limit = b.limit();
            b.limit(payload + BLOCK).position(payload);
            try {
                node.files.dataFile().write(block * BLOCK, b);
            } finally {
                b.limit(limit).position(position);
            }
        }
        MapPage page = node.files.pageForChange(LayerFiles.pageOf(block));
        int index = LayerFiles.indexOf(block);
        node.dataBlocks += (state == BlockState.DATA ? 1 : 0) - (page.state(index) == BlockState.DATA ? 1 : 0);
        dirtied += page.dirty ? 0 : 1;
        page.set(index, state, sequence, crc);
        touched.add(node);
    }

    private void writeMaps() throws IOException {
        dirtied = 0;
        for (LayerNode node : touched) {
            DiskFile map = node.files.mapFileForWork();
            for (MapPage.Image image : node.files.dirtyImages()) {
                map.write(image.fileOffset(), image.bytes());
            }
        }
    }

    // ------------------------------------------------------------------ ending

    /** {@code done} runs when every copy, and every record up to {@code through}, is durable here. */
    void end(long through, Runnable done) {
        try {
            writeMaps();
            List<DiskFile> files = new ArrayList<>();
            List<LayerNode> nodes = new ArrayList<>(touched);
            for (LayerNode node : nodes) {
                files.add(node.files.dataFile());
                files.add(node.files.mapFileForWork());
                node.files.retain();
            }
            disk.worker()
                    .run(
                            DiskWorker.Lane.CHECKPOINT,
                            () -> {
                                for (DiskFile file : files) {
                                    file.sync();
                                }
                            },
                            failure -> {
                                nodes.forEach(n -> n.files.release());
                                if (failure != null) {
                                    disk.failed(failure);
                                } else {
                                    awaitDurable(through, done);
                                }
                            });
        } catch (IOException e) {
            disk.failed(e);
        }
    }

    /** Rule: a replica may join only when everything up to the join is durable on it. */
    private void awaitDurable(long through, Runnable done) {
        if (disk.hasFailed()) {
            return;
        }
        if (mayJoin(through)) {
            done.run();
        } else {
            disk.requestSync();
            disk.loop().schedule(POLL_NANOS, () -> awaitDurable(through, done));
        }
    }

    private boolean mayJoin(long through) {
        return replica.durable() >= through;
    }
}
