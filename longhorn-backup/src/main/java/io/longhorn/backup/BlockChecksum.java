package io.longhorn.backup;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What blocks and folders of volumes are called after: SHA-512 in hexadecimal digits, the first 64 of them. Blocks of an encrypted store have names of the same form, see
 * {@link EncryptedStore#nameOf}. Where there are many they are kept as four words, 16 digits each. Safe for any thread.
 */
final class BlockChecksum {
    static final int WORDS = 4;
    static final int DIGITS = 64;

    private static final int BYTES = 32;
    private static final int WORD_DIGITS = 16;

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

    /**
     * The text itself.
     *
     * @throws IllegalArgumentException if it is no checksum
     */
    static <T extends CharSequence> T check(T text) {
        if (!isOne(text)) {
            throw new IllegalArgumentException(
                    "the checksum of a block is 64 hexadecimal digits in lower case, was '" + text + "'");
        }
        return text;
    }

    private static boolean isOne(CharSequence text) {
        if (text.length() != DIGITS) {
            return false;
        }
        for (int i = 0; i < DIGITS; i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }

    /**
     * Fills four words with what the text says.
     *
     * @throws IllegalArgumentException if it is no checksum
     */
    static void parse(CharSequence text, long[] words) {
        check(text);
        for (int i = 0; i < WORDS; i++) {
            words[i] = HexFormat.fromHexDigitsToLong(text, WORD_DIGITS * i, WORD_DIGITS * (i + 1));
        }
    }

    /** The text of the four words that begin there. */
    static String text(long[] words, int first) {
        byte[] digits = new byte[DIGITS];
        putDigits(words, first, digits);
        return new String(digits, StandardCharsets.ISO_8859_1);
    }

    /** The same in an array of as many bytes. */
    static void putDigits(long[] words, int first, byte[] digits) {
        HexFormat hex = HexFormat.of();
        for (int i = 0; i < WORDS; i++) {
            long rest = words[first + i];
            for (int digit = WORD_DIGITS * (i + 1) - 1; digit >= WORD_DIGITS * i; digit--) {
                digits[digit] = (byte) hex.toLowHexDigit((int) rest);
                rest >>>= 4;
            }
        }
    }
}
