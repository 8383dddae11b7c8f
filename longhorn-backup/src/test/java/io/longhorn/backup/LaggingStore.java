package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** Objects in memory of which listings show later what was written and deleted; whoever knows a key finds what is there. */
final class LaggingStore extends ForwardingStore {
    /** Content of the object; empty if it was deleted. */
    private record Change(long nanos, String key, Optional<ByteBuffer> content) {}

    /** What listings show. */
    private final MemoryStore listed;

    private final Deque<Change> notListed = new ArrayDeque<>();
    private final StoreTime time;
    private final Duration lag;

    /** @param objects listed already as they are now */
    LaggingStore(MemoryStore objects, StoreTime time, Duration lag) {
        super(objects);
        this.listed = objects.copy();
        this.time = time;
        this.lag = lag;
    }

    @Override
    public synchronized void write(String key, ByteBuffer content) throws IOException {
        super.write(key, content);
        ByteBuffer kept = ByteBuffer.allocate(content.remaining()).put(content.duplicate());
        notListed.add(new Change(time.nanoTime(), key, Optional.of(kept.flip())));
    }

    @Override
    public synchronized void delete(Collection<String> keys) throws IOException {
        super.delete(keys);
        keys.forEach(key -> notListed.add(new Change(time.nanoTime(), key, Optional.empty())));
    }

    @Override
    public synchronized void list(String folder, EntrySink sink) throws IOException {
        catchUp();
        listed.list(folder, sink);
    }

    @Override
    public synchronized List<String> names(String folder) throws IOException {
        catchUp();
        return listed.names(folder);
    }

    private void catchUp() throws IOException {
        while (!notListed.isEmpty() && time.nanoTime() - notListed.element().nanos() >= lag.toNanos()) {
            Change change = notListed.remove();
            if (change.content().isPresent()) {
                listed.write(change.key(), change.content().get());
            } else {
                listed.delete(List.of(change.key()));
            }
        }
    }
}
