package io.longhorn.backup;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * The document that makes a store an encrypted one: {@code docs/format/backup-store.md}, section 7.
 *
 * @param namingSecrets the same secret for each key that objects were sealed with: sealed with that key, by the key's id
 */
record EncryptionDocument(Map<String, byte[]> namingSecrets) {
    static final int VERSION = 1;

    EncryptionDocument {
        namingSecrets = Collections.unmodifiableMap(new TreeMap<>(namingSecrets));
    }

    EncryptionDocument with(String keyId, byte[] sealedSecret) {
        Map<String, byte[]> more = new TreeMap<>(namingSecrets);
        more.put(keyId, sealedSecret);
        return new EncryptionDocument(more);
    }
}
