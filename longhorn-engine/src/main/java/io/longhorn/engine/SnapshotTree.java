package io.longhorn.engine;

import io.longhorn.SnapshotExistsException;
import io.longhorn.SnapshotLimitException;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.Volume;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message.Layer;
import io.longhorn.replica.wire.StructureOperation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The volume's snapshots as of the newest sequenced operation, so that names can be checked before an operation gets its sequence. The
 * replicas keep the same tree with the data. Engine loop only.
 */
final class SnapshotTree {
    private final String volume;
    private final Map<LayerId, Layer> layers = new HashMap<>();
    private LayerId head = LayerId.LIVE;

    SnapshotTree(String volume) {
        this.volume = volume;
    }

    /** Takes over what a replica says that holds every operation so far. */
    void load(List<Layer> all) {
        layers.clear();
        head = LayerId.LIVE;
        for (Layer layer : all) {
            layers.put(layer.id(), layer);
            if (layer.frozenSequence() == 0) {
                head = layer.id();
            }
        }
    }

    LayerId head() {
        return head;
    }

    /** Snapshots that exist for callers, oldest first. */
    List<Layer> snapshots() {
        List<Layer> found = new ArrayList<>();
        for (Layer layer : layers.values()) {
            if (isSnapshot(layer)) {
                found.add(layer);
            }
        }
        found.sort(Comparator.comparingLong(Layer::frozenSequence));
        return found;
    }

    Optional<Layer> find(LayerId id) {
        return Optional.ofNullable(layers.get(id)).filter(SnapshotTree::isSnapshot);
    }

    Optional<Layer> find(String name) {
        return layers.values().stream()
                .filter(l -> isSnapshot(l) && l.name().equals(name))
                .findFirst();
    }

    /** The nearest ancestor of a layer that is a snapshot for callers. */
    Optional<Layer> parentOf(Layer layer) {
        Layer at = layers.get(layer.parent());
        while (at != null && !isSnapshot(at)) {
            at = layers.get(at.parent());
        }
        return Optional.ofNullable(at);
    }

    private static boolean isSnapshot(Layer layer) {
        return layer.frozenSequence() != 0 && !layer.removed();
    }

    /** Throws what the caller should see if the operation cannot be. */
    void check(StructureOperation operation) {
        if (operation instanceof StructureOperation.CreateSnapshot create) {
            if (find(create.name()).isPresent()) {
                throw new SnapshotExistsException(volume, create.name());
            }
            if (snapshots().size() >= Volume.SNAPSHOTS_MAX) {
                throw new SnapshotLimitException(volume, Volume.SNAPSHOTS_MAX);
            }
        } else if (operation instanceof StructureOperation.DeleteSnapshot delete) {
            require(delete.snapshot());
        } else if (operation instanceof StructureOperation.Revert revert) {
            require(revert.snapshot());
        }
    }

    private void require(LayerId snapshot) {
        if (find(snapshot).isEmpty()) {
            throw new SnapshotNotFoundException(volume, snapshot.toString());
        }
    }

    /** The operation has its sequence. {@code sizeBytes} is the volume's size now. */
    void apply(StructureOperation operation, long epoch, long sequence, long sizeBytes) {
        if (layers.isEmpty()) {
            // A volume's first record makes its first layer.
            startHead(LayerId.ROOT, LayerId.LIVE, sizeBytes);
        }
        if (operation instanceof StructureOperation.CreateSnapshot create) {
            Layer old = layers.get(head);
            if (old != null) {
                layers.put(head, frozen(old, create, sequence, sizeBytes));
            }
            startHead(new LayerId(epoch, sequence), head, sizeBytes);
        } else if (operation instanceof StructureOperation.DeleteSnapshot delete) {
            layers.computeIfPresent(delete.snapshot(), (id, layer) -> removed(layer));
            dropLeaf(delete.snapshot());
        } else if (operation instanceof StructureOperation.Revert revert) {
            Layer dropped = layers.remove(head);
            startHead(new LayerId(epoch, sequence), revert.snapshot(), sizeBytes);
            if (dropped != null) {
                dropLeaf(dropped.parent());
            }
        }
    }

    private void startHead(LayerId id, LayerId parent, long sizeBytes) {
        layers.put(id, new Layer(id, parent, 0, "", false, false, 0, sizeBytes, 0, Map.of()));
        head = id;
    }

    /** Removed layers that serve nobody go, and their removed parents after them. */
    private void dropLeaf(LayerId from) {
        Layer layer = layers.get(from);
        while (layer != null && layer.removed() && !hasChildren(layer.id())) {
            layers.remove(layer.id());
            layer = layers.get(layer.parent());
        }
    }

    private boolean hasChildren(LayerId id) {
        return layers.values().stream().anyMatch(l -> l.parent().equals(id));
    }

    private static Layer frozen(Layer l, StructureOperation.CreateSnapshot s, long sequence, long sizeBytes) {
        return new Layer(
                l.id(),
                l.parent(),
                sequence,
                s.name(),
                s.userMade(),
                false,
                s.createdAtMillis(),
                sizeBytes,
                l.dataBytes(),
                s.labels());
    }

    private static Layer removed(Layer l) {
        return new Layer(
                l.id(),
                l.parent(),
                l.frozenSequence(),
                l.name(),
                l.userMade(),
                true,
                l.createdAtMillis(),
                l.sizeBytes(),
                l.dataBytes(),
                l.labels());
    }
}
