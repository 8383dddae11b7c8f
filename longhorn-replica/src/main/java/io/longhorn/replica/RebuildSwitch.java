package io.longhorn.replica;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.disk.SyncFailedException;
import io.longhorn.replica.layer.BlockMap;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.layer.MapUpdates;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.Message.Layer;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The moment in which a replica that is being rebuilt leaves its own history: it drops its records beyond the common point, takes over the source's layers, and stands at the base.
 * One write of the metadata decides; before it nothing is lost, after it a restart finds the new place. Loop only.
 */
final class RebuildSwitch implements LayerChanges.Change {
    private final RebuildTarget target;
    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final DiskWorker.Outcome outcome;
    private final List<Layer> layers = new ArrayList<>();
    private final List<LayerNode> foreign = new ArrayList<>();
    private final ArrayDeque<LayerNode> toSettle = new ArrayDeque<>();
    private Runnable ended = () -> {};

    RebuildSwitch(RebuildTarget target, DiskWorker.Outcome outcome) {
        this.target = target;
        this.disk = target.disk();
        this.replica = target.replica();
        this.outcome = outcome;
    }

    @Override
    public void begin(Runnable whenEnded) {
        ended = whenEnded;
        if (target.isCancelled() || replica.isGone()) {
            over(null);
            return;
        }
        replica.isSwitching = true;
        reconcile();
        List<Layer> made = new ArrayList<>();
        List<Layer> longer = new ArrayList<>();
        for (Layer layer : layers) {
            LayerNode own = replica.tree.find(layer.id());
            if (own == null || own.files() == null) {
                made.add(layer);
            } else {
                toSettle.add(own);
                if (own.filesSizeBytes() < layer.sizeBytes()) {
                    longer.add(layer);
                }
            }
        }
        disk.worker().run(DiskWorker.Lane.CHECKPOINT, () -> makeFiles(made, longer), failure -> {
            if (failure != null) {
                over(failure);
                return;
            }
            longer.forEach(this::lengthened);
            settleNext();
        });
    }

    private void makeFiles(List<Layer> made, List<Layer> longer) throws IOException {
        for (Layer layer : made) {
            LayerFiles.create(disk.directory(), replica.directory, layer.id(), layer.sizeBytes());
        }
        for (Layer layer : longer) {
            LayerFiles.expand(disk.directory(), replica.directory, layer.id(), layer.sizeBytes());
        }
    }

    private void lengthened(Layer layer) {
        LayerNode node = replica.tree.find(layer.id());
        if (node != null) {
            node.filesExpanded(layer.sizeBytes());
        }
    }

    // ------------------------------------------------------------------ layers

    /**
     * The source's tree, and in it own layers that the source lacks but that kept ones stand on: the source merged them away while we were gone, and what it moved we still have only
     * there. They stay, as residual layers, in their place by age. Layers that nothing kept stands on are foreign.
     */
    private void reconcile() {
        Map<LayerId, Layer> result = new HashMap<>();
        for (Layer layer : target.plan().layers()) {
            LayerNode own = replica.tree.find(layer.id());
            result.put(layer.id(), with(layer, layer.parent(), own == null ? 0 : own.dataBlocks()));
        }
        for (LayerNode node : replica.tree.all()) {
            if (!result.containsKey(node.id())) {
                LayerId above = keptAbove(node);
                if (above == null || node.files() == null) {
                    foreign.add(node);
                } else {
                    insertByAge(result, node, above);
                }
            }
        }
        layers.addAll(result.values());
        layers.sort(Comparator.comparing(Layer::id));
    }

    /** A layer of the source's tree that stands on {@code node} here. */
    private @Nullable LayerId keptAbove(LayerNode node) {
        for (Layer layer : target.plan().layers()) {
            for (LayerNode at = replica.tree.find(layer.id()); at != null; at = at.parent()) {
                if (at == node) {
                    return layer.id();
                }
            }
        }
        return null;
    }

    private static void insertByAge(Map<LayerId, Layer> layers, LayerNode node, LayerId above) {
        Layer child = layers.get(above);
        while (child != null && !child.parent().isLive() && child.parent().compareTo(node.id()) > 0) {
            child = layers.get(child.parent());
        }
        if (child == null) {
            return;
        }
        layers.put(
                node.id(),
                new Layer(
                        node.id(),
                        child.parent(),
                        Math.max(node.frozenSequence(), node.id().sequence() + 1),
                        node.name(),
                        node.userMade(),
                        true,
                        node.createdAtMillis(),
                        node.sizeBytes(),
                        node.dataBlocks() * FrameLayout.BLOCK_BYTES,
                        Map.of()));
        layers.put(child.id(), with(child, node.id(), child.dataBytes() / FrameLayout.BLOCK_BYTES));
    }

    private static Layer with(Layer l, LayerId parent, long dataBlocks) {
        return new Layer(
                l.id(),
                parent,
                l.frozenSequence(),
                l.name(),
                l.userMade(),
                l.removed(),
                l.createdAtMillis(),
                l.sizeBytes(),
                dataBlocks * FrameLayout.BLOCK_BYTES,
                l.labels());
    }

    // ------------------------------------------------------------------ entries of lost histories

    /** Finds the entries of a map that must change. Worker, with the files retained. */
    private interface Search {
        void run(LayerFiles files, MapUpdates found) throws IOException;
    }

