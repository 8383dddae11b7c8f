package io.longhorn.frontend.scsi;

/** Reads the fields of command descriptor blocks (SPC-4 4.2.2). The length of one follows from its operation code. */
final class Cdb {

    /** A logical block. */
    static final int BLOCK_BYTES = 512;

    static final int BLOCK_SHIFT = 9;

    /** The transfer length of 0 that READ(6) and WRITE(6) have means this many blocks. */
    private static final int SIX_BYTE_BLOCKS_MAX = 256;

    private static final int SIX_BYTE_LBA_MASK = 0x1f_ffff;

    private Cdb() {}

    static int operationCode(byte[] cdb) {
        return cdb[0] & 0xff;
    }

    static int serviceAction(byte[] cdb) {
        return cdb[1] & 0x1f;
    }

    static int u8(byte[] cdb, int index) {
        return cdb[index] & 0xff;
    }

    static int u16(byte[] cdb, int index) {
        return u8(cdb, index) << 8 | u8(cdb, index + 1);
    }

    static long u32(byte[] cdb, int index) {
        return (long) u16(cdb, index) << 16 | u16(cdb, index + 2);
    }

    static long u64(byte[] cdb, int index) {
        return u32(cdb, index) << 32 | u32(cdb, index + 4);
    }

    static boolean isSet(byte[] cdb, int index, int mask) {
        return (cdb[index] & mask) != 0;
    }

    /** How long the block is, 0 if that is unknown. */
    static int lengthBytes(int operationCode) {
        return switch (operationCode >> 5) {
            case 0 -> 6;
            case 1, 2 -> 10;
            case 4 -> 16;
            case 5 -> 12;
            default -> 0;
        };
    }

    /** The LOGICAL BLOCK ADDRESS field; of one of 16 bytes it may be negative, which is beyond any capacity. */
    static long lba(byte[] cdb) {
        return switch (lengthBytes(operationCode(cdb))) {
            case 6 -> u32(cdb, 0) & SIX_BYTE_LBA_MASK;
            case 16 -> u64(cdb, 2);
            default -> u32(cdb, 2);
        };
    }

    /** The TRANSFER LENGTH field, or whatever a command has in its place, in blocks. */
    static long blocks(byte[] cdb) {
        return switch (lengthBytes(operationCode(cdb))) {
            case 6 -> u8(cdb, 4) == 0 ? SIX_BYTE_BLOCKS_MAX : u8(cdb, 4);
            case 12 -> u32(cdb, 6);
            case 16 -> u32(cdb, 10);
            default -> u16(cdb, 7);
        };
    }

    /** The CONTROL byte, the last one. */
    static int control(byte[] cdb) {
        return u8(cdb, lengthBytes(operationCode(cdb)) - 1);
    }
}
