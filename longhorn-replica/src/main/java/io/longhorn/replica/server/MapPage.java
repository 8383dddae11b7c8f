package io.longhorn.replica.server;

import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.LayerId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A page of a layer's block map: {@link #ENTRIES} blocks' state, sequence and CRC; see {@code docs/format}, section 3. Little-endian.
 *
 * <pre>
 *  0     4       8         16            24            32               40       64
 *  | CRC | magic | version | page number | layer epoch | layer sequence | key id | 336 entries of 12 bytes
 *  entry: state (2 high bits) and sequence (62 low bits) u64 | CRC32C u32
 * </pre>
 */
final class MapPage {
    static final int BYTES = 4096;
    static final int ENTRIES = 336;
    /** "LHMP". */
    static final int MAGIC = 0x504D484C;

    private static final int ENTRIES_OFFSET = 64;
    private static final int ENTRY_BYTES = 12;
    private static final int STATE_SHIFT = 62;
    private static final long SEQUENCE_MASK = (1L << STATE_SHIFT) - 1;

    final long number;
    private final ByteBuffer bytes;
    /** Slot that holds the newest valid version on disk: 0 or 1; -1 if neither does. */
    private int slot;

    private boolean damaged;
    /** Entries that say something. */
    private int present;
    /** Changed in memory, not yet on disk: must stay. */
    boolean dirty;
    /** Looked at since the cache last passed by. */
    boolean used = true;

    private MapPage(long number, ByteBuffer bytes, int slot, boolean damaged) {
        this.number = number;
        this.bytes = bytes;
        this.slot = slot;
        this.damaged = damaged;
        for (int i = 0; i < ENTRIES; i++) {
            present += state(i) == BlockState.ABSENT ? 0 : 1;
        }
    }

    /** The page as the two slots show it: the valid one with the higher version; nothing if both are empty; damaged if neither decides. */
    static MapPage of(long number, LayerId layer, ByteBuffer both) {
        boolean firstValid = isValid(both, 0, number, layer);
        boolean secondValid = isValid(both, BYTES, number, layer);
        if (firstValid || secondValid) {
            boolean second = secondValid && (!firstValid || both.getLong(BYTES + 8) > both.getLong(8));
            return new MapPage(number, copy(both, second ? BYTES : 0), second ? 1 : 0, false);
        }
        boolean empty = isZero(both);
        return new MapPage(number, ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN), -1, !empty);
    }

    static MapPage empty(long number) {
        return new MapPage(number, ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN), -1, false);
    }

    private static boolean isValid(ByteBuffer b, int at, long number, LayerId layer) {
        return b.getInt(at + 4) == MAGIC
                && b.getInt(at) == Checksum.of(b, at + 4, BYTES - 4)
                && b.getLong(at + 16) == number
                && b.getLong(at + 24) == layer.epoch()
                && b.getLong(at + 32) == layer.sequence();
    }

    private static boolean isZero(ByteBuffer b) {
        for (int i = 0; i < 2 * BYTES; i += 8) {
            if (b.getLong(i) != 0) {
                return false;
            }
        }
        return true;
    }

    private static ByteBuffer copy(ByteBuffer b, int at) {
        return ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN).put(0, b, at, BYTES);
    }

    /** Neither slot could be believed: the state of its blocks is unknown until they are written again or copied from a peer. */
    boolean isDamaged() {
        return damaged;
    }

    int present() {
        return present;
    }

    private static int at(int index) {
        return ENTRIES_OFFSET + ENTRY_BYTES * index;
    }

    BlockState state(int index) {
        return BlockState.of((int) (bytes.getLong(at(index)) >>> STATE_SHIFT));
    }

    long sequence(int index) {
        return bytes.getLong(at(index)) & SEQUENCE_MASK;
    }

    int crc(int index) {
        return bytes.getInt(at(index) + 8);
    }

    void set(int index, BlockState state, long sequence, int crc) {
        present += (state == BlockState.ABSENT ? 0 : 1) - (state(index) == BlockState.ABSENT ? 0 : 1);
        bytes.putLong(at(index), (long) state.code() << STATE_SHIFT | sequence);
        bytes.putInt(at(index) + 8, crc);
        dirty = true;
    }

    /** What the next write of this page puts where: the slot that does not hold the newest version. */
    record Image(long fileOffset, ByteBuffer bytes) {}

    Image image(LayerId layer) {
        int target = slot == 0 ? 1 : 0;
        long version = bytes.getLong(8) + 1;
        bytes.putInt(4, MAGIC);
        bytes.putLong(8, version);
        bytes.putLong(16, number);
        bytes.putLong(24, layer.epoch());
        bytes.putLong(32, layer.sequence());
        bytes.putInt(0, Checksum.of(bytes.clear(), 4, BYTES - 4));
        slot = target;
        dirty = false;
        ByteBuffer image = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0, bytes, 0, BYTES);
        return new Image((2 * number + target) * BYTES, image);
    }
}
