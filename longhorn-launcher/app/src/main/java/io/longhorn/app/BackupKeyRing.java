package io.longhorn.app;

import io.longhorn.BackupKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The keys of an encrypted backup target as people and programs hand them over: in hexadecimal, in a file or in a request to a daemon. No message has any of a key in it. */
public final class BackupKeyRing implements BackupKeys {

    private final String currentKeyId;
    private final Map<String, String> hex;
    private final Map<String, BackupKeys> keys = new LinkedHashMap<>();

    private BackupKeyRing(String currentKeyId, Map<String, String> hex) {
        this.currentKeyId = currentKeyId;
        this.hex = Collections.unmodifiableMap(new LinkedHashMap<>(hex));
        hex.forEach((id, key) -> keys.put(id, BackupKeys.of(id, bytes(id, key))));
    }

    /**
     * Some keys.
     *
     * @param hex each key's {@value BackupKeys#KEY_BYTES} bytes in hexadecimal, by its id
     * @throws IllegalArgumentException if the current key is not among them, or one of them or its id has another form
     */
    public static BackupKeyRing of(String currentKeyId, Map<String, String> hex) {
        if (!hex.containsKey(currentKeyId)) {
            throw new IllegalArgumentException(
                    "the current key \"" + currentKeyId + "\" is not among the keys " + hex.keySet());
        }
        return new BackupKeyRing(currentKeyId, hex);
    }

    private static byte[] bytes(String id, String hex) {
        try {
            byte[] key = HexFormat.of().parseHex(hex);
            if (key.length == KEY_BYTES) {
                return key;
            }
        } catch (IllegalArgumentException e) {
            // Its message shows digits of the key.
            throw malformed(id);
        }
        throw malformed(id);
    }

    private static IllegalArgumentException malformed(String id) {
        return new IllegalArgumentException("key \"" + id + "\" is not " + 2 * KEY_BYTES + " hexadecimal digits");
    }

    /**
     * The keys of a file: a line {@code ID KEY} each, the current one first; empty lines and those that begin with {@code #} do not count.
     *
     * @throws CommandFailure if it cannot be read, or has another form
     */
    static BackupKeyRing read(Path file) {
        Map<String, String> hex = new LinkedHashMap<>();
        try {
            List<String> lines = Files.readAllLines(file);
            for (int number = 1; number <= lines.size(); number++) {
                String line = lines.get(number - 1).strip();
                if (!line.isEmpty() && !line.startsWith("#")) {
                    add(hex, line, file + ", line " + number);
                }
            }
        } catch (IOException e) {
            throw new CommandFailure("the keys cannot be read: " + e, e);
        }
        if (hex.isEmpty()) {
            throw new CommandFailure(file + " has no key; one is a line \"ID KEY\"");
        }
        try {
            return new BackupKeyRing(hex.keySet().iterator().next(), hex);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(file + ": " + e.getMessage(), e);
        }
    }

    private static void add(Map<String, String> hex, String line, String where) {
        int gap = line.indexOf(' ');
        if (gap < 0) {
            throw new CommandFailure(where + ": a key is \"ID KEY\", the key in hexadecimal");
        }
        if (hex.putIfAbsent(line.substring(0, gap), line.substring(gap).strip()) != null) {
            throw new CommandFailure(where + ": the id was used by a line before");
        }
    }

    /** Each key in hexadecimal by its id, unmodifiable; not for logs. */
    Map<String, String> hex() {
        return hex;
    }

    @Override
    public String currentKeyId() {
        return currentKeyId;
    }

    @Override
    public Optional<byte[]> key(String keyId) {
        return Optional.ofNullable(keys.get(keyId)).flatMap(one -> one.key(keyId));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BackupKeyRing that && currentKeyId.equals(that.currentKeyId) && keys.equals(that.keys);
    }

    @Override
    public int hashCode() {
        return currentKeyId.hashCode();
    }

    /** The ids. */
    @Override
    public String toString() {
        return "BackupKeyRing" + keys.keySet();
    }
}
