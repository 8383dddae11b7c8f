package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** Objects of which a test sees what is read and written before it is, and may make it fail. */
final class WatchedStore extends ForwardingStore {

    /** Told a key. */
    interface Watch {
        void touched(String key) throws IOException;
    }

    /** Makes an answer of the names that are in a folder. */
    interface Naming {
        List<String> answer(String folder, List<String> names);
    }

    volatile Naming naming = (folder, names) -> names;
    volatile Watch reading = key -> {};
    volatile Watch writing = key -> {};

    WatchedStore(ObjectStore objects) {
        super(objects);
    }

    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        reading.touched(key);
        return super.read(key, bytesMax);
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        writing.touched(key);
        super.write(key, content);
    }

    @Override
    public List<String> names(String folder) throws IOException {
        return naming.answer(folder, super.names(folder));
    }
}
