package io.longhorn.backup;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What blocks and folders of volumes are called after: SHA-512 in hexadecimal digits, the first 64 of them. Safe for any thread. */
final class BlockChecksum {
    private static final int BYTES = 32;

    private BlockChecksum() {}

    /** Of the remaining bytes; the buffer stays as it is. */
    static String of(ByteBuffer bytes) {
        MessageDigest sha512;
        try {
            sha512 = MessageDigest.getInstance("SHA-512");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-512", e);
        }
        sha512.update(bytes.duplicate());
        return HexFormat.of().formatHex(sha512.digest(), 0, BYTES);
    }

    static boolean isOne(String text) {
        return text.length() == 2 * BYTES
                && text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }
}
