package io.longhorn.replica;

import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.LayerWork;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.wire.FrameLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives back the space of layers that nobody can name any more: heads that a revert dropped, deleted snapshots. One that nothing stands on goes whole. One that a single layer stands
 * on gives up the blocks that this child overrides; what is left stays where it is, as a residual layer, until there are too many of them and the one with the least is merged into
 * its child. One that several layers stand on stays. All of it in small steps between checkpoints. Loop only.
 */
final class SnapshotRemoval {
    /** Residual layers that a replica keeps; one more is merged into its child. */
    static final int RESIDUAL_LAYERS_MAX = 16;
    /** After a failure, mostly for want of space, nothing is tried for this time. */
    private static final long RETRY_NANOS = 1_000_000_000;

    private final ReplicaDisk disk;
    private final Set<ReplicaState> queued = new HashSet<>();
    /** Layers that are out of their trees, but not durably. */
    private final List<LayerDrop> unfinished = new ArrayList<>();

    private boolean paused;

    SnapshotRemoval(ReplicaDisk disk) {
        this.disk = disk;
    }

    /** Something that decides about removed layers may have changed: looks for the next thing to do. */
    void consider(ReplicaState replica) {
        if (next(replica) != null && queued.add(replica)) {
            disk.changes().add(ended -> {
                queued.remove(replica);
                LayerChanges.Change change = next(replica);
                if (change == null) {
                    ended.run();
                } else {
                    change.begin(() -> {
                        consider(replica);
                        ended.run();
                    });
                }
            });
        }
    }

    /** Blocks came into layers: what stands directly below may be overridden there from now on. */
    void checkpointed(ReplicaState replica, List<LayerWork> works) {
        for (LayerWork work : works) {
            LayerNode below = work.layer().parent();
            if (below != null && below.isRemoved()) {
                below.removal().addOverridden(work);
            }
        }
        consider(replica);
    }

    /** The replica is whole again after a rebuild, which filled its layers past the checkpoints. */
    void rebuilt(ReplicaState replica) {
        replica.tree.all().forEach(layer -> layer.removal().startOver());
        consider(replica);
    }

    /** A step failed: all of it is tried again later. */
    void pause() {
        if (!paused && !disk.isStopping()) {
            paused = true;
            disk.loop().schedule(RETRY_NANOS, () -> {
                paused = false;
                unfinished.removeIf(LayerDrop::isPointless);
                List.copyOf(disk.replicas()).forEach(this::consider);
            });
        }
    }

    /** The same for a layer that is out of its tree already. */
    void tryAgain(LayerDrop drop) {
        unfinished.add(drop);
        pause();
    }

    /** It begins. */
    void taken(LayerDrop drop) {
        unfinished.remove(drop);
    }

    private LayerChanges.@Nullable Change next(ReplicaState replica) {
        if (paused || replica.isGone() || replica.isMixed() || disk.hasFailed()) {
            return null;
        }
        for (LayerDrop drop : unfinished) {
            if (drop.isOf(replica)) {
                return drop;
            }
        }
        LayerNode least = null;
        int residual = 0;
        for (LayerNode node : replica.tree.all()) {
            if (!mayGo(replica, node)) {
                continue;
            }
            List<LayerNode> children = replica.tree.children(node);
            if (children.isEmpty()) {
                return new LayerDrop(disk, replica, node);
            }
            LayerFiles files = node.files();
            LayerNode child = children.get(0);
            LayerFiles childFiles = child.files();
            if (children.size() > 1 || files == null || childFiles == null) {
                continue;
            }
            if (!node.removal().isPunchedFor(child.id())) {
                return new LayerPunch(disk, replica, node, files, child.id(), childFiles);
            }
            if (node.removal().isEmpty()) {
                return new LayerDrop(disk, replica, node);
            }
            residual++;
            if (!node.removal().isUnmergeable() && (least == null || node.dataBlocks() < least.dataBlocks())) {
                least = node;
            }
        }
        return residual > RESIDUAL_LAYERS_MAX && least != null && hasRoomToMerge(least) ? merge(replica, least) : null;
    }

    /** A merged layer's space is given back only when all of it was copied, and copies must not use what is kept for removal. */
    private boolean hasRoomToMerge(LayerNode least) {
        return disk.space().availableBytes() >= least.dataBlocks() * (FrameLayout.BLOCK_BYTES + MapPage.BYTES);
    }

    private LayerChanges.@Nullable Change merge(ReplicaState replica, LayerNode node) {
        LayerNode child = replica.tree.children(node).get(0);
        LayerFiles files = node.files();
        LayerFiles childFiles = child.files();
        return files == null || childFiles == null
                ? null
                : new LayerMerge(disk, replica, node, files, child, childFiles);
    }

    /** The rule for removal: it has its effect when its operation, and with it all that came before, is in the layers for good, and nobody holds a pin. */
    private static boolean mayGo(ReplicaState replica, LayerNode node) {
        long since = node.droppedSequence() != 0 ? node.droppedSequence() : node.removedSequence();
        return since != 0
                && since <= replica.keeper.stored().checkpointedSequence()
                && !replica.pins.holds(node.id())
                && (node.droppedSequence() != 0 || node.pending().isEmpty());
    }

    /** The rule for punching: only what the child's durable map overrides; a journaled record does not count. */
    static boolean isOverridden(long childEntry) {
        return !MapEntry.isAbsent(childEntry) && !MapEntry.isDamaged(childEntry);
    }

    /** The rule for merging: a copy goes only where the child says nothing. */
    static boolean isMerged(long childEntry) {
        return MapEntry.isAbsent(childEntry);
    }
}
