package io.longhorn.frontend.iscsi;

import java.util.Locale;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Names of iSCSI nodes (RFC 7143 4.2.7, RFC 3722). */
public final class IscsiNames {

    /** What the names of our targets begin with. */
    public static final String PREFIX = "iqn.2026-01.io.longhorn:";

    /** The longest name, in bytes (RFC 7143 4.2.7.1). */
    public static final int LENGTH_MAX = 223;

    private static final Pattern IQN = Pattern.compile("iqn\\.[0-9]{4}-(0[1-9]|1[0-2])\\.[a-z0-9.-]+(:.*)?");
    private static final Pattern EUI = Pattern.compile("eui\\.[0-9a-f]{16}");
    private static final Pattern NAA = Pattern.compile("naa\\.([0-9a-f]{16}|[0-9a-f]{32})");
    private static final Pattern PLAIN = Pattern.compile("[a-z0-9.:-]+");
    private static final Pattern NOT_PLAIN = Pattern.compile("[^a-z0-9.-]");

    private IscsiNames() {}

    /**
     * The name of the target of a volume, or of {@code volume@snapshot}: in lower case, with a dash for each character that a name cannot have. Different volumes may get the
     * same name.
     */
    public static String forVolume(String volume) {
        Objects.requireNonNull(volume, "volume");
        String plain = NOT_PLAIN.matcher(volume.toLowerCase(Locale.ROOT)).replaceAll("-");
        return PREFIX + plain.substring(0, Math.min(plain.length(), LENGTH_MAX - PREFIX.length()));
    }

    /**
     * The first of {@code NAME}, {@code NAME-2}, {@code NAME-3} and so on that is free, NAME being that of {@link #forVolume(String)}.
     *
     * @param taken whether a name is used by another volume
     */
    public static String forVolume(String volume, Predicate<String> taken) {
        String name = forVolume(volume);
        String candidate = name;
        for (int number = 2; taken.test(candidate); number++) {
            String suffix = "-" + number;
            candidate = name.substring(0, Math.min(name.length(), LENGTH_MAX - suffix.length())) + suffix;
        }
        return candidate;
    }

    /** Whether this is the name of a node: of type iqn, eui or naa, in lower case, of letters, digits, dots, dashes and colons. */
    public static boolean isValid(String name) {
        return name.length() <= LENGTH_MAX
                && PLAIN.matcher(name).matches()
                && (IQN.matcher(name).matches()
                        || EUI.matcher(name).matches()
                        || NAA.matcher(name).matches());
    }
}
