package io.longhorn.frontend.scsi;

import io.netty.buffer.Unpooled;

/** Answers for numbers without a unit, so that an initiator that looks for units gets to know which there are (SPC-4 6.6.1, 6.33, 6.39). */
final class AbsentUnit {

    private static final int REQUEST_SENSE = 0x03;
    private static final int INQUIRY = 0x12;
    private static final int REPORT_LUNS = 0xa0;
    private static final int VITAL_PRODUCT_DATA_MASK = 0x01;
    private static final int DESCRIPTOR_SENSE_MASK = 0x01;

    private AbsentUnit() {}

    /** @param zero whether it is LUN 0, where every target answers REPORT LUNS */
    static void execute(ScsiTargetSpec spec, boolean zero, ScsiTask task, ScsiOutcome outcome) {
        byte[] cdb = task.cdb();
        try {
            switch (Cdb.operationCode(cdb)) {
                case INQUIRY -> inquire(cdb, zero, outcome);
                case REQUEST_SENSE -> {
                    boolean descriptor = Cdb.isSet(cdb, 1, DESCRIPTOR_SENSE_MASK);
                    byte[] sense =
                            Sense.of(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED).encode(descriptor);
                    good(outcome, sense, Cdb.u8(cdb, 4));
                }
                case REPORT_LUNS -> {
                    if (!zero) {
                        throw new CheckCondition(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
                    }
                    good(outcome, UnitCommands.luns(spec, cdb), Cdb.u32(cdb, 6));
                }
                default -> throw new CheckCondition(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
            }
        } catch (CheckCondition e) {
            outcome.status(ScsiStatus.CHECK_CONDITION, e.sense().encode(false));
        }
    }

    private static void inquire(byte[] cdb, boolean zero, ScsiOutcome outcome) {
        if (Cdb.isSet(cdb, 1, VITAL_PRODUCT_DATA_MASK) || cdb[2] != 0) {
            throw new CheckCondition(Sense.cdbField(2));
        }
        int peripheral = zero ? InquiryData.NO_DEVICE_CONNECTED : InquiryData.NO_SUCH_UNIT;
        good(outcome, InquiryData.standard(peripheral), Cdb.u16(cdb, 3));
    }

    private static void good(ScsiOutcome outcome, byte[] dataIn, long allocationBytes) {
        outcome.good(Unpooled.wrappedBuffer(dataIn, 0, (int) Math.min(dataIn.length, allocationBytes)));
    }
}
