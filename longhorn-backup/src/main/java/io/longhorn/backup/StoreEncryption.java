package io.longhorn.backup;

import io.longhorn.BackupKeyException;
import io.longhorn.BackupKeyException.Problem;
import io.longhorn.BackupKeys;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The keys of an encrypted store, and the secret that its blocks are named with. Keeps that secret in the store's own document, made before anything else is written: sealed with
 * every key that objects were sealed with, so that names stay the same when the key is changed. A key is compared with the document before it is used. Safe for any thread.
 *
 * <p>Whoever finds no document claims to make it: writes a proposal under a name of his own, waits, and makes the first of all proposals the document. Writers that meet write the
 * same bytes, and whoever is late finds the document.
 */
final class StoreEncryption {
    private static final int SECRET_BYTES = 32;
    private static final int DOCUMENT_BYTES_MAX = 1 << 20;
    private static final int ATTEMPTS_MAX = 5;

    private final ObjectStore objects;
    private final BackupKeys keys;
    private final String currentKeyId;
    private final StoreTime time;
    private final RandomGenerator random;
    private final Map<String, byte[]> masterKeys = new HashMap<>();
    private @Nullable EncryptionDocument document;
    private byte @Nullable [] namingSecret;
    /** Whether the document has the current key. */
    private boolean begun;

    /** @param objects as they are */
    StoreEncryption(ObjectStore objects, BackupKeys keys, StoreTime time, RandomGenerator random) {
        this.objects = objects;
        this.keys = keys;
        this.currentKeyId = SealedObject.checkKeyId(keys.currentKeyId());
        this.time = time;
        this.random = random;
    }

    /**
     * Makes sure that the store is encrypted with these keys, or empty.
     *
     * @throws BackupKeyException if it is not
     */
    synchronized void check() throws IOException {
        if (document != null) {
            return;
        }
        EncryptionDocument found = read();
        if (found == null && !objects.names(StoreLayout.VOLUMES).isEmpty()) {
            // Somebody may have begun between the two looks.
            found = read();
            if (found == null) {
                throw failed(
                        Problem.NOT_ENCRYPTED,
                        "",
                        "it holds backups that are not encrypted, or lost its " + StoreLayout.ENCRYPTION
                                + "; open it without keys, or encrypt into an empty target");
            }
        }
        if (found != null) {
            namingSecret = unsealedSecret(found);
            document = found;
        }
    }

    private @Nullable EncryptionDocument read() throws IOException {
        Optional<ByteBuffer> bytes = objects.read(StoreLayout.ENCRYPTION, DOCUMENT_BYTES_MAX);
        try {
            return bytes.isEmpty() ? null : ConfigJson.encryption(bytes.get());
        } catch (IOException e) {
            throw new IOException(StoreLayout.ENCRYPTION + " cannot be understood: " + e.getMessage(), e);
        }
    }

    private byte[] unsealedSecret(EncryptionDocument of) {
        Set<String> ids = new LinkedHashSet<>(List.of(currentKeyId));
        ids.addAll(of.namingSecrets().keySet());
        for (String id : ids) {
            byte[] sealed = of.namingSecrets().get(id);
            Optional<byte[]> key = given(id);
            if (sealed != null && key.isPresent()) {
                return unsealed(id, key.get(), sealed);
            }
        }
        throw failed(
                Problem.KEY_UNKNOWN,
                currentKeyId,
                "it is encrypted with " + of.namingSecrets().keySet()
                        + ", and the keys have none of these; the current one is " + currentKeyId);
    }

    private byte[] unsealed(String keyId, byte[] key, byte[] sealed) {
        try {
            ByteBuffer secret = SealedObject.open(StoreLayout.ENCRYPTION, ByteBuffer.wrap(sealed.clone()), key);
            byte[] bytes = new byte[secret.remaining()];
            secret.get(bytes);
            return bytes;
        } catch (DamagedObjectException e) {
            BackupKeyException wrong = failed(
                    Problem.KEY_WRONG,
                    keyId,
                    "the key of the id " + keyId + " is not the one that it was encrypted with; give that one (unless "
                            + StoreLayout.ENCRYPTION + " is damaged)");
            wrong.initCause(e);
            throw wrong;
        }
    }

    private Optional<byte[]> given(String keyId) {
        Optional<byte[]> key = keys.key(keyId);
        if (key.isPresent() && key.get().length != BackupKeys.KEY_BYTES) {
            throw failed(
                    Problem.KEY_WRONG,
                    keyId,
                    "the key of the id " + keyId + " has " + key.get().length + " bytes, expected "
                            + BackupKeys.KEY_BYTES);
        }
        return key;
    }

