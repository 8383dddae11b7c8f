package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Objects that are sealed before they leave, and opened when they come back; sizes are those of their content. Locks stay as they are: they say nothing of what is backed up, and
 * must be understood by holders of any key, or they would stand in everybody's way.
 */
final class EncryptedStore implements ObjectStore {
    private static final String HMAC = "HmacSHA512";

    private final ObjectStore objects;
    private final StoreEncryption encryption;
    private final RandomGenerator random;

    /** Touches nothing yet. */
    EncryptedStore(ObjectStore objects, StoreEncryption encryption, RandomGenerator random) {
        this.objects = objects;
        this.encryption = encryption;
        this.random = random;
    }

    /** What a block is called here: only who has the store's secret can tell the name of a block that he knows. */
    String nameOf(ByteBuffer block) throws IOException {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(new SecretKeySpec(encryption.namingSecret(), HMAC));
            mac.update(block.duplicate());
            return HexFormat.of().formatHex(mac.doFinal(), 0, BlockChecksum.DIGITS / 2);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + HMAC, e);
        }
    }

    private static boolean isPlain(String key) {
        return key.endsWith(StoreLayout.LOCK_SUFFIX);
    }

    private static Entry ofContent(Entry entry) {
        return isPlain(entry.key())
                ? entry
                : new Entry(entry.key(), Math.max(0, entry.sizeBytes() - SealedObject.OVERHEAD), entry.modifiedAt());
    }

    /** @throws DamagedObjectException if it is not what was written there */
    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        encryption.check();
        if (isPlain(key)) {
            return objects.read(key, bytesMax);
        }
        Optional<ByteBuffer> sealed = objects.read(
                key, Math.min(bytesMax, Integer.MAX_VALUE - SealedObject.OVERHEAD) + SealedObject.OVERHEAD);
        return sealed.isEmpty() ? sealed : Optional.of(opened(key, sealed.get()));
    }

    private ByteBuffer opened(String key, ByteBuffer sealed) throws IOException {
        return SealedObject.open(key, sealed, encryption.masterKey(SealedObject.keyId(sealed)));
    }

    @Override
    public Optional<Entry> find(String key) throws IOException {
        encryption.check();
        return objects.find(key).map(EncryptedStore::ofContent);
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        objects.write(key, kept(key, content));
    }

    @Override
    public WriteGroup group() {
        return WriteGroup.mapped(objects.group(), this::kept);
    }

    /** What is kept for the content. */
    private ByteBuffer kept(String key, ByteBuffer content) throws IOException {
        // Before the first lock too: a store with volumes and without the document counts as a plain one.
        encryption.begin();
        return isPlain(key) ? content : sealed(key, content);
    }

    private ByteBuffer sealed(String key, ByteBuffer content) throws IOException {
        String keyId = encryption.currentKeyId();
        return SealedObject.seal(key, content, keyId, encryption.masterKey(keyId), random);
    }

    @Override
    public void delete(Collection<String> keys) throws IOException {
        encryption.check();
        objects.delete(keys);
    }

    @Override
    public void list(String folder, EntrySink sink) throws IOException {
        encryption.check();
        objects.list(folder, entry -> sink.entry(ofContent(entry)));
    }

    @Override
    public List<String> names(String folder) throws IOException {
        encryption.check();
        return objects.names(folder);
    }

    @Override
    public String describe() {
        return objects.describe();
    }

    @Override
    public void close() {
        objects.close();
    }
}
