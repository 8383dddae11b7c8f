package io.longhorn.backup;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** What may be a key of an {@link ObjectStore}, and how stores that keep each object in a file of its own name the file that becomes an object once it is whole. */
public final class ObjectKey {
    private static final String TEMPORARY = ".tmp.";

    private ObjectKey() {}

    /**
     * The names of which the key is made, at least one.
     *
     * @throws IllegalArgumentException if one of them would lead somewhere else
     */
    public static List<String> names(String key) {
        List<String> names = List.of(key.split("/", -1));
        for (String name : names) {
            if (name.isEmpty() || ".".equals(name) || "..".equals(name)) {
                throw new IllegalArgumentException(
                        "a key is names with slashes between them, none of them empty, . or .., was '" + key + "'");
            }
        }
        return names;
    }

    /**
     * The key itself.
     *
     * @throws IllegalArgumentException if it is none, or would lead out of the store
     */
    public static String check(String key) {
        List<String> unused = names(key);
        return key;
    }

    /** A name that nobody else uses, {@code NAME.tmp.NUMBER}, for a file beside the one of that name. */
    public static String temporary(String name) {
        return name + TEMPORARY + ThreadLocalRandom.current().nextLong(Long.MAX_VALUE);
    }

    /** Whether a file is none that a listing tells of, but what a writer makes, or left when it died. */
    public static boolean isTemporary(String name) {
        return name.contains(TEMPORARY);
    }
}
