package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * A place for named pieces of bytes: the few operations that a backup store needs. A key is a path of names with slashes between them, none at either end. Safe for any thread.
 */
public interface ObjectStore extends AutoCloseable {

    /**
     * What a listing tells of an object.
     *
     * @param modifiedAt when it was written last, by the clock of whoever keeps it
     */
    record Entry(String key, long sizeBytes, Instant modifiedAt) {}

    /** Takes the entries of a listing, one after another. */
    @FunctionalInterface
    interface EntrySink {
        void entry(Entry entry) throws IOException;
    }

    /**
     * The whole object; empty if there is none. The buffer is the caller's.
     *
     * @throws IOException if it cannot be read, or has more bytes than {@code bytesMax}
     */
    Optional<ByteBuffer> read(String key, int bytesMax) throws IOException;

    /** Size and time of the object; empty if there is none. */
    Optional<Entry> find(String key) throws IOException;

    /**
     * Stores the remaining bytes of {@code content} under the key, in place of what was there. A reader sees the old or the new object, nothing between, whatever happens. On
     * return the object is as durable as the store can make it.
     */
    void write(String key, ByteBuffer content) throws IOException;

    /** Writes that become durable together. Close it; it holds what was not settled. */
    default WriteGroup group() {
        return WriteGroup.oneByOne(this);
    }

    /** Deletes the objects; those that are not there count as deleted. */
    void delete(Collection<String> keys) throws IOException;

    /** All objects below a folder, at any depth, in no order, by pages: never holds the whole list. Whatever is written or deleted meanwhile may be listed or not. */
    void list(String folder, EntrySink sink) throws IOException;

    /** The names of what is directly in a folder, in order: objects, and folders, which end in a slash. Empty if there is no such folder. */
    List<String> names(String folder) throws IOException;

    /** Where this is, for messages; without secrets. */
    String describe();

    /** Does nothing the second time. */
    @Override
    void close();
}
