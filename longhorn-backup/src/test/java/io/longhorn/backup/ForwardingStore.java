package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Passes every call on; a test changes some of them. */
abstract class ForwardingStore implements ObjectStore {
    private final ObjectStore objects;

    ForwardingStore(ObjectStore objects) {
        this.objects = objects;
    }

    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        return objects.read(key, bytesMax);
    }

    @Override
    public Optional<Entry> find(String key) throws IOException {
        return objects.find(key);
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
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
