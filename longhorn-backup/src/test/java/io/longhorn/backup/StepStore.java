package io.longhorn.backup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Objects that nobody reaches any more from a certain step on: as if the process, or the way to the target, were gone. */
final class StepStore extends ForwardingStore {
    private int stepsLeft;
    private int steps;

    /** @param stepsLeft how many operations are still carried out */
    StepStore(ObjectStore objects, int stepsLeft) {
        super(objects);
        this.stepsLeft = stepsLeft;
    }

    /** Operations so far. */
    synchronized int steps() {
        return steps;
    }

    private synchronized void step() throws IOException {
        steps++;
        if (stepsLeft-- <= 0) {
            throw new IOException("nobody answers");
        }
    }

    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        step();
        return super.read(key, bytesMax);
    }

    @Override
    public Optional<Entry> find(String key) throws IOException {
        step();
        return super.find(key);
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        step();
        super.write(key, content);
    }

    @Override
    public void delete(Collection<String> keys) throws IOException {
        step();
        super.delete(keys);
    }

    @Override
    public void list(String folder, EntrySink sink) throws IOException {
        step();
        super.list(folder, sink);
    }

    @Override
    public List<String> names(String folder) throws IOException {
        step();
        return super.names(folder);
    }
}
