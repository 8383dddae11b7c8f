package io.longhorn;

import java.util.Optional;

/**
 * The keys that backups at a target are encrypted with; see {@link BackupTarget#encryptedWith}. Several, so that the current one can be changed: new objects are encrypted with the
 * current key, older ones are read with the key that they name. A key must be given as long as anything names it. Safe for any thread; may ask whoever keeps the keys.
 */
public interface BackupKeys {

    /** The length of a key. */
    int KEY_BYTES = 32;

    /** Names the key for what is written from now on; asked when a target is opened. Matches {@code [a-zA-Z0-9][a-zA-Z0-9_.-]{1,62}}; stands in the clear at the target. */
    String currentKeyId();

    /** {@value #KEY_BYTES} random bytes, for the caller to keep; empty if there is no key of that id. */
    Optional<byte[]> key(String keyId);

    /**
     * One key, which is the current one.
     *
     * @param key {@value #KEY_BYTES} random bytes; copied
     * @throws IllegalArgumentException if the key has another length, or the id another form
     */
    static BackupKeys of(String keyId, byte[] key) {
        return new SingleBackupKey(keyId, key);
    }
}
