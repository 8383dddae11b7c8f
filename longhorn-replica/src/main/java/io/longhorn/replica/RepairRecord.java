package io.longhorn.replica;

import io.longhorn.replica.layer.BlockLookup;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * LOCAL_REPAIR, a record that only a journal has: a good copy of one block of one layer. See {@code docs/format/journal.md}. Behind the fields of {@link RecordLayout}, of which
 * offset says which block:
 *
 * <pre>
 *  80          84      88            96               104
 *  | block CRC | zero  | layer epoch | layer sequence | entry of the block map | payload
 * </pre>
 */
final class RepairRecord {
    private static final int LAYER_EPOCH_OFFSET = 88;
    private static final int LAYER_SEQUENCE_OFFSET = 96;
    private static final int ENTRY_OFFSET = 104;
    private static final int HEADER_BYTES = 112;
    private static final int FRAME_BYTES = HEADER_BYTES + FrameLayout.BLOCK_BYTES;

    private RepairRecord() {}

    /** A frame with one reference. */
    static FrameBuffer encode(FramePool pool, LayerId layer, long block, long entry, int crc, byte[] data) {
        FrameBuffer frame = pool.acquire(FRAME_BYTES);
        ByteBuffer b = frame.bytes();
        FrameLayout.encode(b, 0, FrameType.LOCAL_REPAIR, 0, FRAME_BYTES, FrameLayout.BLOCK_BYTES, 0, 0);
        b.putLong(RecordLayout.COMMITTED_OFFSET, 0);
        b.putLong(RecordLayout.OFFSET_OFFSET, block * FrameLayout.BLOCK_BYTES);
        b.putLong(RecordLayout.LENGTH_OFFSET, FrameLayout.BLOCK_BYTES);
        b.putLong(RecordLayout.DURABLE_POSITION_OFFSET, 0);
        b.putInt(RecordLayout.SEGMENT_OFFSET, 0);
        b.putInt(RecordLayout.BLOCK_COUNT_OFFSET, 1);
        b.putInt(RecordLayout.TABLE_OFFSET, crc);
        b.putInt(RecordLayout.TABLE_OFFSET + Integer.BYTES, 0);
        b.putLong(LAYER_EPOCH_OFFSET, layer.epoch());
        b.putLong(LAYER_SEQUENCE_OFFSET, layer.sequence());
        b.putLong(ENTRY_OFFSET, entry);
        b.put(HEADER_BYTES, data, 0, FrameLayout.BLOCK_BYTES);
        FrameLayout.seal(b, 0);
        return frame.length(FRAME_BYTES);
    }

    /** Whether these bytes are what the block's entry vouches for. */
    static boolean matches(byte[] data, int crc) {
        return data.length == FrameLayout.BLOCK_BYTES && Checksum.block(ByteBuffer.wrap(data), 0) == crc;
    }

    /** The record is in the journal: reads find the good copy there, until a checkpoint puts it into its place. */
    static void take(ReplicaState replica, LayerNode layer, long block, long entry, int crc, long recordPosition) {
        long position = recordPosition + HEADER_BYTES;
        replica.repairs.add(new PendingRepairs.Repair(
                layer, block, entry, crc, position, recordPosition, recordPosition + FRAME_BYTES));
        layer.pending().put(block, entry, crc, position);
        replica.disk.journalUse().needs(replica);
    }

    /** A record that a start read again. */
    record Found(ReplicaState replica, LayerId layer, long block, long entry, int crc, long position) {

        /** Takes it if the block is still what it was. To be called when everything was read: looking at a map before could take a torn page for damage. */
        void takeIfStillThere() throws IOException {
            LayerNode node = replica.tree.find(layer);
            BlockLookup lookup = new BlockLookup();
            if (node != null && lookup.own(node, block) && (lookup.isDamaged() || isSame(lookup))) {
                take(replica, node, block, entry, crc, position);
            }
        }

        private boolean isSame(BlockLookup lookup) {
            return lookup.entry() == entry && lookup.crc() == crc;
        }
    }

    /** What the frame at {@code at} says. */
    static Found decode(ReplicaState replica, ByteBuffer b, int at, long position) {
        return new Found(
                replica,
                new LayerId(b.getLong(at + LAYER_EPOCH_OFFSET), b.getLong(at + LAYER_SEQUENCE_OFFSET)),
                RecordLayout.offset(b, at) / FrameLayout.BLOCK_BYTES,
                b.getLong(at + ENTRY_OFFSET),
                RecordLayout.blockCrc(b, at, 0),
                position);
    }
}
