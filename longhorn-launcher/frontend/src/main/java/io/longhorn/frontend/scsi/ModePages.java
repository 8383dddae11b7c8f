package io.longhorn.frontend.scsi;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * The mode parameters of a unit (SPC-4 7.5, SBC-3 6.4): pages 08h caching, 0Ah control, 1Ch informational exceptions. Three bits can be changed: whether there is a write
 * cache, whether sense data has descriptor format, and whether the unit is write-protected by software. They hold for all initiators, until the target is made anew.
 */
final class ModePages {

    private static final int PAGE_CODE_MASK = 0x3f;
    private static final int ALL_PAGES = 0x3f;
    private static final int ALL_SUBPAGES = 0xff;
    private static final int CACHING = 0x08;
    private static final int CONTROL = 0x0a;
    private static final int INFORMATIONAL_EXCEPTIONS = 0x1c;
    private static final List<Integer> PAGES = List.of(CACHING, CONTROL, INFORMATIONAL_EXCEPTIONS);

    private static final int CURRENT = 0;
    private static final int CHANGEABLE = 1;
    private static final int DEFAULT = 2;
    private static final int SAVED = 3;

    private static final int WCE_MASK = 0x04;
    private static final int D_SENSE_MASK = 0x04;
    private static final int SWP_MASK = 0x08;
    private static final int UNRESTRICTED_REORDERING = 0x10;

    private static final int DISABLE_DESCRIPTORS_MASK = 0x08;
    private static final int LONG_LBA_MASK = 0x10;
    private static final int WRITE_PROTECT_MASK = 0x80;
    private static final int DPO_FUA_MASK = 0x10;
    private static final int HEADER_6_BYTES = 4;
    private static final int HEADER_10_BYTES = 8;
    private static final int SHORT_DESCRIPTOR_BYTES = 8;
    private static final int LONG_DESCRIPTOR_BYTES = 16;
    private static final int DATA_BYTES_MAX = 256;

    private static final int PAGE_FORMAT_MASK = 0x10;
    private static final int SAVE_PAGES_MASK = 0x01;

    private static final int MODE_SENSE_6 = 0x1a;
    private static final int MODE_SELECT_6 = 0x15;

    private static final Flags DEFAULTS = new Flags(true, false, false);
    private static final Flags ALL_CHANGEABLE = new Flags(true, true, true);

    private volatile Flags flags = DEFAULTS;

    /** What can be changed, as its current, default or changeable values. */
    private record Flags(boolean writeCache, boolean descriptorSense, boolean writeProtect) {}

    boolean writeCache() {
        return flags.writeCache;
    }

    boolean descriptorSense() {
        return flags.descriptorSense;
    }

    boolean writeProtect() {
        return flags.writeProtect;
    }

    /** What a reset makes of them. */
    void reset() {
        flags = DEFAULTS;
    }

    static void sense(RunningCommand command) {
        byte[] cdb = command.cdb();
        boolean six = Cdb.operationCode(cdb) == MODE_SENSE_6;
        int control = Cdb.u8(cdb, 2) >> 6;
        int page = cdb[2] & PAGE_CODE_MASK;
        int subpage = Cdb.u8(cdb, 3);
        if (control == SAVED) {
            throw new CheckCondition(SenseCode.SAVING_PARAMETERS_NOT_SUPPORTED);
        }
        if (page != ALL_PAGES && !PAGES.contains(page)) {
            throw new CheckCondition(Sense.cdbField(2, 5));
        }
        if (subpage != 0 && !(subpage == ALL_SUBPAGES && page == ALL_PAGES)) {
            throw new CheckCondition(Sense.cdbField(3));
        }
        boolean described = !Cdb.isSet(cdb, 1, DISABLE_DESCRIPTORS_MASK);
        boolean longLba = !six && Cdb.isSet(cdb, 1, LONG_LBA_MASK);
        ByteBuffer data = ByteBuffer.allocate(DATA_BYTES_MAX);
        data.position(six ? HEADER_6_BYTES : HEADER_10_BYTES);
        int descriptorBytes =
                described ? putBlockDescriptor(data, command.unit().blocks(), longLba) : 0;
        Flags shown = command.unit().modes().shown(control);
        for (int code : PAGES) {
            if (page == ALL_PAGES || page == code) {
                putPage(data, code, shown, control == CHANGEABLE);
            }
        }
        putHeader(data, six, command.unit().isWriteProtected(), descriptorBytes, longLba);
        byte[] answer = new byte[data.flip().remaining()];
        data.get(answer);
        command.good(answer, six ? Cdb.u8(cdb, 4) : Cdb.u16(cdb, 7));
    }

