package io.longhorn.backup;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The bytes of an encrypted object: {@code docs/format/backup-store.md}, section 7.
 *
 * <pre>
 * 0     4         5            6       70    102    114
 * magic | version | id's length | key id | salt | nonce | AES-256-GCM: content, tag
 * </pre>
 *
 * Each object has a key of its own, made of the master key and the salt, so that no number of objects makes a nonce meet itself under one key. The header and the object's path are
 * authenticated with the content: a piece of another object, or from another place, is found.
 */
final class SealedObject {
    /** What an object is longer than its content by. */
    static final int OVERHEAD = 130;

    private static final int MAGIC_OFFSET = 0;
    private static final int MAGIC = 0x4c48534f;
    private static final int VERSION_OFFSET = 4;
    private static final byte VERSION = 1;
    private static final int ID_LENGTH_OFFSET = 5;
    private static final int ID_OFFSET = 6;
    private static final int ID_FIELD_BYTES = 64;
    private static final int SALT_OFFSET = 70;
    private static final int SALT_BYTES = 32;
    private static final int NONCE_OFFSET = 102;
    private static final int NONCE_BYTES = 12;
    private static final int HEADER_BYTES = 114;
    private static final int TAG_BYTES = 16;

    private static final byte[] INFO = "longhorn-java sealed object 1".getBytes(StandardCharsets.US_ASCII);

    private SealedObject() {}

    /** The remaining bytes of {@code content}, sealed for that place, in a new buffer; the content stays as it is. */
    static ByteBuffer seal(String path, ByteBuffer content, String keyId, byte[] masterKey, RandomGenerator random) {
        byte[] id = keyId.getBytes(StandardCharsets.US_ASCII);
        byte[] saltAndNonce = new byte[SALT_BYTES + NONCE_BYTES];
        random.nextBytes(saltAndNonce);
        ByteBuffer sealed = ByteBuffer.allocate(Math.addExact(content.remaining(), OVERHEAD));
        sealed.putInt(MAGIC_OFFSET, MAGIC);
        sealed.put(VERSION_OFFSET, VERSION);
        sealed.put(ID_LENGTH_OFFSET, (byte) id.length);
        sealed.put(ID_OFFSET, id);
        sealed.put(SALT_OFFSET, saltAndNonce);
        try {
            Cipher cipher = cipher(Cipher.ENCRYPT_MODE, path, sealed, masterKey);
            cipher.doFinal(content.duplicate(), sealed.position(HEADER_BYTES));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-256-GCM", e);
        }
        return sealed.flip();
    }

    /** Which key it was sealed with, by its own account: before it is opened anybody may have written that. */
    static String keyId(ByteBuffer sealed) throws DamagedObjectException {
        int at = sealed.position();
        if (sealed.remaining() < OVERHEAD) {
            throw new DamagedObjectException(
                    "it has " + sealed.remaining() + " bytes, an encrypted one has at least " + OVERHEAD);
        }
        if (sealed.getInt(at + MAGIC_OFFSET) != MAGIC) {
            throw new DamagedObjectException("it is not encrypted");
        }
        if (sealed.get(at + VERSION_OFFSET) != VERSION) {
            throw new DamagedObjectException("it is of version " + sealed.get(at + VERSION_OFFSET)
                    + " of the encrypted format, known is " + VERSION);
        }
        int length = sealed.get(at + ID_LENGTH_OFFSET);
        if (length < 0 || length > ID_FIELD_BYTES) {
            throw new DamagedObjectException("the id of its key has " + length + " bytes");
        }
        byte[] id = new byte[length];
        sealed.get(at + ID_OFFSET, id);
        String text = new String(id, StandardCharsets.US_ASCII);
        if (!isKeyId(text)) {
            throw new DamagedObjectException("what should be the id of its key is none");
        }
        return text;
    }

    private static boolean isKeyId(String text) {
        return StoreLayout.isName(text) && text.length() < ID_FIELD_BYTES;
    }

    /**
     * The id itself.
     *
     * @throws IllegalArgumentException if it has no place in a header
     */
    static String checkKeyId(String text) {
        if (!isKeyId(text)) {
            throw new IllegalArgumentException(
                    "the id of a key is 2 to 63 letters, digits, '_', '.' or '-', the first a"
                            + " letter or digit, was '" + text + "'");
        }
        return text;
    }

    /**
     * The content, in the place that it had in the buffer.
     *
     * @throws DamagedObjectException if anything of it differs from what was sealed for that place with that key
     */
    static ByteBuffer open(String path, ByteBuffer sealed, byte[] masterKey) throws DamagedObjectException {
        String keyId = keyId(sealed);
        ByteBuffer heap = Compression.onHeap(sealed).slice();
        int from = heap.arrayOffset() + HEADER_BYTES;
        try {
            int length = cipher(Cipher.DECRYPT_MODE, path, heap, masterKey)
                    .doFinal(heap.array(), from, heap.limit() - HEADER_BYTES, heap.array(), from);
            return heap.slice(HEADER_BYTES, length);
        } catch (AEADBadTagException e) {
            DamagedObjectException damaged = new DamagedObjectException(
                    "it is not what was encrypted with the key '" + keyId + "' for this place");
            damaged.initCause(e);
            throw damaged;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-256-GCM", e);
        }
    }

    /** With the header at the beginning of {@code sealed}, which is complete. */
    private static Cipher cipher(int mode, String path, ByteBuffer sealed, byte[] masterKey)
            throws GeneralSecurityException {
        byte[] header = new byte[HEADER_BYTES];
        sealed.get(0, header);
        byte[] salt = Arrays.copyOfRange(header, SALT_OFFSET, NONCE_OFFSET);
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(
                mode,
                new SecretKeySpec(Hkdf.key(masterKey, salt, INFO), "AES"),
                new GCMParameterSpec(8 * TAG_BYTES, header, NONCE_OFFSET, NONCE_BYTES));
        cipher.updateAAD(header);
        cipher.updateAAD(path.getBytes(StandardCharsets.UTF_8));
        return cipher;
    }
}
