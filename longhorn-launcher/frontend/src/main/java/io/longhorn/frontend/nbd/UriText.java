package io.longhorn.frontend.nbd;

import io.longhorn.HostPort;
import java.nio.charset.StandardCharsets;

/** Parts of URIs (RFC 3986). */
final class UriText {

    /** What stands for itself in a path, beside letters and digits; {@code @} is kept so that names of snapshots stay readable. */
    private static final String PLAIN = "-._~@";

    private static final String HEX = "0123456789ABCDEF";

    private UriText() {}

    /** One segment of a path. */
    static String encode(String text) {
        return encode(text, PLAIN);
    }

    /** As {@link #encode(String)}, with the slashes left. */
    static String encodePath(String path) {
        return encode(path, PLAIN + "/");
    }

    private static String encode(String text, String plain) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || plain.indexOf(c) >= 0) {
                encoded.append(c);
            } else {
                encoded.append('%').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
            }
        }
        return encoded.toString();
    }

    /** An address to connect to: nobody can connect to "all addresses". */
    static HostPort reachable(HostPort address) {
        return switch (address.host()) {
            case "0.0.0.0" -> new HostPort("127.0.0.1", address.port());
            case "::", "0:0:0:0:0:0:0:0" -> new HostPort("::1", address.port());
            default -> address;
        };
    }
}