    private Flags shown(int control) {
        return switch (control) {
            case CURRENT -> flags;
            case DEFAULT -> DEFAULTS;
            default -> ALL_CHANGEABLE;
        };
    }

    private static void putHeader(
            ByteBuffer data, boolean six, boolean writeProtected, int descriptorBytes, boolean longLba) {
        byte deviceSpecific = (byte) (DPO_FUA_MASK | (writeProtected ? WRITE_PROTECT_MASK : 0));
        if (six) {
            data.put(0, (byte) (data.position() - 1)).put(2, deviceSpecific).put(3, (byte) descriptorBytes);
        } else {
            data.putShort(0, (short) (data.position() - 2))
                    .put(3, deviceSpecific)
                    .put(4, (byte) (longLba ? 1 : 0));
            data.putShort(6, (short) descriptorBytes);
        }
    }

    private static int putBlockDescriptor(ByteBuffer data, long blocks, boolean longLba) {
        if (longLba) {
            data.putLong(blocks).putInt(0).putInt(Cdb.BLOCK_BYTES);
            return LONG_DESCRIPTOR_BYTES;
        }
        data.putInt((int) Math.min(blocks, 0xffff_ffffL)).putInt(Cdb.BLOCK_BYTES);
        return SHORT_DESCRIPTOR_BYTES;
    }

    private static void putPage(ByteBuffer data, int code, Flags shown, boolean onlyChangeable) {
        byte[] page = switch (code) {
            case CACHING -> caching(shown);
            case CONTROL -> control(shown, onlyChangeable);
            default -> page(INFORMATIONAL_EXCEPTIONS, 12);
        };
        data.put(page);
    }

    private static byte[] page(int code, int lengthBytes) {
        byte[] page = new byte[lengthBytes];
        page[0] = (byte) code;
        page[1] = (byte) (lengthBytes - 2);
        return page;
    }

    private static byte[] caching(Flags shown) {
        byte[] page = page(CACHING, 20);
        page[2] = (byte) (shown.writeCache ? WCE_MASK : 0);
        return page;
    }

    private static byte[] control(Flags shown, boolean onlyChangeable) {
        byte[] page = page(CONTROL, 12);
        page[2] = (byte) (shown.descriptorSense ? D_SENSE_MASK : 0);
        page[3] = (byte) (onlyChangeable ? 0 : UNRESTRICTED_REORDERING);
        page[4] = (byte) (shown.writeProtect ? SWP_MASK : 0);
        return page;
    }

    /** How many bytes MODE SELECT wants. */
    static long selectDataOut(byte[] cdb) {
        return Cdb.operationCode(cdb) == MODE_SELECT_6 ? Cdb.u8(cdb, 4) : Cdb.u16(cdb, 7);
    }

    static void select(RunningCommand command) {
        byte[] cdb = command.cdb();
        if (!Cdb.isSet(cdb, 1, PAGE_FORMAT_MASK)) {
            throw new CheckCondition(Sense.cdbField(1, 4));
        }
        if (Cdb.isSet(cdb, 1, SAVE_PAGES_MASK)) {
            throw new CheckCondition(Sense.cdbField(1, 0));
        }
        ByteBuf dataOut = command.exactDataOut(selectDataOut(cdb));
        if (dataOut.isReadable()) {
            boolean six = Cdb.operationCode(cdb) == MODE_SELECT_6;
            command.unit().modes().change(command, dataOut.nioBuffer(), six);
        }
        command.good();
    }

