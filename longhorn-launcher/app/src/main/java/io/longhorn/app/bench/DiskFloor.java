package io.longhorn.app.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/** The least that keeping bytes on this disk can cost: writing them to one file and forcing it once. */
final class DiskFloor {
    private DiskFloor() {}

    static double megabytesPerSecond(Path directory, long bytes, int blockBytes) throws IOException {
        byte[] content = new byte[blockBytes];
        new SplittableRandom(1).nextBytes(content);
        ByteBuffer block = ByteBuffer.allocateDirect(blockBytes).put(content);
        Path file = directory.resolve("floor");
        long begin = System.nanoTime();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long done = 0; done < bytes; done += blockBytes) {
                block.clear();
                while (block.hasRemaining()) {
                    channel.write(block);
                }
            }
            channel.force(true);
            return bytes / 1e6 / ((System.nanoTime() - begin) / 1e9);
        } finally {
            Files.deleteIfExists(file);
        }
    }
}
