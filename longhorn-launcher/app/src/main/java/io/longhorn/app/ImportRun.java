package io.longhorn.app;

import io.longhorn.Volume;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The import of an image into a volume on one thread, while another one reads random blocks of the same volume: each must
 * hold zeroes or what the image has there, and never zeroes again after it held the image's content.
 */
final class ImportRun implements AutoCloseable {

    private final Volume volume;
    private final FileSystemImage image;
    private final Thread importer = new Thread(this::doImport, "longhorn-import");
    private final Thread reader = new Thread(this::compare, "longhorn-import-reader");

    /** 0 to 1. */
    private volatile double fraction;

    private volatile boolean done;
    private volatile @Nullable Throwable failure;
    private volatile long compared;

    private ImportRun(Volume volume, FileSystemImage image) {
        this.volume = volume;
        this.image = image;
        importer.setDaemon(true);
        reader.setDaemon(true);
    }

    static ImportRun start(Volume volume, FileSystemImage image) {
        ImportRun run = new ImportRun(volume, image);
        run.importer.start();
        run.reader.start();
        return run;
    }

    /** Waits until this part of the image was imported, but not all of it. */
    void awaitFraction(double wanted, Duration limit) throws Exception {
        boolean reached = Waiting.until(limit, () -> failure != null || done || fraction >= wanted);
        rethrow();
        if (!reached) {
            throw new CommandFailure(
                    "the import stands at " + Math.round(100 * fraction) + " % after " + limit.toSeconds() + " s");
        }
        if (done) {
            throw new CommandFailure("the import ended too early for this story");
        }
    }

    double fraction() {
        return fraction;
    }

    /** Waits for the end, and returns how many blocks were compared beside the import. */
    long awaitEnd(Duration limit) throws InterruptedException {
        importer.join(limit.toMillis());
        rethrow();
        if (importer.isAlive()) {
            throw new CommandFailure("the import did not end within " + limit.toSeconds() + " s");
        }
        reader.join();
        rethrow();
        return compared;
    }

    @Override
    public void close() {
        done = true;
    }

    private void doImport() {
        try {
            volume.importFrom(
                    image.file(), (doneBytes, totalBytes) -> fraction = (double) doneBytes / Math.max(1, totalBytes));
        } catch (Throwable e) {
            failure = e;
        } finally {
            done = true;
        }
    }

    private void compare() {
        SplittableRandom random = new SplittableRandom(7);
        int blocks = Math.toIntExact(image.sizeBytes() / Volume.BLOCK_BYTES);
        BitSet imported = new BitSet(blocks);
        ByteBuffer found = ByteBuffer.allocateDirect(Volume.BLOCK_BYTES);
        ByteBuffer expected = ByteBuffer.allocateDirect(Volume.BLOCK_BYTES);
        try (FileChannel file = image.open()) {
            long count = 0;
            while (!done) {
                int number = random.nextInt(blocks);
                compareBlock(file, number, found.clear(), expected.clear(), imported);
                count++;
                compared = count;
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private void compareBlock(FileChannel file, int number, ByteBuffer found, ByteBuffer expected, BitSet imported)
            throws IOException {
        long offset = (long) number * Volume.BLOCK_BYTES;
        volume.read(offset, found);
        FileSystemImage.read(file, offset, expected);
        boolean zero = Stamps.isZero(found);
        if (zero && !imported.get(number)) {
            return;
        }
        if (!found.flip().equals(expected.flip())) {
            throw new CommandFailure("MISMATCH: block " + number + " of volume " + volume.name()
                    + (zero ? " lost what was imported" : " holds neither zeroes nor what the image has there"));
        }
        imported.set(number);
    }

    private void rethrow() {
        Throwable found = failure;
        if (found != null) {
            throw new CommandFailure("the import failed: " + FailureLine.of(found), found);
        }
    }
}
