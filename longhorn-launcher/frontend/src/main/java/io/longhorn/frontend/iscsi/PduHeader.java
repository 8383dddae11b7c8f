package io.longhorn.frontend.iscsi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;

/** The header of the PDU that a connection receives: the basic segment and what is added to it. There is one per connection, so nothing of it outlives its PDU. */
final class PduHeader {

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);

    /** The kind of the additional segment that holds the rest of a long CDB, and of the one that holds what a bidirectional command reads (11.2.2.1). */
    private static final int AHS_EXTENDED_CDB = 1;

    private static final int AHS_BIDIRECTIONAL = 2;

    /** A segment's own length and type. */
    private static final int AHS_HEAD_BYTES = 3;

    /** The basic segment, the additional ones, and the digest. */
    final byte[] bytes = new byte[Pdu.HEADER_BYTES + Pdu.AHS_BYTES_MAX + Pdu.DIGEST_BYTES];

    int opcode() {
        return bytes[Pdu.OPCODE_OFFSET] & Pdu.OPCODE_MASK;
    }

    boolean isImmediate() {
        return (bytes[Pdu.OPCODE_OFFSET] & Pdu.IMMEDIATE) != 0;
    }

    boolean has(int flag) {
        return (bytes[Pdu.FLAGS_OFFSET] & flag) != 0;
    }

    boolean isFinal() {
        return has(Pdu.FINAL);
    }

    /** How many bytes of additional header segments there are. */
    int ahsLength() {
        return unsignedByte(Pdu.AHS_LENGTH_OFFSET) * 4;
    }

    /** How many bytes of data there are, without padding. */
    int dataLength() {
        return intAt(Pdu.AHS_LENGTH_OFFSET) & 0xff_ffff;
    }

    long lun() {
        return (long) LONG.get(bytes, Pdu.LUN_OFFSET);
    }

    /** The initiator task tag. */
    int itt() {
        return intAt(Pdu.ITT_OFFSET);
    }

    int cmdSn() {
        return intAt(Pdu.CMD_SN_OFFSET);
    }

    int unsignedByte(int offset) {
        return bytes[offset] & 0xff;
    }

    int unsignedShort(int offset) {
        return (short) SHORT.get(bytes, offset) & 0xffff;
    }

    int intAt(int offset) {
        return (int) INT.get(bytes, offset);
    }

    long unsignedIntAt(int offset) {
        return intAt(offset) & 0xffff_ffffL;
    }

    /** The ISID of a login request as 12 hexadecimal digits. */
    String isid() {
        return HexFormat.of().formatHex(bytes, Pdu.ISID_OFFSET, Pdu.ISID_OFFSET + Pdu.ISID_BYTES);
    }

    /** The same header, to be kept. */
    PduHeader snapshot() {
        PduHeader kept = new PduHeader();
        System.arraycopy(bytes, 0, kept.bytes, 0, bytes.length);
        return kept;
    }

    /** A copy of the basic and the additional segments. */
    byte[] copy() {
        return Arrays.copyOf(bytes, Pdu.HEADER_BYTES + ahsLength());
    }

    /** The command descriptor block of a SCSI command, with its extension if it has one; empty if the additional segments cannot be read or are those of a bidirectional command. */
    byte[] cdb() {
        int end = Pdu.HEADER_BYTES + ahsLength();
        byte[] cdb = Arrays.copyOfRange(bytes, Pdu.CDB_OFFSET, Pdu.CDB_OFFSET + Pdu.CDB_BYTES);
        int at = Pdu.HEADER_BYTES;
        while (at < end) {
            if (end - at < AHS_HEAD_BYTES) {
                return new byte[0];
            }
            int length = unsignedShort(at);
            int type = unsignedByte(at + 2) & 0x3f;
            int contentEnd = at + AHS_HEAD_BYTES + length;
            if (length == 0 || contentEnd > end || type == AHS_BIDIRECTIONAL) {
                return new byte[0];
            }
            if (type == AHS_EXTENDED_CDB) {
                // The first byte is reserved; the rest goes on where the 16 bytes of the basic segment end (11.2.2.3).
                int more = length - 1;
                int had = cdb.length;
                cdb = Arrays.copyOf(cdb, had + more);
                System.arraycopy(bytes, at + AHS_HEAD_BYTES + 1, cdb, had, more);
            }
            at = contentEnd + Pdu.padding(contentEnd);
        }
        return cdb;
    }
}