    private synchronized void change(RunningCommand command, ByteBuffer list, boolean six) {
        Flags changed = flags;
        int at = skipDescriptors(command.unit(), list, six);
        while (at < list.limit()) {
            byte[] wanted = pageAt(list, at);
            changed = changed(changed, wanted, at);
            at += wanted.length;
        }
        if (!changed.equals(flags)) {
            flags = changed;
            command.unit().attentionToOthers(command.nexus().port(), SenseCode.MODE_PARAMETERS_CHANGED);
        }
    }

    /** Where the pages begin. A block descriptor may say what is so, or nothing. */
    private static int skipDescriptors(LogicalUnit unit, ByteBuffer list, boolean six) {
        int headerBytes = six ? HEADER_6_BYTES : HEADER_10_BYTES;
        if (list.remaining() < headerBytes) {
            throw new CheckCondition(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        int lengthIndex = six ? 3 : 6;
        int descriptorBytes = six ? list.get(3) & 0xff : list.getShort(6) & 0xffff;
        boolean longLba = !six && (list.get(4) & 1) != 0;
        if (descriptorBytes == 0) {
            return headerBytes;
        }
        if (descriptorBytes != (longLba ? LONG_DESCRIPTOR_BYTES : SHORT_DESCRIPTOR_BYTES)) {
            throw new CheckCondition(Sense.parameterField(lengthIndex));
        }
        if (list.remaining() < headerBytes + descriptorBytes) {
            throw new CheckCondition(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        checkDescriptor(unit, list, headerBytes, longLba);
        return headerBytes + descriptorBytes;
    }

    private static void checkDescriptor(LogicalUnit unit, ByteBuffer list, int at, boolean longLba) {
        long blocks = longLba ? list.getLong(at) : list.getInt(at) & 0xffff_ffffL;
        int blockBytes = longLba ? list.getInt(at + 12) : list.getInt(at + 4) & 0xff_ffff;
        boolean unchanged = blocks == 0 || blocks == unit.blocks() || (!longLba && blocks == 0xffff_ffffL);
        if (!unchanged) {
            throw new CheckCondition(Sense.parameterField(at));
        }
        if (blockBytes != Cdb.BLOCK_BYTES) {
            throw new CheckCondition(Sense.parameterField(longLba ? at + 12 : at + 5));
        }
    }

    private static byte[] pageAt(ByteBuffer list, int at) {
        if (list.limit() - at < 2 || list.limit() - at < 2 + (list.get(at + 1) & 0xff)) {
            throw new CheckCondition(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        byte[] page = new byte[2 + (list.get(at + 1) & 0xff)];
        list.get(at, page);
        // PS is reserved in MODE SELECT.
        page[0] &= 0x7f;
        return page;
    }

    /** The flags as the page wants them, if it wants nothing else changed. */
    private static Flags changed(Flags flags, byte[] wanted, int at) {
        Flags changed;
        byte[] possible;
        switch (wanted[0]) {
            case CACHING -> {
                changed = new Flags(
                        wanted.length > 2 && Cdb.isSet(wanted, 2, WCE_MASK), flags.descriptorSense, flags.writeProtect);
                possible = caching(changed);
            }
            case CONTROL -> {
                changed = new Flags(
                        flags.writeCache,
                        wanted.length > 2 && Cdb.isSet(wanted, 2, D_SENSE_MASK),
                        wanted.length > 4 && Cdb.isSet(wanted, 4, SWP_MASK));
                possible = control(changed, false);
            }
            case INFORMATIONAL_EXCEPTIONS -> {
                changed = flags;
                possible = page(INFORMATIONAL_EXCEPTIONS, 12);
            }
            default -> throw new CheckCondition(Sense.parameterField(at));
        }
        int mismatch = Arrays.mismatch(wanted, possible);
        if (mismatch >= 0) {
            throw new CheckCondition(Sense.parameterField(at + Math.min(mismatch, wanted.length - 1)));
        }
        return changed;
    }
}
