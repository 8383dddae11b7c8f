package io.longhorn.benchmarks;

import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** An embedded volume in a directory of temporary files, all of it written once; and a buffer of one block. */
final class EmbeddedVolume implements AutoCloseable {

    /** Above the engine's read cache of 32 MiB, so that most random reads go to a replica. */
    static final long SIZE_BYTES = 128L << 20;

    private static final int CHUNK_BYTES = 256 << 10;

    private final Path directory;
    private final Longhorn longhorn;
    private final Volume volume;
    private final ByteBuffer block = ByteBuffer.allocateDirect(Volume.BLOCK_BYTES);
    private final Random random = new Random(1);

    EmbeddedVolume() throws IOException {
        directory = Files.createTempDirectory("longhorn-benchmark-");
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(
                VolumeSpec.named("benchmark").sizeBytes(SIZE_BYTES).build());
        byte[] content = new byte[CHUNK_BYTES];
        for (long offset = 0; offset < SIZE_BYTES; offset += CHUNK_BYTES) {
            random.nextBytes(content);
            volume.write(offset, ByteBuffer.wrap(content));
        }
        volume.flush();
    }

    Volume volume() {
        return volume;
    }

    /** Writes a random block of the first so many bytes. */
    void writeWithin(long bytes) {
        volume.write(offset(bytes), block.clear());
    }

    /** Reads a random block of the first so many bytes. */
    ByteBuffer readWithin(long bytes) {
        volume.read(offset(bytes), block.clear());
        return block;
    }

    @Override
    public void close() {
        longhorn.close();
        try (Stream<Path> files = Files.walk(directory)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private long offset(long bytes) {
        return random.nextInt((int) (bytes / Volume.BLOCK_BYTES)) * (long) Volume.BLOCK_BYTES;
    }
}
