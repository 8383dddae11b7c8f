package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Objects of which a test sees what is read and written before it is, and may make it fail. */
final class WatchedStore implements ObjectStore {

    /** Told a key. */
    interface Watch {
        void touched(String key) throws IOException;
    }

    /** Makes an answer of the names that are in a folder. */
    interface Naming {
        List<String> answer(String folder, List<String> names);
    }

    private final ObjectStore objects;
    volatile Naming naming = (folder, names) -> names;
    volatile Watch reading = key -> {};
    volatile Watch writing = key -> {};

    WatchedStore(ObjectStore objects) {
        this.objects = objects;
    }

    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        reading.touched(key);
        return objects.read(key, bytesMax);
    }

    @Override
    public Optional<Entry> find(String key) throws IOException {
        return objects.find(key);
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        writing.touched(key);
        objects.write(key, content);
    }

    @Override
    public void delete(Collection<String> keys) throws IOException {
        objects.delete(keys);
    }

    @Override
    public void list(String folder, EntrySink sink) throws IOException {
        objects.list(folder, sink);
    }

    @Override
    public List<String> names(String folder) throws IOException {
        return naming.answer(folder, objects.names(folder));
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
