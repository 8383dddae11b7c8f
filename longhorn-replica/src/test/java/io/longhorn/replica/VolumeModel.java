package io.longhorn.replica;

import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** What a volume holds after some operations: per block the seed of its content, 0 for zeroes; of the head and of each snapshot. */
final class VolumeModel {
    long[] head;
    LayerId headId = LayerId.ROOT;
    final Map<LayerId, long[]> snapshots = new TreeMap<>();

    VolumeModel(int blocks) {
        head = new long[blocks];
    }

    /** An operation on the model. */
    sealed interface Operation {}

    record Write(int first, long... seeds) implements Operation {}

    record Zeroes(int first, int count, boolean discard) implements Operation {}

    record Structure(StructureOperation operation) implements Operation {}

    void apply(Operation operation, long epoch, long sequence) {
        if (operation instanceof Write write) {
            System.arraycopy(write.seeds(), 0, head, write.first(), write.seeds().length);
        } else if (operation instanceof Zeroes zeroes) {
            Arrays.fill(head, zeroes.first(), zeroes.first() + zeroes.count(), 0);
        } else if (operation instanceof Structure structure) {
            apply(structure.operation(), new LayerId(epoch, sequence));
        }
    }

    private void apply(StructureOperation operation, LayerId id) {
        if (operation instanceof StructureOperation.CreateSnapshot) {
            snapshots.put(headId, head.clone());
            headId = id;
        } else if (operation instanceof StructureOperation.DeleteSnapshot delete) {
            snapshots.remove(delete.snapshot());
        } else if (operation instanceof StructureOperation.Revert revert) {
            head = Arrays.copyOf(snapshots.get(revert.snapshot()), head.length);
            headId = id;
        } else if (operation instanceof StructureOperation.Expand expand) {
            head = Arrays.copyOf(head, (int) (expand.sizeBytes() / 4096));
        }
    }

    /** The content of a block with that seed, at {@code at}. */
    static void fill(ByteBuffer b, int at, long seed) {
        for (int i = 0; i < 4096; i += Long.BYTES) {
            b.putLong(at + i, seed == 0 ? 0 : seed * 0x9E3779B97F4A7C15L + i);
        }
    }

    static byte[] content(long seed) {
        ByteBuffer b = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        fill(b, 0, seed);
        return b.array();
    }

    /** The seed of the block at {@code at}, -1 if that is no block of ours. */
    static long seedOf(ByteBuffer b, int at) {
        long first = b.getLong(at);
        // The multiplier's inverse modulo 2^64.
        long seed = first * 0xF1DE83E19937733DL;
        for (int i = 0; i < 4096; i += Long.BYTES) {
            if (b.getLong(at + i) != (seed == 0 ? 0 : seed * 0x9E3779B97F4A7C15L + i)) {
                return -1;
            }
        }
        return seed;
    }
}
