package io.longhorn.backup;

/** What may be a key of an {@link ObjectStore}; for those who write one. */
public final class ObjectKeys {
    private ObjectKeys() {}

    /**
     * The key itself.
     *
     * @throws IllegalArgumentException if it is none, or would lead out of the store
     */
    public static String check(String key) {
        for (String name : key.split("/", -1)) {
            if (name.isEmpty() || ".".equals(name) || "..".equals(name)) {
                throw new IllegalArgumentException(
                        "a key is names with slashes between them, none of them empty, . or .., was '" + key + "'");
            }
        }
        return key;
    }
}
