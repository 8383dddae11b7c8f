package io.longhorn.replica.layer;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.StructureOperation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The layers of a replica: a tree whose head is written and whose other layers are frozen, and the volume's size. Takes a structural operation when its record is accepted, so
 * that later records meet its outcome; what it means for files happens when it is committed and checkpointed. Loop only.
 */
public final class LayerTree {

    /** Gives a layer that the metadata lists its files. */
    public interface Files {
        LayerFiles of(LayerId id, long sizeBytes);
    }

    private record Expansion(long sequence, long sizeBefore) {}

    private final Map<LayerId, LayerNode> nodes = new HashMap<>();
    private final List<Expansion> expansions = new ArrayList<>();
    private LayerNode head = new LayerNode(LayerId.ROOT, null, 0);
    private long sizeBytes;

    /** Takes over a stored tree, without pending blocks. Layers that stay keep their files. */
    public void load(List<Message.Layer> layers, long volumeBytes, Files files) {
        Map<LayerId, LayerNode> before = new HashMap<>(nodes);
        nodes.clear();
        expansions.clear();
        sizeBytes = volumeBytes;
        List<Message.Layer> oldestFirst = new ArrayList<>(layers);
        oldestFirst.sort(Comparator.comparing(Message.Layer::id));
        for (Message.Layer layer : oldestFirst) {
            LayerNode node = new LayerNode(layer.id(), nodes.get(layer.parent()), layer.sizeBytes());
            LayerNode same = before.get(layer.id());
            LayerFiles kept = same == null ? null : same.files;
            node.files = kept != null ? kept : files.of(layer.id(), layer.sizeBytes());
            node.filesSizeBytes = same != null && kept != null ? same.filesSizeBytes : layer.sizeBytes();
            node.frozenSequence = layer.frozenSequence();
            node.name = layer.name();
            node.userMade = layer.userMade();
            node.createdAtMillis = layer.createdAtMillis();
            node.labels = layer.labels();
            node.removedSequence = layer.removed() ? layer.frozenSequence() : 0;
            node.dataBlocks = layer.dataBytes() / FrameLayout.BLOCK_BYTES;
            nodes.put(layer.id(), node);
            if (node.isHead()) {
                head = node;
            }
        }
    }

    /** The layer being written. */
    public LayerNode head() {
        return head;
    }

    /** Of the volume, now. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /** The layer with that id, null if there is none. */
    @Nullable
    public LayerNode find(LayerId id) {
        return nodes.get(id);
    }

    /** All layers, oldest first; heads that a revert dropped among them until their files are gone. */
    public List<LayerNode> all() {
        List<LayerNode> all = new ArrayList<>(nodes.values());
        all.sort(Comparator.comparing(n -> n.id()));
        return all;
    }

    /** Layers directly above {@code node}. */
    public List<LayerNode> children(LayerNode node) {
        List<LayerNode> children = new ArrayList<>();
        for (LayerNode other : nodes.values()) {
            if (other.parent == node) {
                children.add(other);
            }
        }
        return children;
    }

    /** A structural operation was accepted. What the tree shows already, because a checkpoint stored it before a crash, is not done again. */
    public void apply(StructureOperation operation, long epoch, long sequence) {
        if (operation instanceof StructureOperation.CreateSnapshot create) {
            freeze(create, epoch, sequence);
        } else if (operation instanceof StructureOperation.DeleteSnapshot delete) {
            LayerNode node = nodes.get(delete.snapshot());
            if (node != null && node.frozenSequence != 0 && !node.isRemoved()) {
                node.removedSequence = sequence;
            }
        } else if (operation instanceof StructureOperation.Revert revert) {
            revert(revert.snapshot(), epoch, sequence);
        } else if (operation instanceof StructureOperation.Expand expand && expand.sizeBytes() > sizeBytes) {
            expansions.add(new Expansion(sequence, sizeBytes));
            sizeBytes = expand.sizeBytes();
            head.sizeBytes = sizeBytes;
        }
    }

    private boolean isApplied(long sequence) {
        return !head.id().equals(LayerId.ROOT) && sequence <= head.id().sequence();
    }

    private void freeze(StructureOperation.CreateSnapshot create, long epoch, long sequence) {
        if (isApplied(sequence)) {
            return;
        }
        LayerNode frozen = head;
        frozen.frozenSequence = sequence;
        frozen.name = create.name();
        frozen.userMade = create.userMade();
        frozen.createdAtMillis = create.createdAtMillis();
        frozen.labels = create.labels();
        frozen.sizeBytes = sizeBytes;
        startHead(new LayerId(epoch, sequence), frozen);
    }

    private void revert(LayerId snapshot, long epoch, long sequence) {
        LayerNode target = nodes.get(snapshot);
        if (isApplied(sequence) || target == null || target.frozenSequence == 0) {
            return;
        }
        head.droppedSequence = sequence;
        startHead(new LayerId(epoch, sequence), target);
    }

    private void startHead(LayerId id, LayerNode parent) {
        head = new LayerNode(id, parent, sizeBytes);
        nodes.put(id, head);
    }

    /** The layer that was head when the operation with that sequence was sequenced; null if that one is gone since. */
    @Nullable
    public LayerNode layerOf(long sequence) {
        if (head.tookRecord(sequence)) {
            return head;
        }
        for (LayerNode node : nodes.values()) {
            if (node.tookRecord(sequence)) {
                return node;
            }
        }
        return null;
    }

    /** The volume's size after the operation with that sequence, which must not be checkpointed before. */
    public long sizeAsOf(long sequence) {
        for (Expansion expansion : expansions) {
            if (expansion.sequence() > sequence) {
                return expansion.sizeBefore();
            }
        }
        return sizeBytes;
    }

    /** The layers after the operation with that sequence. */
    public List<Message.Layer> asOf(long sequence) {
        long size = sizeAsOf(sequence);
        List<Message.Layer> layers = new ArrayList<>();
        for (LayerNode node : all()) {
            if (node.existedAt(sequence)) {
                layers.add(node.asOf(sequence, size));
            }
        }
        return layers;
    }

    /** Nobody asks for a state before that sequence any more. */
    public void forgetBefore(long sequence) {
        expansions.removeIf(expansion -> expansion.sequence() <= sequence);
    }

    /** Takes a layer out; what stood on it stands on its parent from now on. */
    public void remove(LayerNode node) {
        for (LayerNode child : children(node)) {
            child.parent = node.parent;
        }
        nodes.remove(node.id());
    }

    /** The way from {@code node} down to the oldest layer, itself first; empty for null. */
    public static List<LayerNode> chain(@Nullable LayerNode node) {
        List<LayerNode> chain = new ArrayList<>();
        for (LayerNode at = node; at != null; at = at.parent) {
            chain.add(at);
        }
        return chain;
    }
}
