package io.longhorn.frontend.scsi;

/** What sense data says: sense key, additional sense code and qualifier (SPC-4 annex F). */
enum SenseCode {
    NO_SENSE(0x0, 0x00, 0x00),
    NOT_READY_BECOMING_READY(0x2, 0x04, 0x01),
    NOT_READY_MANUAL_INTERVENTION(0x2, 0x04, 0x03),
    UNRECOVERED_READ_ERROR(0x3, 0x11, 0x00),
    INTERNAL_TARGET_FAILURE(0x4, 0x44, 0x00),
    INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT(0x5, 0x0e, 0x03),
    PARAMETER_LIST_LENGTH_ERROR(0x5, 0x1a, 0x00),
    INVALID_COMMAND_OPERATION_CODE(0x5, 0x20, 0x00),
    LBA_OUT_OF_RANGE(0x5, 0x21, 0x00),
    INVALID_FIELD_IN_CDB(0x5, 0x24, 0x00),
    LOGICAL_UNIT_NOT_SUPPORTED(0x5, 0x25, 0x00),
    INVALID_FIELD_IN_PARAMETER_LIST(0x5, 0x26, 0x00),
    INVALID_RELEASE_OF_PERSISTENT_RESERVATION(0x5, 0x26, 0x04),
    SAVING_PARAMETERS_NOT_SUPPORTED(0x5, 0x39, 0x00),
    INSUFFICIENT_REGISTRATION_RESOURCES(0x5, 0x55, 0x04),
    POWER_ON_OR_RESET(0x6, 0x29, 0x00),
    MODE_PARAMETERS_CHANGED(0x6, 0x2a, 0x01),
    RESERVATIONS_PREEMPTED(0x6, 0x2a, 0x03),
    RESERVATIONS_RELEASED(0x6, 0x2a, 0x04),
    REGISTRATIONS_PREEMPTED(0x6, 0x2a, 0x05),
    CAPACITY_DATA_HAS_CHANGED(0x6, 0x2a, 0x09),
    COMMANDS_CLEARED_BY_ANOTHER_INITIATOR(0x6, 0x2f, 0x00),
    WRITE_PROTECTED(0x7, 0x27, 0x00),
    SPACE_ALLOCATION_FAILED_WRITE_PROTECT(0x7, 0x27, 0x07),
    MISCOMPARE_DURING_VERIFY(0xe, 0x1d, 0x00);

    private final int key;
    private final int additional;
    private final int qualifier;

    SenseCode(int key, int additional, int qualifier) {
        this.key = key;
        this.additional = additional;
        this.qualifier = qualifier;
    }

    int key() {
        return key;
    }

    int additional() {
        return additional;
    }

    int qualifier() {
        return qualifier;
    }
}
