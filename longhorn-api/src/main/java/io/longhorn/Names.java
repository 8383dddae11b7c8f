package io.longhorn;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The rules for names and labels that volumes and snapshots share. */
final class Names {

    /** Bounds what one registry record and one wire message must hold. */
    static final int LABELS_MAX = 64;

    static final int LABEL_KEY_BYTES_MAX = 128;
    static final int LABEL_VALUE_BYTES_MAX = 1024;
    /** Keys and values of one volume or snapshot together: 250 snapshots of a volume go through one wire message. */
    static final int LABELS_BYTES_MAX = 2048;

    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}");

    private Names() {}

    static String checked(String kind, String name) {
        Objects.requireNonNull(name, kind + " name");
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    kind + " name must be 2 to 63 characters of a-z A-Z 0-9 _ . - and begin with"
                            + " a letter or digit, was \"" + name + "\"");
        }
        return name;
    }

    /** An unmodifiable copy in the order of the keys. */
    static Map<String, String> checkedLabels(Map<String, String> labels) {
        if (labels.size() > LABELS_MAX) {
            throw new IllegalArgumentException(
                    "at most " + LABELS_MAX + " labels are allowed, there are " + labels.size());
        }
        TreeMap<String, String> copy = new TreeMap<>();
        labels.forEach((key, value) -> {
            int keyBytes = utf8Bytes(key);
            int valueBytes = utf8Bytes(value);
            if (keyBytes == 0 || keyBytes > LABEL_KEY_BYTES_MAX) {
                throw new IllegalArgumentException("label key must be 1 to " + LABEL_KEY_BYTES_MAX
                        + " bytes of UTF-8, was " + keyBytes + ": \"" + key + "\"");
            }
            if (valueBytes > LABEL_VALUE_BYTES_MAX) {
                throw new IllegalArgumentException("value of label \"" + key + "\" must be at most "
                        + LABEL_VALUE_BYTES_MAX + " bytes of UTF-8, was " + valueBytes);
            }
            copy.put(key, value);
        });
        int bytes = copy.entrySet().stream()
                .mapToInt(label -> utf8Bytes(label.getKey()) + utf8Bytes(label.getValue()))
                .sum();
        if (bytes > LABELS_BYTES_MAX) {
            throw new IllegalArgumentException("labels must be at most " + LABELS_BYTES_MAX
                    + " bytes of UTF-8 together, keys and values, were " + bytes);
        }
        return Collections.unmodifiableMap(copy);
    }

    private static int utf8Bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
