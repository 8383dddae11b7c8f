package io.longhorn.frontend.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** The TransportID of an iSCSI initiator port (SPC-4 7.6.4.6): its name, a separator and its ISID. */
final class TransportId {

    private static final int ISCSI_PORT = 0x45;
    private static final int HEADER_BYTES = 4;
    private static final int TEXT_BYTES_MIN = 20;
    private static final String SEPARATOR = ",i,0x";

    private TransportId() {}

    static byte[] encode(InitiatorPort port) {
        byte[] text = (port.name() + SEPARATOR + port.isid()).getBytes(StandardCharsets.UTF_8);
        int textBytes = Math.max(TEXT_BYTES_MIN, (text.length + 4) & ~3);
        return ByteBuffer.allocate(HEADER_BYTES + textBytes)
                .put((byte) ISCSI_PORT)
                .put((byte) 0)
                .putShort((short) textBytes)
                .put(text)
                .array();
    }

    /** How long the one at this place of a parameter list is. */
    static int lengthBytes(ByteBuffer list, int at) {
        if (list.limit() - at < HEADER_BYTES) {
            throw new CheckCondition(Sense.parameterField(at));
        }
        int lengthBytes = HEADER_BYTES + (list.getShort(at + 2) & 0xffff);
        if (list.limit() - at < lengthBytes) {
            throw new CheckCondition(Sense.parameterField(at + 2));
        }
        return lengthBytes;
    }

    /** The port that the one at this place of a parameter list names. */
    static InitiatorPort decode(ByteBuffer list, int at) {
        byte[] text = new byte[lengthBytes(list, at) - HEADER_BYTES];
        if ((list.get(at) & 0xff) != ISCSI_PORT) {
            throw new CheckCondition(Sense.parameterField(at));
        }
        list.get(at + HEADER_BYTES, text);
        int end = 0;
        while (end < text.length && text[end] != 0) {
            end++;
        }
        String name = new String(text, 0, end, StandardCharsets.UTF_8);
        int separator = name.indexOf(SEPARATOR);
        try {
            return new InitiatorPort(
                    name.substring(0, Math.max(separator, 0)),
                    name.substring(separator + SEPARATOR.length()).toLowerCase(Locale.ROOT));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            CheckCondition refused = new CheckCondition(Sense.parameterField(at + HEADER_BYTES));
            refused.addSuppressed(e);
            throw refused;
        }
    }
}
