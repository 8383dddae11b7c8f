package io.longhorn.backup;

import io.longhorn.DamagedBackupException;
import io.longhorn.ProgressListener;
import io.longhorn.TransferException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Writes a backup to a raw image, sparse where the backup has no block, without any volume or server. Used once. */
public final class BackupExport {
    private static final long FORCED_BYTES = 64 << 20;

    private final BackupStore store;
    private final String volume;
    private final String backup;

    public BackupExport(BackupStore store, String volume, String backup) {
        this.store = store;
        this.volume = volume;
        this.backup = backup;
    }

    /**
     * Makes the image, of the volume's size. It appears under its name, durable, when every block of it was found right; before that, or if anything fails, there is only a file
     * {@code NAME.partial}, which is deleted in the end.
     *
     * @param overwrite whether a file of that name is replaced
     * @return size of the image
     * @throws TransferException if there is such a file and it may not be replaced, or the image cannot be written
     * @throws DamagedBackupException if a block is missing or has other bytes
     */
    public long to(Path image, boolean overwrite, ProgressListener progress) {
        if (!overwrite && Files.exists(image)) {
            throw new TransferException(image, "the file exists, and shall not be replaced");
        }
        BackupConfig config = store.completeBackup(volume, backup);
        long sizeBytes = store.volumeBytes(config);
        Path partial = image.resolveSibling(image.getFileName() + ".partial");
        try {
            write(config, partial, sizeBytes, progress);
            Files.move(partial, image, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            forceFolderOf(image);
        } catch (IOException e) {
            throw discarding(partial, new TransferException(image, "cannot be written: " + e, e));
        } catch (RuntimeException e) {
            throw discarding(partial, e);
        }
        return sizeBytes;
    }

    private static RuntimeException discarding(Path partial, RuntimeException failure) {
        try {
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }

    private void write(BackupConfig config, Path partial, long sizeBytes, ProgressListener progress)
            throws IOException {
        long total = config.blocks().size() * (long) config.blockBytes();
        AtomicLong done = new AtomicLong();
        AtomicInteger next = new AtomicInteger();
        Files.deleteIfExists(partial);
        try (RandomAccessFile file = new RandomAccessFile(partial.toFile(), "rw");
                FileChannel channel = file.getChannel()) {
            file.setLength(sizeBytes);
            Workers.run(
                    "longhorn-export-" + backup,
                    RestoreRun.WORKERS,
                    () -> () -> {
                        int index = next.getAndIncrement();
                        if (index >= config.blocks().size()) {
                            return false;
                        }
                        write(channel, config, config.blocks().get(index), sizeBytes);
                        long before = done.getAndAdd(config.blockBytes());
                        if ((before + config.blockBytes()) / FORCED_BYTES > before / FORCED_BYTES) {
                            // The disk is at work meanwhile, and not only when all is there.
                            channel.force(false);
                        }
                        return true;
                    },
                    () -> progress.progress(done.get(), total));
            channel.force(true);
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw Failures.of(e, store.describe());
        }
        progress.progress(total, total);
    }

    /** The last block may reach further than the volume did. */
    private void write(FileChannel channel, BackupConfig config, BlockReference block, long sizeBytes)
            throws IOException {
        ByteBuffer bytes = store.block(config, block);
        write(channel, block.offsetBytes(), bytes.limit((int)
                Math.min(bytes.limit(), sizeBytes - block.offsetBytes())));
    }

    private static void write(FileChannel channel, long position, ByteBuffer bytes) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    private static void forceFolderOf(Path image) throws IOException {
        Path folder = image.toAbsolutePath().getParent();
        if (folder != null) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
