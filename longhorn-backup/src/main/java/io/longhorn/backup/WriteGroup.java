package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Writes that become durable together, which costs some stores much less than one by one. Closing drops what was written since {@link #settle}, or leaves it there whole, as
 * stores do it that gain nothing from groups. One thread's at a time.
 */
public interface WriteGroup extends AutoCloseable {

    /** As {@link ObjectStore#write}, but the object is there, and durable, only when {@link #settle} has returned. The content may be changed at once. */
    void write(String key, ByteBuffer content) throws IOException;

    /** Returns when all that was written so far is as {@link ObjectStore#write} leaves it. Another group may follow. When it fails, some of it may be there, each object whole. */
    void settle() throws IOException;

    @Override
    void close();

    /** What becomes of an object before it is written. */
    @FunctionalInterface
    interface Mapping {
        ByteBuffer apply(String key, ByteBuffer content) throws IOException;
    }

    /** Writes to another group what the mapping makes of each object. */
    static WriteGroup mapped(WriteGroup to, Mapping mapping) {
        return new WriteGroup() {
            @Override
            public void write(String key, ByteBuffer content) throws IOException {
                to.write(key, mapping.apply(key, content));
            }

            @Override
            public void settle() throws IOException {
                to.settle();
            }

            @Override
            public void close() {
                to.close();
            }
        };
    }

    /** Writes that are durable one by one. */
    static WriteGroup oneByOne(ObjectStore objects) {
        return new WriteGroup() {
            @Override
            public void write(String key, ByteBuffer content) throws IOException {
                objects.write(key, content);
            }

            @Override
            public void settle() {
                // Each of them is already.
            }

            @Override
            public void close() {
                // Nothing is kept.
            }
        };
    }
}
