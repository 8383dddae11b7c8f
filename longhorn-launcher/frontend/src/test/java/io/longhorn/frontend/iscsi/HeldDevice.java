package io.longhorn.frontend.iscsi;

import io.longhorn.CompareResult;
import io.longhorn.EventSubscription;
import io.longhorn.Extent;
import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import io.longhorn.frontend.BlockDevice;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.LongConsumer;

/** A device in memory whose operations end at once, or, while it holds them, when the test says so. */
final class HeldDevice implements BlockDevice {

    private final String name;
    private final byte[] content;
    private final BlockingQueue<Runnable> held = new LinkedBlockingQueue<>();
    private volatile boolean holding;

    HeldDevice(String name, int sizeBytes) {
        this.name = name;
        content = new byte[sizeBytes];
    }

    void hold() {
        holding = true;
    }

    /** Ends the oldest operation that is held, once there is one. */
    void letGo() throws InterruptedException {
        held.take().run();
    }

    /** Waits until so many operations are held. */
    void awaitHeld(int count) {
        while (held.size() < count) {
            Thread.onSpinWait();
        }
    }

    void letAllGo() {
        holding = false;
        for (Runnable next = held.poll(); next != null; next = held.poll()) {
            next.run();
        }
    }

    synchronized byte at(int offset) {
        return content[offset];
    }

    private synchronized void access(Runnable operation) {
        operation.run();
    }

    private CompletionStage<Void> run(Runnable operation) {
        CompletableFuture<Void> stage = new CompletableFuture<>();
        Runnable end = () -> {
            access(operation);
            stage.complete(null);
        };
        if (holding) {
            held.add(end);
        } else {
            end.run();
        }
        return stage;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public UUID id() {
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public long sizeBytes() {
        return content.length;
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public CompletionStage<Void> readAsync(long offsetBytes, ByteBuffer destination) {
        return run(() -> destination.put(content, (int) offsetBytes, destination.remaining()));
    }

    @Override
    public CompletionStage<Void> writeAsync(long offsetBytes, ByteBuffer source, WriteOption... options) {
        return run(() -> source.get(content, (int) offsetBytes, source.remaining()));
    }

    @Override
    public CompletionStage<Void> flushAsync() {
        return run(() -> {});
    }

    @Override
    public CompletionStage<Void> discardAsync(long offsetBytes, long lengthBytes) {
        return writeZeroesAsync(offsetBytes, lengthBytes);
    }

    @Override
    public CompletionStage<Void> writeZeroesAsync(long offsetBytes, long lengthBytes, ZeroOption... options) {
        return writeAsync(offsetBytes, ByteBuffer.allocate((int) lengthBytes));
    }

    @Override
    public CompletionStage<CompareResult> compareAndWriteAsync(
            long offsetBytes, ByteBuffer expected, ByteBuffer replacement, WriteOption... options) {
        return CompletableFuture.failedFuture(new UnsupportedOperationException("not needed here"));
    }

    @Override
    public List<Extent> allocation(long offsetBytes, long lengthBytes) {
        return List.of();
    }

    @Override
    public EventSubscription onResize(LongConsumer listener) {
        return () -> {};
    }
}
