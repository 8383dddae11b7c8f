package io.longhorn.replica.server;

import io.longhorn.replica.wire.Checksum;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * First 4096 bytes of a journal segment; see {@code docs/format}, section 2. Little-endian.
 *
 * <pre>
 *  0     4       8         12         16       24         32             40          56
 *  | CRC | magic | version | segment  | number | previous | previous end | disk uuid | zero ...
 *  |     |       |         | bytes    |        | number   |              |           |
 * </pre>
 */
final class SegmentFormat {
    /** "LHJS". */
    static final int MAGIC = 0x534A484C;

    static final int VERSION = 1;

    private SegmentFormat() {}

    record Header(long number, long previousNumber, long previousEnd) {}

    static ByteBuffer encode(long number, long previousNumber, long previousEnd, UUID diskId, int segmentBytes) {
        ByteBuffer b = ByteBuffer.allocateDirect(Journal.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        b.putInt(4, MAGIC);
        b.putInt(8, VERSION);
        b.putInt(12, segmentBytes);
        b.putLong(16, number);
        b.putLong(24, previousNumber);
        b.putLong(32, previousEnd);
        b.putLong(40, diskId.getMostSignificantBits());
        b.putLong(48, diskId.getLeastSignificantBits());
        b.putInt(0, Checksum.of(b, 4, Journal.HEADER_BYTES - 4));
        return b;
    }

    /** The header, or null if the segment holds nothing of this disk that counts: new, torn while it was begun, or another disk's. */
    static @Nullable Header decode(ByteBuffer b, UUID diskId, int segmentBytes) {
        boolean ours = b.getInt(4) == MAGIC
                && b.getInt(0) == Checksum.of(b.clear(), 4, Journal.HEADER_BYTES - 4)
                && b.getInt(8) == VERSION
                && b.getInt(12) == segmentBytes
                && new UUID(b.getLong(40), b.getLong(48)).equals(diskId);
        return ours ? new Header(b.getLong(16), b.getLong(24), b.getLong(32)) : null;
    }
}
