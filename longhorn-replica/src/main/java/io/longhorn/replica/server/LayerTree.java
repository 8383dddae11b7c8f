package io.longhorn.replica.server;

import io.longhorn.replica.DiskDirectory;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.StructureOperation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The layers of a replica: a tree whose leaf, the head, is written, and whose other layers are frozen. Takes structural operations when their
 * record is accepted; what they mean for files happens later ({@link SnapshotRemoval}). Loop only.
 */
final class LayerTree {
    private final DiskDirectory disk;
    private final String directory;
    private final OpenLayers open;
    private final Map<LayerId, LayerNode> nodes = new HashMap<>();
    private @Nullable LayerNode head;

    LayerTree(DiskDirectory disk, String directory, OpenLayers open) {
        this.disk = disk;
        this.directory = directory;
        this.open = open;
    }

    /** Takes over a stored tree; layers that stay keep their files. */
    void load(List<Message.Layer> layers) throws IOException {
        head = null;
        Map<LayerId, LayerNode> before = new HashMap<>(nodes);
        nodes.clear();
        List<Message.Layer> sorted = new ArrayList<>(layers);
        sorted.sort(Comparator.comparing(Message.Layer::id));
        for (Message.Layer layer : sorted) {
            LayerNode node = before.get(layer.id());
            if (node == null) {
                node = new LayerNode(layer.id(), null, layer.sizeBytes(), files(layer.id()));
            }
            node.parent = nodes.get(layer.parent());
            node.frozenSequence = layer.frozenSequence();
            node.name = layer.name();
            node.userMade = layer.userMade();
            node.createdAtMillis = layer.createdAtMillis();
            node.sizeBytes = layer.sizeBytes();
            node.labels = layer.labels();
            node.removedSequence = layer.removed() ? Math.max(1, layer.frozenSequence()) : 0;
            node.droppedSequence = 0;
            node.pending.clear();
            node.dataBlocks = layer.dataBytes() / FrameLayout.BLOCK_BYTES;
            nodes.put(layer.id(), node);
            if (node.isHead()) {
                head = node;
            }
        }
    }

    private LayerFiles files(LayerId id) throws IOException {
        return new LayerFiles(disk, directory, id, open);
    }

    /** The layer being written; null before the first record. */
    @Nullable
    LayerNode head() {
        return head;
    }

    @Nullable
    LayerNode find(LayerId id) {
        return nodes.get(id);
    }

    List<LayerNode> all() {
        List<LayerNode> all = new ArrayList<>(nodes.values());
        all.sort(Comparator.comparing(n -> n.id));
        return all;
    }

    List<LayerNode> children(LayerNode node) {
        List<LayerNode> children = new ArrayList<>();
        for (LayerNode other : nodes.values()) {
            if (other.parent == node) {
                children.add(other);
            }
        }
        return children;
    }

    /** The first layer of an empty replica. */
    LayerNode startHead(LayerId id, long sizeBytes) throws IOException {
        LayerNode node = new LayerNode(id, head, sizeBytes, files(id));
        nodes.put(id, node);
        head = node;
        return node;
    }

    /** A structural operation was accepted. */
    void apply(StructureOperation operation, long epoch, long sequence, long sizeBytes) throws IOException {
        if (operation instanceof StructureOperation.CreateSnapshot create) {
            LayerNode frozen = head;
            if (frozen != null) {
                frozen.frozenSequence = sequence;
                frozen.name = create.name();
                frozen.userMade = create.userMade();
                frozen.createdAtMillis = create.createdAtMillis();
                frozen.labels = create.labels();
                frozen.sizeBytes = sizeBytes;
            }
            startHead(new LayerId(epoch, sequence), sizeBytes);
        } else if (operation instanceof StructureOperation.DeleteSnapshot delete) {
            LayerNode node = nodes.get(delete.snapshot());
            if (node != null && !node.isRemoved()) {
                node.removedSequence = sequence;
            }
        } else if (operation instanceof StructureOperation.Revert revert) {
            LayerNode dropped = head;
            if (dropped != null) {
                dropped.droppedSequence = sequence;
            }
            head = nodes.get(revert.snapshot());
            startHead(new LayerId(epoch, sequence), sizeBytes);
        } else if (operation instanceof StructureOperation.Expand expand) {
            LayerNode node = head;
            if (node != null) {
                node.sizeBytes = expand.sizeBytes();
            }
        }
    }

    /** The layer that was head when the operation with that sequence was sequenced; null if that head was dropped by a revert. */
    @Nullable
    LayerNode layerOf(long sequence) {
        for (LayerNode node = head; node != null; node = node.parent) {
            if (node.covers(sequence)) {
                return node;
            }
        }
        for (LayerNode node : nodes.values()) {
            if (node.droppedSequence > sequence && node.id.sequence() <= sequence) {
                return node;
            }
        }
        return null;
    }

    /** The tree as of an operation. */
    List<Message.Layer> asOf(long sequence) {
        List<Message.Layer> layers = new ArrayList<>();
        for (LayerNode node : all()) {
            boolean exists = node.id.sequence() <= sequence;
            boolean dropped = node.droppedSequence != 0 && node.droppedSequence <= sequence;
            if (exists && !dropped) {
                layers.add(node.asOf(sequence));
            }
        }
        return layers;
    }

    /** Takes a layer out; its children hang on its parent from now on. */
    void remove(LayerNode node) {
        for (LayerNode child : children(node)) {
            child.parent = node.parent;
        }
        nodes.remove(node.id);
    }
}
