package io.longhorn.replica.layer;

import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.LayerId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/**
 * One page of a block map, in memory as on disk; see {@code docs/format/layer.md}, section 3. Little-endian.
 *
 * <pre>
 *  0          4            8       12        14         16        24            28       32            40               48
 *  | page CRC | header CRC | magic | version | reserved | counter | page number | key id | layer epoch | layer sequence | replica id
 *  64: 336 entries of 12 bytes: state and sequence u64 ({@link MapEntry}), CRC32C of the block u32
 * </pre>
 *
 * The page CRC covers bytes [4, 4096), the header CRC [8, 64). The counter grows with every writing of the page, so it tells which of
 * its two copies is newer.
 */
public final class MapPage {
    /** "LHMP" as a little-endian int. */
    static final int MAGIC = 0x504D484C;

    static final int VERSION = 1;

    static final int PAGE_CRC_OFFSET = 0;
    /** Guards against believing the counter of a copy whose header is damaged. */
    static final int HEADER_CRC_OFFSET = 4;

    static final int MAGIC_OFFSET = 8;
    static final int VERSION_OFFSET = 12;
    static final int COUNTER_OFFSET = 16;
    /** Guards against a page that the disk wrote elsewhere. */
    static final int PAGE_NUMBER_OFFSET = 24;
    /** Left for encryption at rest: which key the layer's blocks are encrypted with; 0 is none. */
    static final int KEY_ID_OFFSET = 28;
    /** Guards, with the replica id, against another layer's file in this one's place. */
    static final int LAYER_EPOCH_OFFSET = 32;

    static final int LAYER_SEQUENCE_OFFSET = 40;
    static final int REPLICA_ID_OFFSET = 48;
    static final int ENTRIES_OFFSET = 64;

    static final int ENTRY_BYTES = 12;
    /** Entries per page. */
    public static final int ENTRIES = 336;

    /** Length of one copy of a page. */
    public static final int BYTES = 4096;
    /** Pages of a map at most: what fits their number. More than any volume has. */
    static final long PAGES_MAX = 1L << 31;

    private final ByteBuffer bytes;

    /** A page in the 4096 bytes of {@code bytes} from index 0 on. */
    MapPage(ByteBuffer bytes) {
        this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Number of the page that has the block's entry. */
    public static long pageOf(long block) {
        return block / ENTRIES;
    }

    static int indexOf(long block) {
        return (int) (block % ENTRIES);
    }

    /** {@link MapEntry} of the block with that index in the page. */
    long entry(int index) {
        return bytes.getLong(ENTRIES_OFFSET + ENTRY_BYTES * index);
    }

    /** CRC of the block with that index. */
    int crc(int index) {
        return bytes.getInt(ENTRIES_OFFSET + ENTRY_BYTES * index + 8);
    }

    void set(int index, long entry, int crc) {
        bytes.putLong(ENTRIES_OFFSET + ENTRY_BYTES * index, entry);
        bytes.putInt(ENTRIES_OFFSET + ENTRY_BYTES * index + 8, crc);
    }

    /** Makes all entries the same, with CRC zero. */
    void fill(long entry) {
        for (int i = 0; i < ENTRIES; i++) {
            set(i, entry, 0);
        }
    }

    void copyFrom(MapPage other) {
        bytes.put(0, other.bytes, 0, BYTES);
    }

    long counter() {
        return bytes.getLong(COUNTER_OFFSET);
    }

    /** Writes the header and the CRCs over the entries that stand. */
    void seal(long counter, long page, LayerId layer, UUID replicaId) {
        bytes.putInt(MAGIC_OFFSET, MAGIC);
        bytes.putInt(VERSION_OFFSET, VERSION);
        bytes.putLong(COUNTER_OFFSET, counter);
        bytes.putInt(PAGE_NUMBER_OFFSET, (int) page);
        bytes.putInt(KEY_ID_OFFSET, 0);
        bytes.putLong(LAYER_EPOCH_OFFSET, layer.epoch());
        bytes.putLong(LAYER_SEQUENCE_OFFSET, layer.sequence());
        bytes.putLong(REPLICA_ID_OFFSET, replicaId.getMostSignificantBits());
        bytes.putLong(REPLICA_ID_OFFSET + 8, replicaId.getLeastSignificantBits());
        bytes.putInt(HEADER_CRC_OFFSET, headerCrc());
        bytes.putInt(PAGE_CRC_OFFSET, pageCrc());
    }

    /** Whether nothing was ever written here. */
    boolean isZero() {
        for (int i = 0; i < BYTES; i += Long.BYTES) {
            if (bytes.getLong(i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Whether the header is whole and that of this page; {@link #counter} can be believed. */
    boolean headerMatches(long page, LayerId layer, UUID replicaId) {
        return bytes.getInt(HEADER_CRC_OFFSET) == headerCrc()
                && bytes.getInt(MAGIC_OFFSET) == MAGIC
                && bytes.getInt(VERSION_OFFSET) == VERSION
                && counter() > 0
                && bytes.getInt(PAGE_NUMBER_OFFSET) == (int) page
                && bytes.getInt(KEY_ID_OFFSET) == 0
                && bytes.getLong(LAYER_EPOCH_OFFSET) == layer.epoch()
                && bytes.getLong(LAYER_SEQUENCE_OFFSET) == layer.sequence()
                && bytes.getLong(REPLICA_ID_OFFSET) == replicaId.getMostSignificantBits()
                && bytes.getLong(REPLICA_ID_OFFSET + 8) == replicaId.getLeastSignificantBits();
    }

    /** Whether the whole page is as it was written. */
    boolean contentMatches() {
        return bytes.getInt(PAGE_CRC_OFFSET) == pageCrc();
    }

    /** The memory behind the page: from 0 to {@link #BYTES}. */
    ByteBuffer bytes() {
        return bytes;
    }

    private int headerCrc() {
        return Checksum.of(bytes, MAGIC_OFFSET, ENTRIES_OFFSET - MAGIC_OFFSET);
    }

    private int pageCrc() {
        return Checksum.of(bytes, HEADER_CRC_OFFSET, BYTES - HEADER_CRC_OFFSET);
    }
}
