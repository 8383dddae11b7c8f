package io.longhorn.simulator.model;

import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a replica holds after a number of records: layers with their blocks. The plainest thing that is right. */
final class ModelContent {
    static final int BLOCK = FrameLayout.BLOCK_BYTES;

    /** A block of a layer. {@code stale}: of a history that was dropped; any copy is newer. */
    record Entry(long sequence, BlockState state, int crc, byte[] data, boolean stale) {}

    /** A layer with its own blocks. */
    record Layer(Message.Layer facts, TreeMap<Long, Entry> blocks) {}

    private static final byte[] NO_DATA = new byte[0];

    final TreeMap<LayerId, Layer> layers = new TreeMap<>();
    LayerId head = LayerId.ROOT;
    long sizeBytes;

    static ModelContent empty(long sizeBytes) {
        ModelContent content = new ModelContent();
        content.sizeBytes = sizeBytes;
        content.startHead(LayerId.ROOT, LayerId.LIVE);
        return content;
    }

    ModelContent copy() {
        ModelContent copy = new ModelContent();
        layers.forEach((id, layer) -> copy.layers.put(id, new Layer(layer.facts, new TreeMap<>(layer.blocks))));
        copy.head = head;
        copy.sizeBytes = sizeBytes;
        return copy;
    }

    private void startHead(LayerId id, LayerId parent) {
        layers.put(
                id,
                new Layer(
                        new Message.Layer(id, parent, 0, "", false, false, 0, sizeBytes, 0, Map.of()),
                        new TreeMap<>()));
        head = id;
    }

    Layer layer(LayerId id) {
        Layer layer = layers.get(id);
        if (layer == null) {
            throw new IllegalStateException("no layer " + id);
        }
        return layer;
    }

    void apply(ByteBuffer b, int at) {
        long sequence = RecordLayout.sequence(b, at);
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        if (type == null) {
            throw new IllegalStateException("not a record");
        }
        long first = RecordLayout.offset(b, at) / BLOCK;
        switch (type) {
            case WRITE -> {
                for (int i = 0; i < RecordLayout.blockCount(b, at); i++) {
                    byte[] data = new byte[BLOCK];
                    b.get(at + FrameLayout.headerLength(b, at) + i * BLOCK, data);
                    layer(head)
                            .blocks
                            .put(
                                    first + i,
                                    new Entry(sequence, BlockState.DATA, RecordLayout.blockCrc(b, at, i), data, false));
                }
            }
            case WRITE_ZEROES, DISCARD -> {
                for (long n = 0; n < RecordLayout.length(b, at) / BLOCK; n++) {
                    layer(head)
                            .blocks
                            .put(
                                    first + n,
                                    new Entry(sequence, BlockState.ZEROED, Checksum.ZERO_BLOCK, NO_DATA, false));
                }
            }
            default -> change(FrameLayout.epoch(b, at), sequence, MessageCodec.decodeStructure(b, at));
        }
    }

    private void change(long epoch, long sequence, StructureOperation operation) {
        if (operation instanceof StructureOperation.CreateSnapshot create) {
            Layer old = layer(head);
            Message.Layer f = old.facts;
            layers.put(
                    head,
                    new Layer(
                            new Message.Layer(
                                    f.id(),
                                    f.parent(),
                                    sequence,
                                    create.name(),
                                    create.userMade(),
                                    false,
                                    create.createdAtMillis(),
                                    sizeBytes,
                                    0,
                                    create.labels()),
                            old.blocks));
            startHead(new LayerId(epoch, sequence), head);
        } else if (operation instanceof StructureOperation.DeleteSnapshot delete) {
            Layer old = layer(delete.snapshot());
            Message.Layer f = old.facts;
            layers.put(
                    f.id(),
                    new Layer(
                            new Message.Layer(
                                    f.id(),
                                    f.parent(),
                                    f.frozenSequence(),
                                    f.name(),
                                    f.userMade(),
                                    true,
                                    f.createdAtMillis(),
                                    f.sizeBytes(),
                                    0,
                                    f.labels()),
                            old.blocks));
            dropLeaf(f.id());
        } else if (operation instanceof StructureOperation.Revert revert) {
            LayerId parent = layer(head).facts.parent();
            layers.remove(head);
            startHead(new LayerId(epoch, sequence), revert.snapshot());
            dropLeaf(parent);
        } else if (operation instanceof StructureOperation.Expand expand) {
            sizeBytes = Math.max(sizeBytes, expand.sizeBytes());
        }
    }

    private void dropLeaf(LayerId from) {
        Layer layer = layers.get(from);
        while (layer != null && layer.facts.removed() && !hasChildren(layer.facts.id())) {
            layers.remove(layer.facts.id());
            layer = layers.get(layer.facts.parent());
        }
    }

    private boolean hasChildren(LayerId id) {
        return layers.values().stream().anyMatch(l -> l.facts.parent().equals(id));
    }

    /** The block as {@code layer} over its parents shows it; null if no layer has it. */
    @Nullable
    Entry find(LayerId layer, long block) {
        LayerId at = layer.isLive() ? head : layer;
        for (Layer l = layers.get(at); l != null; l = layers.get(l.facts.parent())) {
            Entry entry = l.blocks.get(block);
            if (entry != null) {
                return entry;
            }
        }
        return null;
    }

    List<Message.Layer> facts() {
        List<Message.Layer> facts = new ArrayList<>();
        layers.values().forEach(l -> facts.add(l.facts));
        return facts;
    }

    /** Takes over a rebuild's tree; blocks written beyond {@code common} are stale from now on. */
    void rebase(Message.RebuildBegin begin) {
        sizeBytes = begin.sizeBytes();
        TreeMap<LayerId, Layer> old = new TreeMap<>(layers);
        layers.clear();
        for (Message.Layer facts : begin.layers()) {
            Layer had = old.get(facts.id());
            TreeMap<Long, Entry> blocks = had == null ? new TreeMap<>() : had.blocks;
            blocks.replaceAll((block, e) -> e.sequence() > begin.commonSequence()
                    ? new Entry(e.sequence(), e.state(), e.crc(), e.data(), true)
                    : e);
            layers.put(facts.id(), new Layer(facts, blocks));
            if (facts.frozenSequence() == 0) {
                head = facts.id();
            }
        }
    }

    /** A copied block; never over anything newer. */
    void install(LayerId layer, long block, Entry copy) {
        TreeMap<Long, Entry> blocks = layer(layer).blocks;
        Entry own = blocks.get(block);
        if (own == null || own.stale() || own.sequence() < copy.sequence()) {
            if (copy.state() == BlockState.ABSENT) {
                blocks.remove(block);
            } else {
                blocks.put(block, copy);
            }
        }
    }
}
