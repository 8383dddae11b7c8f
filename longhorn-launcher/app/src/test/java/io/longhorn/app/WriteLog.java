package io.longhorn.app;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What a writer process asked for and what was confirmed to it, in a file, so that it is known after the process was
 * killed. A record of 16 bytes: the block's number, or its complement when the version was confirmed; and the version.
 * Written by one thread.
 */
final class WriteLog implements AutoCloseable {

    private static final int RECORD_BYTES = 2 * Long.BYTES;

    private final FileChannel channel;
    private final ByteBuffer record = ByteBuffer.allocateDirect(RECORD_BYTES);

    private WriteLog(FileChannel channel) {
        this.channel = channel;
    }

    static WriteLog append(Path file) throws IOException {
        // A killed writer may have left half a record; what follows must begin at a whole one.
        if (Files.exists(file)) {
            try (FileChannel cut = FileChannel.open(file, StandardOpenOption.WRITE)) {
                cut.truncate(cut.size() - cut.size() % RECORD_BYTES);
            }
        }
        return new WriteLog(FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
    }

    void issued(long block, long version) throws IOException {
        write(block, version);
    }

    void confirmed(long block, long version) throws IOException {
        write(~block, version);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void write(long first, long second) throws IOException {
        record.clear().putLong(first).putLong(second).flip();
        while (record.hasRemaining()) {
            int unused = channel.write(record);
        }
    }

    /**
     * Versions by block.
     *
     * @param confirmed the last version that was confirmed; 0 if none was
     * @param issued the last version that was asked for
     */
    record Versions(long[] confirmed, long[] issued) {

        static Versions read(Path file, int blocks) throws IOException {
            Versions versions = new Versions(new long[blocks], new long[blocks]);
            if (Files.exists(file)) {
                ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
                while (content.remaining() >= RECORD_BYTES) {
                    long block = content.getLong();
                    long version = content.getLong();
                    if (block < 0) {
                        versions.confirmed[Math.toIntExact(~block)] = version;
                    } else {
                        versions.issued[Math.toIntExact(block)] = version;
                    }
                }
            }
            return versions;
        }

        /** The version that the block holds, or -1 if it is none that it may hold. */
        long match(ByteBuffer block, int number) {
            for (long version = issued[number]; version >= confirmed[number]; version--) {
                if (Stamps.matches(block, number, version)) {
                    return version;
                }
            }
            return -1;
        }
    }
}
