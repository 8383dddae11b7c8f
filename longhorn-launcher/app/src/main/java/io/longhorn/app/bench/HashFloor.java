package io.longhorn.app.bench;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;

/** The least that a backup can cost: compressing and hashing its blocks, by as many threads as there are cores, and doing nothing with the outcome. */
final class HashFloor {
    private HashFloor() {}

    static double megabytesPerSecond(long bytes, int blockBytes) throws Exception {
        int threads = Runtime.getRuntime().availableProcessors();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            AtomicLong blocks = new AtomicLong(bytes / blockBytes);
            long begin = System.nanoTime();
            List<CompletableFuture<Void>> runs = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                long seed = thread;
                runs.add(CompletableFuture.runAsync(() -> run(blocks, blockBytes, seed), pool));
            }
            for (CompletableFuture<Void> run : runs) {
                run.get();
            }
            return bytes / 1e6 / ((System.nanoTime() - begin) / 1e9);
        } finally {
            pool.shutdownNow();
        }
    }

    private static void run(AtomicLong blocks, int blockBytes, long seed) {
        LZ4Compressor compressor = LZ4Factory.fastestInstance().fastCompressor();
        byte[] block = new byte[blockBytes];
        new SplittableRandom(seed).nextBytes(block);
        ByteBuffer compressed = ByteBuffer.allocate(compressor.maxCompressedLength(blockBytes));
        try {
            MessageDigest sha512 = MessageDigest.getInstance("SHA-512");
            while (blocks.getAndDecrement() > 0) {
                compressor.compress(ByteBuffer.wrap(block), compressed.clear());
                sha512.update(block);
                byte[] unused = sha512.digest();
            }
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-512", e);
        }
    }
}
