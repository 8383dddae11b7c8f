package io.longhorn.replica.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** A disk that counts what changes it, and is gone in the middle of one such operation. */
public final class PowerCut implements DiskDirectory {

    /** Not an IOException: nothing runs behind it, as nothing does without power. */
    public static final class Dark extends RuntimeException {
        private static final long serialVersionUID = 1;

        Dark() {
            super("the power is gone");
        }
    }

    private final MemoryDisk disk;
    /** Operations so far. */
    public int operations;
    /** The operation that is not carried out, nor anything behind it. */
    public int cutAt = Integer.MAX_VALUE;

    public PowerCut(MemoryDisk disk) {
        this.disk = disk;
    }

    private void change() {
        if (++operations >= cutAt) {
            throw new Dark();
        }
    }

    private void look() {
        if (operations >= cutAt) {
            throw new Dark();
        }
    }

    @Override
    public List<String> list(String directory) {
        look();
        return disk.list(directory);
    }

    @Override
    public boolean exists(String name) {
        look();
        return disk.exists(name);
    }

    @Override
    public void createDirectories(String directory) {
        change();
        disk.createDirectories(directory);
    }

    @Override
    public DiskFile open(String name, boolean create) throws IOException {
        if (create) {
            change();
        } else {
            look();
        }
        return new CutFile(disk.open(name, create));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        change();
        disk.rename(from, to);
    }

    @Override
    public void delete(String name) throws IOException {
        change();
        disk.delete(name);
    }

    @Override
    public void syncDirectory(String directory) throws IOException {
        change();
        disk.syncDirectory(directory);
    }

    @Override
    public long usableBytes() {
        return disk.usableBytes();
    }

    @Override
    public String describe() {
        return disk.describe();
    }

    private final class CutFile implements DiskFile {
        private final DiskFile file;

        CutFile(DiskFile file) {
            this.file = file;
        }

        @Override
        public void read(long position, ByteBuffer target) throws IOException {
            look();
            file.read(position, target);
        }

        @Override
        public void write(long position, ByteBuffer source) throws IOException {
            if (operations + 1 == cutAt) {
                // Half of it went out before.
                ByteBuffer half = source.duplicate();
                half.limit(half.position() + half.remaining() / 2);
                file.write(position, half);
            }
            change();
            file.write(position, source);
        }

        @Override
        public void sync() throws IOException {
            change();
            file.sync();
        }

        @Override
        public void reserve(long position, long length) throws IOException {
            look();
            file.reserve(position, length);
        }

        @Override
        public boolean punch(long position, long length) throws IOException {
            change();
            return file.punch(position, length);
        }

        @Override
        public long nextData(long position) throws IOException {
            look();
            return file.nextData(position);
        }

        @Override
        public void preallocate(long position, long length) throws IOException {
            change();
            file.preallocate(position, length);
        }

        @Override
        public long sizeBytes() throws IOException {
            look();
            return file.sizeBytes();
        }

        @Override
        public void truncate(long sizeBytes) throws IOException {
            change();
            file.truncate(sizeBytes);
        }

        @Override
        public long allocatedBytes() throws IOException {
            look();
            return file.allocatedBytes();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
