package io.longhorn.app;

import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.LonghornException;
import io.longhorn.Volume;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The process that {@link KillLoopTest} kills: opens the volume, verifies every block against its log, and writes with
 * several threads until it is killed. It ends by itself only when the volume fails, with exit code {@value #VOLUME_FAILED},
 * or when it finds wrong content, with {@value #MISMATCH}.
 */
final class KillLoopWriter {

    static final int VOLUME_FAILED = 3;
    static final int MISMATCH = 4;

    static final String VOLUME = "kill-loop";
    static final int BLOCKS = 2048;

    private static final int THREADS = 4;
    private static final int FLUSH_EVERY = 64;

    private KillLoopWriter() {}

    /** Arguments: the directory of registry and log, and the addresses of the replica servers. */
    public static void main(String[] arguments) throws Exception {
        InputEnd.watch(() -> System.exit(Main.FAILED));
        Path directory = Path.of(arguments[0]);
        Longhorn longhorn = connect(directory, List.of(arguments).subList(1, arguments.length));
        try {
            Volume volume = longhorn.open(VOLUME);
            List<Thread> threads = new ArrayList<>();
            for (int number = 0; number < THREADS; number++) {
                int thread = number;
                threads.add(new Thread(() -> run(volume, log(directory, thread), thread), "kill-loop-" + number));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (LonghornException e) {
            fail(VOLUME_FAILED, e);
        }
    }

    static Longhorn connect(Path directory, List<String> servers) {
        LonghornConfig.Builder config =
                LonghornConfig.builder().registry(directory.resolve("registry")).readCacheBytes(0);
        servers.forEach(config::replicaServer);
        return Longhorn.connect(config.build());
    }

    /** Reads every block that the logs tell of, and adopts what it finds where a write was cut short. */
    static void verify(Volume volume, Path directory) throws Exception {
        for (int thread = 0; thread < THREADS; thread++) {
            try (WriteLog log = WriteLog.append(log(directory, thread))) {
                adopt(volume, WriteLog.Versions.read(log(directory, thread), BLOCKS), log, thread);
            }
        }
    }

    static long logBytes(Path directory) {
        long bytes = 0;
        for (int thread = 0; thread < THREADS; thread++) {
            bytes += log(directory, thread).toFile().length();
        }
        return bytes;
    }

    private static Path log(Path directory, int thread) {
        return directory.resolve("log-" + thread);
    }

    private static void run(Volume volume, Path file, int thread) {
        try (WriteLog log = WriteLog.append(file)) {
            WriteLog.Versions versions = WriteLog.Versions.read(file, BLOCKS);
            adopt(volume, versions, log, thread);
            write(volume, versions, log, thread);
        } catch (LonghornException e) {
            fail(VOLUME_FAILED, e);
        } catch (Throwable e) {
            fail(MISMATCH, e);
        }
    }

    private static void adopt(Volume volume, WriteLog.Versions versions, WriteLog log, int thread) throws Exception {
        ByteBuffer block = ByteBuffer.allocateDirect(Volume.BLOCK_BYTES);
        for (int number = thread; number < BLOCKS; number += THREADS) {
            volume.read(offset(number), block.clear());
            long version = versions.match(block, number);
            if (version < 0) {
                throw new AssertionError("block " + number + " should hold version " + versions.confirmed()[number]
                        + " to " + versions.issued()[number] + "; it begins with number " + block.getLong(0)
                        + ", version " + block.getLong(Long.BYTES));
            }
            // What one reader saw, no later reader may miss.
            log.confirmed(number, version);
            versions.confirmed()[number] = version;
        }
    }

    private static void write(Volume volume, WriteLog.Versions versions, WriteLog log, int thread) throws Exception {
        ByteBuffer block = ByteBuffer.allocateDirect(Volume.BLOCK_BYTES);
        SplittableRandom random = new SplittableRandom(System.nanoTime());
        for (long round = 1; ; round++) {
            int number = random.nextInt(BLOCKS / THREADS) * THREADS + thread;
            volume.read(offset(number), block.clear());
            if (!Stamps.matches(block, number, versions.confirmed()[number])) {
                throw new AssertionError("block " + number + " should hold version " + versions.confirmed()[number]
                        + "; it begins with number " + block.getLong(0) + ", version " + block.getLong(Long.BYTES));
            }
            long version = versions.issued()[number] + 1;
            log.issued(number, version);
            versions.issued()[number] = version;
            Stamps.fill(block, number, version);
            volume.write(offset(number), block);
            log.confirmed(number, version);
            versions.confirmed()[number] = version;
            if (round % FLUSH_EVERY == 0) {
                volume.flush();
            }
        }
    }

    private static long offset(int number) {
        return (long) number * Volume.BLOCK_BYTES;
    }

    /** At once: what the other threads do must not change what is found. */
    private static void fail(int exitCode, Throwable failure) {
        failure.printStackTrace();
        Runtime.getRuntime().halt(exitCode);
    }
}
