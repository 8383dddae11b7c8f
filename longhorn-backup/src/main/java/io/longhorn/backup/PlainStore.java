package io.longhorn.backup;

import io.longhorn.BackupKeyException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Objects as they are, of a store that was found not to be encrypted before the first of them is touched. */
final class PlainStore implements ObjectStore {
    private final ObjectStore objects;
    private volatile boolean checked;

    PlainStore(ObjectStore objects) {
        this.objects = objects;
    }

    private ObjectStore checked() throws IOException {
        if (!checked) {
            if (objects.find(StoreLayout.ENCRYPTION).isPresent()) {
                throw new BackupKeyException(
                        objects.describe(),
                        BackupKeyException.Problem.KEYS_MISSING,
                        "",
                        "it is encrypted; give its keys with BackupTarget.encryptedWith");
            }
            checked = true;
        }
        return objects;
    }

    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        return checked().read(key, bytesMax);
    }

    @Override
    public Optional<Entry> find(String key) throws IOException {
        return checked().find(key);
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        checked().write(key, content);
    }

    @Override
    public WriteGroup group() {
        return WriteGroup.mapped(objects.group(), (key, content) -> {
            ObjectStore unused = checked();
            return content;
        });
    }

    @Override
    public void delete(Collection<String> keys) throws IOException {
        checked().delete(keys);
    }

    @Override
    public void list(String folder, EntrySink sink) throws IOException {
        checked().list(folder, sink);
    }

    @Override
    public List<String> names(String folder) throws IOException {
        return checked().names(folder);
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
