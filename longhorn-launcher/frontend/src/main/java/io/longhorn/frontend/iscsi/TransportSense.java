package io.longhorn.frontend.iscsi;

/** Sense data that the transport itself tells, in fixed format (SPC-4 4.5.3; the conditions are those of RFC 7143 11.4.7.2). */
final class TransportSense {

    private static final int ABORTED_COMMAND = 0x0b;
    private static final int ILLEGAL_REQUEST = 0x05;

    /** Data was damaged on the way, or its numbers say that some was. */
    static final byte[] PROTOCOL_SERVICE_CRC_ERROR = fixed(ABORTED_COMMAND, 0x47, 0x05);

    static final byte[] UNEXPECTED_UNSOLICITED_DATA = fixed(ABORTED_COMMAND, 0x0c, 0x0c);
    static final byte[] INCORRECT_AMOUNT_OF_DATA = fixed(ABORTED_COMMAND, 0x0c, 0x0d);

    /** The command itself is one that no target of ours takes: bidirectional, or with additional headers that cannot be read. */
    static final byte[] INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT = fixed(ILLEGAL_REQUEST, 0x0e, 0x03);

    private static final int FIXED_BYTES = 18;
    private static final int CURRENT_FIXED = 0x70;
    private static final int KEY_OFFSET = 2;
    private static final int ADDITIONAL_LENGTH_OFFSET = 7;
    private static final int CODE_OFFSET = 12;
    private static final int QUALIFIER_OFFSET = 13;

    private TransportSense() {}

    private static byte[] fixed(int key, int code, int qualifier) {
        byte[] sense = new byte[FIXED_BYTES];
        sense[0] = CURRENT_FIXED;
        sense[KEY_OFFSET] = (byte) key;
        sense[ADDITIONAL_LENGTH_OFFSET] = FIXED_BYTES - ADDITIONAL_LENGTH_OFFSET - 1;
        sense[CODE_OFFSET] = (byte) code;
        sense[QUALIFIER_OFFSET] = (byte) qualifier;
        return sense;
    }
}
