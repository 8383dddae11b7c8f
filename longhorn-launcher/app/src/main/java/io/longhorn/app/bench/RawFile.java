package io.longhorn.app.bench;

import io.longhorn.app.CommandFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What the disk below does without us: random writes of 4 KiB past the page cache (O_DIRECT) into one preallocated file,
 * with as many blocking threads as operations in flight, each write followed by fdatasync or not.
 */
final class RawFile implements AutoCloseable {

    private static final int BLOCK_BYTES = 4 << 10;
    private static final int FILL_BYTES = 1 << 20;

    private final FileChannel channel;
    private final long fileBytes;

    private RawFile(FileChannel channel, long fileBytes) {
        this.channel = channel;
        this.fileBytes = fileBytes;
    }

    /**
     * Writes a file full, so that the loads only overwrite.
     *
     * @throws UnsupportedOperationException if the file system has no direct I/O
     */
    static RawFile create(Path file, long fileBytes) throws IOException {
        int alignment = Math.toIntExact(Files.getFileStore(file.getParent()).getBlockSize());
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, directOption());
        try {
            ByteBuffer zeroes = aligned(FILL_BYTES, alignment);
            for (long at = 0; at < fileBytes; at += FILL_BYTES) {
                write(channel, at, zeroes.clear());
            }
            channel.force(true);
            return new RawFile(channel, fileBytes);
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    /** By its name: compilers warn of this class, although the JDK documents and exports it. */
    private static OpenOption directOption() {
        try {
            for (Object option :
                    Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants()) {
                if (option instanceof OpenOption direct && option.toString().equals("DIRECT")) {
                    return direct;
                }
            }
        } catch (ClassNotFoundException e) {
            throw new UnsupportedOperationException("this JDK has no direct I/O", e);
        }
        throw new UnsupportedOperationException("this JDK has no direct I/O");
    }

    BenchFigures write(int depth, boolean sync, Duration duration) throws Exception {
        CpuMeter cpu = CpuMeter.ofSelfAnd(List.of());
        ExecutorService threads = Executors.newFixedThreadPool(depth);
        try {
            long cpuBefore = cpu.nanos();
            long begin = System.nanoTime();
            List<CompletableFuture<Latencies>> runs = new ArrayList<>();
            for (int thread = 0; thread < depth; thread++) {
                long seed = thread;
                runs.add(CompletableFuture.supplyAsync(() -> run(seed, begin + duration.toNanos(), sync), threads));
            }
            Latencies all = new Latencies();
            for (CompletableFuture<Latencies> run : runs) {
                all.add(run.get());
            }
            long wall = System.nanoTime() - begin;
            return all.figures(BLOCK_BYTES, wall, cpuBefore < 0 ? -1 : cpu.nanos() - cpuBefore);
        } finally {
            threads.shutdownNow();
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private Latencies run(long seed, long end, boolean sync) {
        SplittableRandom random = new SplittableRandom(seed);
        ByteBuffer block = aligned(BLOCK_BYTES, BLOCK_BYTES);
        Latencies latencies = new Latencies();
        try {
            long last = System.nanoTime();
            while (last < end) {
                write(channel, random.nextLong(fileBytes / BLOCK_BYTES) * BLOCK_BYTES, block.clear());
                if (sync) {
                    channel.force(false);
                }
                long now = System.nanoTime();
                latencies.record(now - last);
                last = now;
            }
        } catch (IOException e) {
            throw new CommandFailure("the raw file cannot be written: " + e.getMessage(), e);
        }
        return latencies;
    }

    private static ByteBuffer aligned(int bytes, int alignment) {
        return ByteBuffer.allocateDirect(bytes + alignment)
                .alignedSlice(alignment)
                .slice(0, bytes);
    }

    private static void write(FileChannel channel, long offset, ByteBuffer content) throws IOException {
        if (channel.write(content, offset) < content.capacity()) {
            throw new IOException("a short write");
        }
    }
}
