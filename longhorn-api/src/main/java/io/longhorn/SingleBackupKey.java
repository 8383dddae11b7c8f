package io.longhorn;

import java.security.MessageDigest;
import java.util.Optional;

/** One key, never shown. */
final class SingleBackupKey implements BackupKeys {
    private final String keyId;
    private final byte[] key;

    SingleBackupKey(String keyId, byte[] key) {
        if (key.length != KEY_BYTES) {
            throw new IllegalArgumentException("a key has " + KEY_BYTES + " bytes, was " + key.length);
        }
        this.keyId = Names.checked("key", keyId);
        this.key = key.clone();
    }

    @Override
    public String currentKeyId() {
        return keyId;
    }

    @Override
    public Optional<byte[]> key(String id) {
        return id.equals(keyId) ? Optional.of(key.clone()) : Optional.empty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SingleBackupKey that
                && keyId.equals(that.keyId)
                && MessageDigest.isEqual(key, that.key);
    }

    /** Says nothing of the key. */
    @Override
    public int hashCode() {
        return keyId.hashCode();
    }

    @Override
    public String toString() {
        return "BackupKeys[" + keyId + "]";
    }
}