    /** Entries that would say something wrong once the own history beyond the common point is dropped. */
    private void settleNext() {
        LayerNode node = toSettle.poll();
        LayerFiles files = node == null ? null : node.files();
        if (node == null) {
            store();
        } else if (files == null) {
            settleNext();
        } else {
            long[] unsettled = node.pending().tableBlocks();
            clamp(files, () -> disown(files, unsettled));
        }
    }

    /**
     * Copies of an earlier session may have brought entries of operations that were never confirmed, from a source whose history was dropped since; and own confirmed records that were
     * lost everywhere else may be in the layers. Their sequences may be beyond the base, where records of the present history will have the same ones; so they are brought down to the
     * base. They still count as own changes, and are copied again.
     */
    private void clamp(LayerFiles files, Runnable next) {
        if (mayHaveEntriesBeyond(target.plan().baseSequence())) {
            change(files, this::findBeyondBase, next);
        } else {
            next.run();
        }
    }

    /** A process that died may have written entries of any own record, also one that its metadata do not call checkpointed. */
    private boolean mayHaveEntriesBeyond(long base) {
        return target.wasMixed() || replica.lastSequence() > base;
    }

    private void findBeyondBase(LayerFiles files, MapUpdates found) throws IOException {
        long base = target.plan().baseSequence();
        files.map().walk(0, files.map().blocks(), base, (block, entry, crc) -> {
            if (!MapEntry.isDamaged(entry)) {
                found.add(block, MapEntry.of(MapEntry.state(entry), base), crc);
            }
            return true;
        });
    }

    /**
     * A checkpoint that did not end may have written the bytes of own records and not their entries, and the records are about to be dropped: what the layer has of these blocks may
     * not be what their entries of the common past say. They count as own changes from now on, and are copied.
     */
    private void disown(LayerFiles files, long[] unsettled) {
        if (unsettled.length == 0) {
            settleNext();
        } else {
            change(files, (its, found) -> findOfCommonPast(its, unsettled, found), this::settleNext);
        }
    }

    private void findOfCommonPast(LayerFiles files, long[] unsettled, MapUpdates found) throws IOException {
        long common = target.commonSequence();
        long disowned =
                MapEntry.of(BlockState.DATA, Math.min(common + 1, target.plan().baseSequence()));
        for (int from = 0, to; from < unsettled.length; from = to) {
            to = endOfPage(unsettled, from);
            files.map().walk(unsettled[from], unsettled[to - 1] + 1, 0, (block, entry, crc) -> {
                if (MapEntry.isData(entry)
                        && MapEntry.sequence(entry) <= common
                        && Arrays.binarySearch(unsettled, block) >= 0) {
                    found.add(block, disowned, crc);
                }
                return true;
            });
        }
    }

    private static int endOfPage(long[] blocks, int from) {
        long page = MapPage.pageOf(blocks[from]);
        int to = from + 1;
        while (to < blocks.length && MapPage.pageOf(blocks[to]) == page) {
            to++;
        }
        return to;
    }

    private void change(LayerFiles files, Search search, Runnable next) {
        try {
            files.retain();
        } catch (IOException e) {
            over(e);
            return;
        }
        MapUpdates found = new MapUpdates();
        disk.worker().run(DiskWorker.Lane.CHECKPOINT, () -> search.run(files, found), failure -> {
            if (failure != null || found.size() == 0) {
                files.release();
                if (failure != null) {
                    over(failure);
                } else {
                    next.run();
                }
                return;
            }
            files.map().beginUpdate();
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, () -> write(files, found), outcomeOfWrite -> {
                files.map().endUpdate(found);
                files.release();
                if (outcomeOfWrite != null) {
                    over(outcomeOfWrite);
                } else {
                    next.run();
                }
            });
        });
    }

    private static void write(LayerFiles files, MapUpdates changed) throws IOException {
        files.map().update(changed, BlockMap.ALWAYS);
        try {
            files.syncMap();
        } catch (IOException e) {
            throw new SyncFailedException("the map of layer " + files.id(), e);
        }
    }

    // ------------------------------------------------------------------ the switch

    private void store() {
        Message.RebuildBegin plan = target.plan();
        ReplicaMeta switched = replica.keeper
                .wanted()
                .change()
                .sizeBytes(plan.sizeBytes())
                .checkpointedSequence(plan.baseSequence())
                .committedSequence(plan.baseSequence())
                .mixed(new ReplicaMeta.Mixed(plan.session(), target.commonSequence(), plan.baseSequence()))
                .history(plan.history())
                .layers(layers)
                .build();
        replica.keeper.change(switched);
        replica.keeper.store(true, failure -> {
            if (failure != null) {
                // The file says one thing or the other, and we do not know which.
                disk.failed(failure);
                over(failure);
            } else {
                stored(switched);
            }
        });
    }

    private void stored(ReplicaMeta switched) {
        replica.restart(switched);
        disk.hosted().publish(replica);
        disk.metadataStored(null);
        for (LayerNode node : foreign) {
            LayerFiles files = node.files();
            if (files != null) {
                try {
                    files.close();
                } catch (IOException e) {
                    over(e);
                    return;
                }
            }
        }
        disk.worker().run(DiskWorker.Lane.CHECKPOINT, this::deleteForeign, this::over);
    }

    private void deleteForeign() throws IOException {
        for (LayerNode node : foreign) {
            LayerFiles.delete(disk.directory(), replica.directory, node.id());
        }
        disk.directory().syncDirectory(replica.directory);
    }

    private void over(@Nullable IOException failure) {
        if (failure != null) {
            disk.layerChangeFailed("beginning of a rebuild of " + replica, failure);
        }
        replica.isSwitching = false;
        ended.run();
        outcome.done(failure);
    }
}
