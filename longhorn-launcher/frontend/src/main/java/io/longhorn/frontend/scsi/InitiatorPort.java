package io.longhorn.frontend.scsi;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * An initiator port, named as in the TransportID of SPC-4 7.6.4.6.
 *
 * @param name the iSCSI name of the initiator, 1 to {@link #NAME_LENGTH_MAX} characters
 * @param isid the ISID of its session, 12 lower-case hexadecimal digits
 */
public record InitiatorPort(String name, String isid) {

    /** RFC 7143 4.2.7.1. */
    public static final int NAME_LENGTH_MAX = 223;

    private static final Pattern ISID = Pattern.compile("[0-9a-f]{12}");

    public InitiatorPort {
        Objects.requireNonNull(name, "name");
        if (name.isEmpty() || name.length() > NAME_LENGTH_MAX) {
            throw new IllegalArgumentException(
                    "an initiator's name has 1 to " + NAME_LENGTH_MAX + " characters, not " + name.length());
        }
        if (!ISID.matcher(isid).matches()) {
            throw new IllegalArgumentException("an ISID is 12 lower-case hexadecimal digits, not " + isid);
        }
    }
}
