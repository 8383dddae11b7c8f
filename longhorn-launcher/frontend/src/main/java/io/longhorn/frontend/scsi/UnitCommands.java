package io.longhorn.frontend.scsi;

import java.nio.ByteBuffer;

/** What a unit is and how it is: READ CAPACITY, REQUEST SENSE, START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL, REPORT LUNS. */
final class UnitCommands {

    private static final int DESCRIPTOR_SENSE_MASK = 0x01;
    private static final int START_MASK = 0x01;
    private static final int LOAD_EJECT_MASK = 0x02;
    private static final int POWER_CONDITION_MASK = 0xf0;
    private static final int PREVENT_MASK = 0x03;
    private static final int PARTIAL_MEDIUM_MASK = 0x01;
    private static final long LAST_LBA_10_MAX = 0xffff_ffffL;
    private static final int CAPACITY_16_BYTES = 32;

    /** LBPME and LBPRZ: thin, and what is not there reads as zeroes. */
    private static final int PROVISIONED_THIN_AND_ZERO = 0xc000;

    private static final int REPORT_WELL_KNOWN = 0x01;
    private static final int REPORT_ALL = 0x02;

    private UnitCommands() {}

    static void testUnitReady(RunningCommand command) {
        command.good();
    }

    static void requestSense(RunningCommand command) {
        Sense sense = command.nexus().takeAttention().map(Sense::of).orElseGet(() -> Sense.of(SenseCode.NO_SENSE));
        byte[] cdb = command.cdb();
        command.good(sense.encode(Cdb.isSet(cdb, 1, DESCRIPTOR_SENSE_MASK)), Cdb.u8(cdb, 4));
    }

    static void reportLuns(RunningCommand command) {
        byte[] cdb = command.cdb();
        command.good(luns(command.unit().spec(), cdb), Cdb.u32(cdb, 6));
    }

    static byte[] luns(ScsiTargetSpec spec, byte[] cdb) {
        int selected = Cdb.u8(cdb, 2);
        if (selected > REPORT_ALL) {
            throw new CheckCondition(Sense.cdbField(2));
        }
        if (selected == REPORT_WELL_KNOWN) {
            return new byte[8];
        }
        return ByteBuffer.allocate(16)
                .putInt(8)
                .putInt(0)
                .putLong((long) spec.lun() << 48)
                .array();
    }

    static void readCapacity10(RunningCommand command) {
        byte[] cdb = command.cdb();
        boolean partial = Cdb.isSet(cdb, 8, PARTIAL_MEDIUM_MASK);
        if (!partial && Cdb.lba(cdb) != 0) {
            throw new CheckCondition(Sense.cdbField(2));
        }
        long last = Math.min(command.unit().blocks() - 1, LAST_LBA_10_MAX);
        command.good(
                ByteBuffer.allocate(8)
                        .putInt((int) last)
                        .putInt(Cdb.BLOCK_BYTES)
                        .array(),
                8);
    }

    static void readCapacity16(RunningCommand command) {
        ByteBuffer data = ByteBuffer.allocate(CAPACITY_16_BYTES);
        data.putLong(command.unit().blocks() - 1).putInt(Cdb.BLOCK_BYTES);
        data.put(13, (byte) command.unit().spec().physicalBlockExponent());
        data.putShort(14, (short) PROVISIONED_THIN_AND_ZERO);
        command.good(data.array(), Cdb.u32(command.cdb(), 10));
    }

    /** There is no motor to stop. What is cached becomes durable, which is what those want who are about to cut the power (SBC-3 5.25). */
    static void startStopUnit(RunningCommand command) {
        byte[] cdb = command.cdb();
        if (Cdb.isSet(cdb, 4, LOAD_EJECT_MASK)) {
            throw new CheckCondition(Sense.cdbField(4, 1));
        }
        if (Cdb.isSet(cdb, 4, POWER_CONDITION_MASK)) {
            throw new CheckCondition(Sense.cdbField(4, 7));
        }
        if (Cdb.isSet(cdb, 4, START_MASK)) {
            command.good();
        } else {
            TransferCommands.flush(command);
        }
    }

    /** Nothing can be removed, so nothing has to be prevented. */
    static void preventAllow(RunningCommand command) {
        if ((command.cdb()[4] & PREVENT_MASK) > 1) {
            throw new CheckCondition(Sense.cdbField(4, 1));
        }
        command.good();
    }

    /** START STOP UNIT that only starts is no conflict with a reservation (SBC-3 table 14). */
    static boolean onlyStarts(byte[] cdb) {
        return Cdb.isSet(cdb, 4, START_MASK) && !Cdb.isSet(cdb, 4, POWER_CONDITION_MASK);
    }

    static boolean allowsRemoval(byte[] cdb) {
        return (cdb[4] & PREVENT_MASK) == 0;
    }
}
