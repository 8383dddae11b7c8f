package io.longhorn.app.bench;

import io.longhorn.Volume;
import io.longhorn.app.CommandFailure;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs a {@link BenchLoad} on a volume for some time. Depth 1 is one thread that makes blocking calls. Beyond that each of
 * the operations in flight has a {@link Slot}, whose operations follow each other {@link BackToBack}.
 */
final class ClosedLoop {

    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(60);

    private final Volume volume;
    private final BenchLoad load;
    private final long rangeBytes;
    private final SplittableRandom random;

    ClosedLoop(Volume volume, BenchLoad load, long rangeBytes, long seed) {
        this.volume = volume;
        this.load = load;
        this.rangeBytes = rangeBytes - rangeBytes % load.bytes();
        random = new SplittableRandom(seed);
    }

    /** Runs it. The processor time includes what is left to do behind it, latencies and rates do not. */
    BenchFigures run(Duration duration, CpuMeter cpu) throws Exception {
        long cpuBefore = cpu.nanos();
        long begin = System.nanoTime();
        Latencies latencies = load.depth() == 1 ? runBlocking(begin, duration) : runSlots(begin, duration);
        long wall = System.nanoTime() - begin;
        if (load.write()) {
            new Settling(cpu).after(volume);
        }
        long cpuAfter = cpu.nanos();
        return latencies.figures(load.bytes(), wall, cpuBefore < 0 || cpuAfter < 0 ? -1 : cpuAfter - cpuBefore);
    }

    private Latencies runBlocking(long begin, Duration duration) {
        Latencies latencies = new Latencies();
        ByteBuffer buffer = content(random);
        Offsets offsets = new Offsets(random.split(), 0);
        long end = begin + duration.toNanos();
        long last = begin;
        while (last < end) {
            buffer.clear();
            if (load.write()) {
                volume.write(offsets.next(), buffer);
            } else {
                volume.read(offsets.next(), buffer);
            }
            long now = System.nanoTime();
            latencies.record(now - last);
            last = now;
        }
        return latencies;
    }

    private Latencies runSlots(long begin, Duration duration) throws Exception {
        List<Slot> slots = new ArrayList<>();
        for (int i = 0; i < load.depth(); i++) {
            slots.add(new Slot(i, begin + duration.toNanos()));
        }
        slots.forEach(Slot::start);
        Latencies all = new Latencies();
        for (Slot slot : slots) {
            try {
                slot.operations.ended().get(duration.plus(DRAIN_LIMIT).toNanos(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                throw new CommandFailure("an operation of \"" + load.title() + "\" never completed", e);
            }
            all.add(slot.latencies);
        }
        return all;
    }

    private ByteBuffer content(SplittableRandom source) {
        byte[] bytes = new byte[load.bytes()];
        source.nextBytes(bytes);
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    /** Where the operations of one slot go. */
    private final class Offsets {

        private final SplittableRandom source;
        private long sequential;

        Offsets(SplittableRandom source, int slot) {
            this.source = source;
            sequential = (long) slot * load.bytes();
        }

        long next() {
            if (load.random()) {
                return source.nextLong(rangeBytes / load.bytes()) * load.bytes();
            }
            long offset = sequential % rangeBytes;
            // The slots take turns, so that together they go through the volume in order.
            sequential = offset + (long) load.depth() * load.bytes();
            return offset;
        }
    }

    /** One of the operations in flight. Its fields belong to the thread that runs it now; completion hands them over. */
    private final class Slot {

        private final Latencies latencies = new Latencies();
        private final BackToBack operations;
        private final ByteBuffer buffer;
        private final Offsets offsets;
        private long last;

        Slot(int number, long end) {
            buffer = content(random);
            offsets = new Offsets(random.split(), number);
            operations = new BackToBack(() -> last < end, this::issue, this::record);
        }

        void start() {
            last = System.nanoTime();
            operations.start();
        }

        private CompletionStage<Void> issue() {
            buffer.clear();
            return load.write() ? volume.writeAsync(offsets.next(), buffer) : volume.readAsync(offsets.next(), buffer);
        }

        private void record() {
            long now = System.nanoTime();
            latencies.record(now - last);
            last = now;
        }
    }
}
