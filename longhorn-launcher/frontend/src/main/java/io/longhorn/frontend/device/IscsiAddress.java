package io.longhorn.frontend.device;

import java.net.URI;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A unit of an iSCSI target.
 *
 * @param portal {@code HOST:PORT}, with brackets around an IPv6 address
 * @param target its qualified name
 * @param unit the number of the logical unit
 */
record IscsiAddress(String portal, String target, int unit) {

    private static final Pattern FORM = Pattern.compile("iscsi://([^/]+:\\d{1,5})/([^/]{1,223})/(\\d{1,5})");

    /** @param uri {@code iscsi://HOST:PORT/IQN/LUN} */
    static IscsiAddress of(URI uri) {
        Matcher matcher = FORM.matcher(uri.toString());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not iscsi://HOST:PORT/IQN/LUN: " + uri);
        }
        return new IscsiAddress(matcher.group(1), matcher.group(2), Integer.parseInt(matcher.group(3)));
    }
}
