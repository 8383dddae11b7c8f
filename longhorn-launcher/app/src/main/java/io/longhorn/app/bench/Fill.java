package io.longhorn.app.bench;

import io.longhorn.Volume;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.PrimitiveIterator;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

/** Puts content into volumes as fast as it goes, before something is measured. Flushed on return. */
final class Fill {

    private static final int LARGE_BYTES = 256 << 10;
    private static final int LARGE_DEPTH = 8;
    private static final int BLOCK_DEPTH = 32;
    private static final Duration STEP_LIMIT = Duration.ofMinutes(1);

    private Fill() {}

    /** Writes every byte, in order. */
    static void all(Volume volume) throws Exception {
        LongStream offsets =
                LongStream.iterate(0, offset -> offset < volume.sizeBytes(), offset -> offset + LARGE_BYTES);
        write(volume, offsets, LARGE_BYTES, LARGE_DEPTH);
    }

    /** Writes these blocks, each by a write of its own. */
    static void blocks(Volume volume, LongStream numbers) throws Exception {
        write(volume, numbers.map(number -> number * Volume.BLOCK_BYTES), Volume.BLOCK_BYTES, BLOCK_DEPTH);
    }

    /** Reads every byte, so that later reads find it in the page cache of the servers. */
    static void read(Volume volume) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(LARGE_BYTES);
        for (long offset = 0; offset < volume.sizeBytes(); offset += LARGE_BYTES) {
            volume.read(offset, buffer.clear().limit((int) Math.min(LARGE_BYTES, volume.sizeBytes() - offset)));
        }
    }

    private static void write(Volume volume, LongStream offsets, int bytes, int depth) throws Exception {
        byte[] content = new byte[bytes];
        new SplittableRandom(1).nextBytes(content);
        Deque<CompletableFuture<Void>> flights = new ArrayDeque<>();
        PrimitiveIterator.OfLong each = offsets.iterator();
        while (each.hasNext()) {
            if (flights.size() == depth) {
                await(flights.remove());
            }
            long offset = each.nextLong();
            int length = (int) Math.min(bytes, volume.sizeBytes() - offset);
            flights.add(volume.writeAsync(offset, ByteBuffer.wrap(content, 0, length))
                    .toCompletableFuture());
        }
        while (!flights.isEmpty()) {
            await(flights.remove());
        }
        volume.flush();
    }

    private static void await(CompletableFuture<Void> flight) throws Exception {
        flight.get(STEP_LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
}
