package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** Objects in memory, by a clock of the test's. */
final class MemoryStore implements ObjectStore {
    private record Stored(byte[] bytes, Instant modifiedAt) {}

    private final StoreTime time;
    private final Map<String, Stored> objects = new TreeMap<>();
    /** Every write fails while this is set. */
    volatile boolean failing;

    MemoryStore(StoreTime time) {
        this.time = time;
    }

    /** Another one with the same objects. */
    synchronized MemoryStore copy() {
        MemoryStore copy = new MemoryStore(time);
        copy.objects.putAll(objects);
        return copy;
    }

    @Override
    public synchronized Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        Stored found = objects.get(ObjectKey.check(key));
        if (found != null && found.bytes.length > bytesMax) {
            throw new IOException(key + " has " + found.bytes.length + " bytes, more than " + bytesMax);
        }
        return Optional.ofNullable(found).map(stored -> ByteBuffer.wrap(stored.bytes.clone()));
    }

    @Override
    public synchronized Optional<Entry> find(String key) {
        return Optional.ofNullable(objects.get(ObjectKey.check(key)))
                .map(stored -> new Entry(key, stored.bytes.length, stored.modifiedAt));
    }

    @Override
    public synchronized void write(String key, ByteBuffer content) throws IOException {
        if (failing) {
            throw new IOException("told to fail");
        }
        byte[] bytes = new byte[content.remaining()];
        content.duplicate().get(bytes);
        objects.put(ObjectKey.check(key), new Stored(bytes, time.now()));
    }

    @Override
    public synchronized void delete(Collection<String> keys) throws IOException {
        if (failing) {
            throw new IOException("told to fail");
        }
        keys.forEach(objects::remove);
    }

    @Override
    public void list(String folder, EntrySink sink) throws IOException {
        List<Entry> found = new ArrayList<>();
        synchronized (this) {
            objects.forEach((key, stored) -> {
                if (key.startsWith(folder + "/")) {
                    found.add(new Entry(key, stored.bytes.length, stored.modifiedAt));
                }
            });
        }
        for (Entry entry : found) {
            sink.entry(entry);
        }
    }

    @Override
    public synchronized List<String> names(String folder) {
        TreeSet<String> names = new TreeSet<>();
        for (String key : objects.keySet()) {
            if (key.startsWith(folder + "/")) {
                String rest = key.substring(folder.length() + 1);
                int slash = rest.indexOf('/');
                names.add(slash < 0 ? rest : rest.substring(0, slash + 1));
            }
        }
        return List.copyOf(names);
    }

    @Override
    public String describe() {
        return "memory";
    }

    @Override
    public void close() {
        // Whoever has it still may look.
    }
}
