package io.longhorn.frontend.scsi;

import io.longhorn.DamagedBlockException;
import io.longhorn.DiskFullException;
import io.longhorn.LonghornException;
import io.longhorn.OutOfRangeException;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.Remedy;
import io.longhorn.Volume;
import java.nio.ByteBuffer;

/**
 * Why a command did not end well, and how that is written (SPC-4 4.5).
 *
 * @param information what the INFORMATION field holds, or {@link #NONE}
 * @param fieldPointer the three bytes of the field pointer of an illegal request (SPC-4 4.5.2.4.2), or {@link #NONE}
 */
record Sense(SenseCode code, long information, long fieldPointer) {

    static final long NONE = -1;

    private static final int FIXED_BYTES = 18;
    private static final int FIXED_CURRENT = 0x70;
    private static final int FIXED_INFORMATION_VALID = 0x80;
    private static final long FIXED_INFORMATION_MAX = 0xffff_ffffL;
    private static final int DESCRIPTOR_CURRENT = 0x72;
    private static final int DESCRIPTOR_HEADER_BYTES = 8;
    private static final int INFORMATION_DESCRIPTOR_BYTES = 12;
    private static final int KEY_SPECIFIC_DESCRIPTOR_BYTES = 8;
    private static final int KEY_SPECIFIC_VALID = 0x80_0000;
    private static final int IN_CDB = 0x40_0000;
    private static final int BIT_POINTER_VALID = 0x08_0000;

    static Sense of(SenseCode code) {
        return new Sense(code, NONE, NONE);
    }

    static Sense of(SenseCode code, long information) {
        return new Sense(code, information, NONE);
    }

    /** A field of the command descriptor block is wrong, from this byte on. */
    static Sense cdbField(int index) {
        return new Sense(SenseCode.INVALID_FIELD_IN_CDB, NONE, KEY_SPECIFIC_VALID | IN_CDB | index);
    }

    /** A field of the command descriptor block is wrong, its highest bit being this one. */
    static Sense cdbField(int index, int bit) {
        return new Sense(
                SenseCode.INVALID_FIELD_IN_CDB,
                NONE,
                KEY_SPECIFIC_VALID | IN_CDB | BIT_POINTER_VALID | bit << 16 | index);
    }

    /** A field of the parameter list is wrong, from this byte on. */
    static Sense parameterField(int index) {
        return new Sense(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST, NONE, KEY_SPECIFIC_VALID | index);
    }

    /** What a failed operation of the device is to an initiator whose command began at this block. */
    static Sense of(Throwable failure, long lba) {
        if (failure instanceof DamagedBlockException damaged) {
            long damagedLba = damaged.block() * (Volume.BLOCK_BYTES / Cdb.BLOCK_BYTES);
            return of(SenseCode.UNRECOVERED_READ_ERROR, Math.max(damagedLba, lba));
        }
        if (failure instanceof DiskFullException) {
            return of(SenseCode.SPACE_ALLOCATION_FAILED_WRITE_PROTECT);
        }
        if (failure instanceof ReadOnlyVolumeException) {
            return of(SenseCode.WRITE_PROTECTED);
        }
        if (failure instanceof OutOfRangeException) {
            return of(SenseCode.LBA_OUT_OF_RANGE);
        }
        if (failure instanceof LonghornException known) {
            return ofRemedy(known.errorCode().remedy());
        }
        return of(SenseCode.INTERNAL_TARGET_FAILURE);
    }

    private static Sense ofRemedy(Remedy remedy) {
        return switch (remedy) {
            // Linux, for one, tries again while a unit becomes ready, and gives up on a broken one.
            case RETRY -> of(SenseCode.NOT_READY_BECOMING_READY);
            case REOPEN, SALVAGE, FIX_SETUP, VOLUME_LOST -> of(SenseCode.NOT_READY_MANUAL_INTERVENTION);
            default -> of(SenseCode.INTERNAL_TARGET_FAILURE);
        };
    }

    /** As bytes, in descriptor format (SPC-4 4.5.2) or fixed format (4.5.3). */
    byte[] encode(boolean descriptorFormat) {
        return descriptorFormat ? descriptorFormat() : fixedFormat();
    }

    private byte[] fixedFormat() {
        ByteBuffer sense = ByteBuffer.allocate(FIXED_BYTES);
        boolean fits = information != NONE && information <= FIXED_INFORMATION_MAX;
        sense.put(0, (byte) (FIXED_CURRENT | (fits ? FIXED_INFORMATION_VALID : 0)));
        sense.put(2, (byte) code.key());
        sense.putInt(3, fits ? (int) information : 0);
        sense.put(7, (byte) (FIXED_BYTES - 8));
        sense.put(12, (byte) code.additional());
        sense.put(13, (byte) code.qualifier());
        if (fieldPointer != NONE) {
            putKeySpecific(sense, 15);
        }
        return sense.array();
    }

    private byte[] descriptorFormat() {
        int descriptors = (information == NONE ? 0 : INFORMATION_DESCRIPTOR_BYTES)
                + (fieldPointer == NONE ? 0 : KEY_SPECIFIC_DESCRIPTOR_BYTES);
        ByteBuffer sense = ByteBuffer.allocate(DESCRIPTOR_HEADER_BYTES + descriptors);
        sense.put((byte) DESCRIPTOR_CURRENT)
                .put((byte) code.key())
                .put((byte) code.additional())
                .put((byte) code.qualifier());
        sense.put(7, (byte) descriptors);
        sense.position(DESCRIPTOR_HEADER_BYTES);
        if (information != NONE) {
            sense.put((byte) 0).put((byte) 0x0a).put((byte) 0x80).put((byte) 0).putLong(information);
        }
        if (fieldPointer != NONE) {
            sense.put((byte) 2).put((byte) 6);
            putKeySpecific(sense, sense.position() + 2);
        }
        return sense.array();
    }

    private void putKeySpecific(ByteBuffer sense, int index) {
        sense.put(index, (byte) (fieldPointer >> 16));
        sense.putShort(index + 1, (short) fieldPointer);
    }
}