    private BackupKeyException failed(Problem problem, String keyId, String reason) {
        return new BackupKeyException(objects.describe(), problem, keyId, reason);
    }

    /** That of the time when the store was opened. */
    String currentKeyId() {
        return currentKeyId;
    }

    /**
     * The key of an object that names it.
     *
     * @throws BackupKeyException if it is missing among those given, or another than the store knows
     * @throws DamagedObjectException if neither those given nor the store have such a key
     */
    synchronized byte[] masterKey(String keyId) throws IOException {
        byte[] known = masterKeys.get(keyId);
        if (known != null) {
            return known;
        }
        byte[] entry = entry(keyId);
        if (entry == null) {
            // Somebody may have begun, or changed the key, since.
            document = null;
            check();
            entry = entry(keyId);
        }
        if (entry == null) {
            throw new DamagedObjectException("it names the key '" + keyId + "', which the store does not know");
        }
        byte[] key = given(keyId)
                .orElseThrow(() ->
                        failed(Problem.KEY_UNKNOWN, keyId, "the key " + keyId + " is needed; add it to those given"));
        byte[] unused = unsealed(keyId, key, entry);
        masterKeys.put(keyId, key);
        return key;
    }

    private byte @Nullable [] entry(String keyId) {
        return document == null ? null : document.namingSecrets().get(keyId);
    }

    /** Makes the store an encrypted one if it is empty, and lets it know the current key. Takes seconds if there is anything to do. */
    synchronized void begin() throws IOException {
        for (int attempt = 0; !begun; attempt++) {
            if (attempt == ATTEMPTS_MAX) {
                throw new IOException("others write " + StoreLayout.ENCRYPTION + " all the time");
            }
            check();
            if (document == null) {
                create();
            } else if (document.namingSecrets().containsKey(currentKeyId)) {
                byte[] unused = masterKey(currentKeyId);
                begun = true;
            } else {
                write(ConfigJson.document(document.with(currentKeyId, sealed(namingSecret()))));
            }
        }
    }

    private void create() throws IOException {
        byte[] secret = new byte[SECRET_BYTES];
        byte[] name = new byte[8];
        random.nextBytes(secret);
        random.nextBytes(name);
        String claim = StoreLayout.encryptionClaim(name);
        objects.write(claim, ConfigJson.document(new EncryptionDocument(Map.of(currentKeyId, sealed(secret)))));
        try {
            settle();
            if (read() == null) {
                write(first(claim));
            }
        } finally {
            objects.delete(List.of(claim));
        }
    }

    private byte[] sealed(byte[] secret) {
        byte[] key = given(currentKeyId)
                .orElseThrow(() -> failed(
                        Problem.KEY_UNKNOWN,
                        currentKeyId,
                        "the keys call " + currentKeyId + " the current one, and do not have it"));
        return SealedObject.seal(StoreLayout.ENCRYPTION, ByteBuffer.wrap(secret), currentKeyId, key, random)
                .array();
    }

    /** What somebody proposed that died long ago does not count: nobody may have that key any more. */
    private ByteBuffer first(String own) throws IOException {
        List<ObjectStore.Entry> claims = new ArrayList<>();
        objects.list(StoreLayout.ENCRYPTION_CLAIMS, claims::add);
        ObjectStore.Entry mine = objects.find(own).orElseThrow(() -> new IOException(own + " is not there any more"));
        claims.removeIf(
                claim -> Duration.between(claim.modifiedAt(), mine.modifiedAt()).compareTo(StoreLock.EXPIRY) > 0);
        claims.sort(Comparator.comparing(ObjectStore.Entry::modifiedAt).thenComparing(ObjectStore.Entry::key));
        for (ObjectStore.Entry claim : claims) {
            Optional<ByteBuffer> proposal = objects.read(claim.key(), DOCUMENT_BYTES_MAX);
            if (proposal.isPresent()) {
                return proposal.get();
            }
        }
        throw new IOException(own + " is not there any more");
    }

    /** What is there after a while is what counts. */
    private void write(ByteBuffer bytes) throws IOException {
        objects.write(StoreLayout.ENCRYPTION, bytes);
        settle();
        document = null;
    }

    private void settle() throws IOException {
        try {
            time.sleep(StoreLock.SETTLING);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            InterruptedIOException interrupted = new InterruptedIOException("interrupted");
            interrupted.initCause(e);
            throw interrupted;
        }
    }

    /** What blocks are named with. */
    synchronized byte[] namingSecret() throws IOException {
        check();
        if (namingSecret == null) {
            begin();
        }
        if (namingSecret == null) {
            throw new IllegalStateException("begun without a secret");
        }
        return namingSecret;
    }
}
