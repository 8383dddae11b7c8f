package io.longhorn.app.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/** A file of bytes that do not compress, the same each time. */
final class RandomImage {
    private static final int PIECE_BYTES = 1 << 20;

    private RandomImage() {}

    /** Makes the file, or writes it anew. */
    static void write(Path file, long sizeBytes) throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        byte[] piece = new byte[PIECE_BYTES];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (long left = sizeBytes; left > 0; left -= piece.length) {
                random.nextBytes(piece);
                out.write(piece, 0, (int) Math.min(left, piece.length));
            }
        }
    }
}
