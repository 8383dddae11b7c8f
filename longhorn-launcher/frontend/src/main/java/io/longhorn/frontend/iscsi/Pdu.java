package io.longhorn.frontend.iscsi;

/** Numbers of RFC 7143 11: what stands where in the basic header segment, and what the codes mean. All fields are big-endian. */
final class Pdu {

    /** The basic header segment. */
    static final int HEADER_BYTES = 48;

    /** The longest additional header segments: a count of one byte, in words of four. */
    static final int AHS_BYTES_MAX = 255 * 4;

    static final int DIGEST_BYTES = 4;

    /** A tag that means "none". */
    static final int NO_TAG = 0xffff_ffff;

    // What an initiator sends; the immediate bit is not part of it.
    static final int NOP_OUT = 0x00;
    static final int SCSI_COMMAND = 0x01;
    static final int TASK_MANAGEMENT = 0x02;
    static final int LOGIN = 0x03;
    static final int TEXT = 0x04;
    static final int DATA_OUT = 0x05;
    static final int LOGOUT = 0x06;
    static final int SNACK = 0x10;

    // What a target sends.
    static final int NOP_IN = 0x20;
    static final int SCSI_RESPONSE = 0x21;
    static final int TASK_MANAGEMENT_RESPONSE = 0x22;
    static final int LOGIN_RESPONSE = 0x23;
    static final int TEXT_RESPONSE = 0x24;
    static final int DATA_IN = 0x25;
    static final int LOGOUT_RESPONSE = 0x26;
    static final int R2T = 0x31;
    static final int ASYNC_MESSAGE = 0x32;
    static final int REJECT = 0x3f;

    static final int OPCODE_MASK = 0x3f;
    static final int IMMEDIATE = 0x40;

    // Bits of byte 1.
    static final int FINAL = 0x80;
    static final int CONTINUE = 0x40;
    static final int READ = 0x40;
    static final int WRITE = 0x20;
    static final int OVERFLOW = 0x04;
    static final int UNDERFLOW = 0x02;
    static final int STATUS = 0x01;

    // Offsets that all or many share.
    static final int OPCODE_OFFSET = 0;
    static final int FLAGS_OFFSET = 1;
    static final int RESPONSE_OFFSET = 2;
    static final int STATUS_OFFSET = 3;
    static final int AHS_LENGTH_OFFSET = 4;
    static final int DATA_LENGTH_OFFSET = 5;
    static final int LUN_OFFSET = 8;
    static final int ITT_OFFSET = 16;
    static final int TTT_OFFSET = 20;
    static final int CMD_SN_OFFSET = 24;
    static final int EXP_STAT_SN_OFFSET = 28;
    static final int STAT_SN_OFFSET = 24;
    static final int EXP_CMD_SN_OFFSET = 28;
    static final int MAX_CMD_SN_OFFSET = 32;

    // SCSI command, data and their answers.
    static final int EXPECTED_LENGTH_OFFSET = 20;
    static final int CDB_OFFSET = 32;
    static final int CDB_BYTES = 16;
    static final int DATA_SN_OFFSET = 36;
    static final int BUFFER_OFFSET_OFFSET = 40;
    static final int RESIDUAL_OFFSET = 44;
    static final int DESIRED_LENGTH_OFFSET = 44;

    // Task management.
    static final int REFERENCED_TAG_OFFSET = 20;
    static final int REFERENCED_CMD_SN_OFFSET = 32;

    // Login.
    static final int VERSION_MAX_OFFSET = 2;
    static final int VERSION_MIN_OFFSET = 3;
    static final int ISID_OFFSET = 8;
    static final int ISID_BYTES = 6;
    static final int TSIH_OFFSET = 14;
    static final int CID_OFFSET = 20;
    static final int LOGIN_STATUS_OFFSET = 36;

    // Asynchronous message.
    static final int ASYNC_EVENT_OFFSET = 36;
    static final int ASYNC_PARAMETER_3_OFFSET = 42;

    // Reasons of a reject (11.17.1).
    static final int DATA_DIGEST_ERROR = 0x02;
    static final int SNACK_REJECT = 0x03;
    static final int PROTOCOL_ERROR = 0x04;
    static final int COMMAND_NOT_SUPPORTED = 0x05;
    static final int TOO_MANY_IMMEDIATE = 0x06;
    static final int TASK_IN_PROGRESS = 0x07;
    static final int INVALID_FIELD = 0x09;

    private Pdu() {}

    /** What is filled up with zeroes after so many bytes of data (11.2.3). */
    static int padding(int length) {
        return -length & 3;
    }
}
