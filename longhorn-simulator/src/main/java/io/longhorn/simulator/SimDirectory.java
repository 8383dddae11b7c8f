package io.longhorn.simulator;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** A {@link SimDisk} as one process sees it. Dead processes see nothing: each call unwinds with {@link SimCrash}. */
// Only a replica's disk has to know it as what it implements.
@SuppressWarnings("exports")
public final class SimDirectory implements DiskDirectory {
    private static final long OPERATION_NANOS = 5_000;
    private static final long SYNC_NANOS = 300_000;

    private final SimDisk disk;
    private final SimProcess process;
    private final SimLoop loop;

    SimDirectory(SimDisk disk, SimProcess process, SimLoop loop) {
        this.disk = disk;
        this.process = process;
        this.loop = loop;
    }

    private boolean begin(long nanos) {
        boolean dies = disk.begin(process);
        loop.busy(nanos * disk.slowness());
        return dies;
    }

    /** An operation that happened wholly, or not at all, when the process dies in it. */
    private boolean happens(boolean dies) {
        if (dies && disk.random().coin()) {
            disk.die();
        }
        return dies;
    }

    private void end(boolean dies) {
        if (dies) {
            disk.die();
        }
    }

    @Override
    public List<String> list(String directory) {
        end(begin(OPERATION_NANOS));
        return disk.list(checked(directory));
    }

    @Override
    public boolean exists(String name) {
        end(begin(OPERATION_NANOS));
        return disk.exists(checked(name));
    }

    @Override
    public void createDirectories(String directory) {
        boolean dies = happens(begin(OPERATION_NANOS));
        disk.createDirectories(checked(directory));
        end(dies);
    }

    @Override
    public DiskFile open(String name, boolean create) throws IOException {
        boolean dies = happens(begin(OPERATION_NANOS));
        SimFile file = new SimFile(checked(name), disk.open(name, create));
        end(dies);
        return file;
    }

    @Override
    public void rename(String from, String to) throws IOException {
        boolean dies = happens(begin(OPERATION_NANOS));
        disk.rename(checked(from), checked(to));
        end(dies);
    }

    @Override
    public void delete(String name) throws IOException {
        boolean dies = happens(begin(OPERATION_NANOS));
        disk.delete(checked(name));
        end(dies);
    }

    @Override
    public void syncDirectory(String directory) {
        boolean dies = happens(begin(SYNC_NANOS));
        disk.syncDirectory(checked(directory));
        end(dies);
    }

    @Override
    public long usableBytes() {
        end(begin(0));
        return disk.usableBytes();
    }

    @Override
    public String describe() {
        return disk.name();
    }

    private static String checked(String name) {
        for (String part : name.split("/", -1)) {
            if (part.equals("..") || part.equals(".") || (part.isEmpty() && !name.isEmpty())) {
                throw new IllegalArgumentException("not a relative name: " + name);
            }
        }
        return name;
    }

    private final class SimFile implements DiskFile {
        private final String name;
        private final SimInode inode;
        private boolean closed;

        SimFile(String name, SimInode inode) {
            this.name = name;
            this.inode = inode;
        }

        private boolean begin(long nanos) throws IOException {
            boolean dies = SimDirectory.this.begin(nanos);
            requireOpen();
            return dies;
        }

        private boolean beginWrite() throws IOException {
            boolean dies = disk.beginWrite(process, name);
            loop.busy(OPERATION_NANOS * disk.slowness());
            requireOpen();
            return dies;
        }

        private void requireOpen() throws IOException {
            if (closed) {
                throw new java.nio.channels.ClosedChannelException();
            }
        }

        @Override
        public void read(long position, ByteBuffer target) throws IOException {
            end(begin(OPERATION_NANOS));
            inode.read(position, target);
        }

        @Override
        public void write(long position, ByteBuffer source) throws IOException {
            boolean dies = beginWrite();
            if (dies || disk.writeFails()) {
                int whole = source.limit();
                source.limit(source.position() + disk.random().below(source.remaining() + 1));
                inode.write(position, source);
                source.limit(whole);
                end(dies);
                throw new IOException(name + ": Input/output error (simulated short write)");
            }
            inode.write(position, source);
        }

        @Override
        public void sync() throws IOException {
            boolean dies = happens(begin(SYNC_NANOS));
            if (disk.syncFails()) {
                inode.failSync();
                throw new IOException(name + ": Input/output error (simulated failed sync)");
            }
            inode.sync();
            end(dies);
        }

        @Override
        public boolean punch(long position, long length) throws IOException {
            boolean dies = happens(begin(OPERATION_NANOS));
            if (!disk.punches()) {
                return false;
            }
            inode.punch(position, length);
            end(dies);
            return true;
        }

        @Override
        public void preallocate(long position, long length) throws IOException {
            boolean dies = happens(begin(OPERATION_NANOS));
            inode.preallocate(position, length);
            end(dies);
        }

        @Override
        public long sizeBytes() throws IOException {
            end(begin(0));
            return inode.size();
        }

        @Override
        public void truncate(long sizeBytes) throws IOException {
            boolean dies = happens(begin(OPERATION_NANOS));
            inode.truncate(sizeBytes);
            end(dies);
        }

        @Override
        public long allocatedBytes() throws IOException {
            end(begin(0));
            return (long) inode.allocatedPages() * SimInode.PAGE_BYTES;
        }

        @Override
        public void close() {
            // Dead processes close files too, while their stack unwinds; the kernel did it for them.
            if (!closed) {
                closed = true;
                if (process.isAlive()) {
                    disk.unlink(inode);
                }
            }
        }
    }
}
