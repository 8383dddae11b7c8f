package io.longhorn.replica.disk;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Linux can do with files and Java has no method for: punching holes, finding them, taking just the space that is needed, telling the space a file takes, and beginning to write without waiting. Needs JNA on the class path or
 * module path, and on a JDK that restricts native code (22 and later) native access enabled for it; without these, replicas work and return
 * space to the disk only by deleting files. Any thread.
 */
final class NativeFiles {
    private static final Logger LOG = LoggerFactory.getLogger(NativeFiles.class);
    /** Read and write, and not inherited by child processes; the same on every Linux. */
    private static final int OPEN_READ_WRITE_CLOEXEC = 2 | 02000000;

    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE_KEEP_SIZE = 2 | KEEP_SIZE;
    private static final int SEEK_DATA = 3;
    private static final int SYNC_FILE_RANGE_WRITE = 2;
    private static final int INTERRUPTED = 4;
    private static final int NO_SUCH_POSITION = 6;
    private static final int INVALID = 22;
    private static final int NOT_IMPLEMENTED = 38;
    private static final int NOT_SUPPORTED = 95;

    private static final int STATX_EMPTY_PATH = 0x1000;
    private static final int STATX_BLOCKS = 0x400;
    private static final int STATX_BYTES = 256;
    private static final int STATX_BLOCKS_OFFSET = 48;
    private static final int STATX_BLOCK_BYTES = 512;

    /** Binds the calls; fails with a {@link LinkageError} where that cannot be. Only {@link NativeAccess} makes one. */
    NativeFiles() {
        Calls.load();
    }

    /** A descriptor of its own for the file; the caller closes it. */
    int open(String path) throws IOException {
        try {
            return Calls.open(path, OPEN_READ_WRITE_CLOEXEC);
        } catch (LastErrorException e) {
            throw new IOException("cannot open " + path + ": error " + e.getErrorCode(), e);
        }
    }

    void close(int descriptor) throws IOException {
        try {
            Calls.close(descriptor);
        } catch (LastErrorException e) {
            throw new IOException("cannot close a descriptor: error " + e.getErrorCode(), e);
        }
    }

    /** Whether the range was punched; false where the file system cannot. */
    boolean punch(int descriptor, long position, long length) throws IOException {
        while (true) {
            try {
                Calls.fallocate(descriptor, PUNCH_HOLE_KEEP_SIZE, position, length);
                return true;
            } catch (LastErrorException e) {
                switch (e.getErrorCode()) {
                    case INTERRUPTED -> {
                        // A signal came first; nothing was done yet.
                    }
                    case NOT_IMPLEMENTED, NOT_SUPPORTED -> {
                        return false;
                    }
                    default ->
                        throw new IOException(
                                "cannot punch " + length + " bytes at " + position + ": error " + e.getErrorCode(), e);
                }
            }
        }
    }

    /** Takes space for the range and no more, and leaves what it reads as; whoever writes there finds out if that failed. */
    void reserve(int descriptor, long position, long length) {
        try {
            Calls.fallocate(descriptor, KEEP_SIZE, position, length);
        } catch (LastErrorException e) {
            LOG.debug("space was not reserved: error {}", e.getErrorCode());
        }
    }

    /** Begins to write the range to the disk and waits for nothing but a place in its queue. A page that cannot be written makes the next sync of the file fail. */
    void startWriting(int descriptor, long position, long length) {
        try {
            Calls.sync_file_range(descriptor, position, length, SYNC_FILE_RANGE_WRITE);
        } catch (LastErrorException e) {
            LOG.debug("writing was not begun early: error {}", e.getErrorCode());
        }
    }

    /** Where data begin at or behind {@code position}; {@link Long#MAX_VALUE} if nowhere, {@code position} where the file system does not tell. */
    long nextData(int descriptor, long position) throws IOException {
        try {
            return Calls.lseek(descriptor, position, SEEK_DATA);
        } catch (LastErrorException e) {
            return switch (e.getErrorCode()) {
                case NO_SUCH_POSITION -> Long.MAX_VALUE;
                case INVALID, NOT_IMPLEMENTED, NOT_SUPPORTED -> position;
                default ->
                    throw new IOException("cannot look for data at " + position + ": error " + e.getErrorCode(), e);
            };
        }
    }

    /** Space the file takes. */
    long allocatedBytes(int descriptor) throws IOException {
        ByteBuffer result = ByteBuffer.allocateDirect(STATX_BYTES).order(ByteOrder.nativeOrder());
        try {
            Calls.statx(descriptor, "", STATX_EMPTY_PATH, STATX_BLOCKS, result);
        } catch (LastErrorException e) {
            throw new IOException("cannot ask for a file's space: error " + e.getErrorCode(), e);
        }
        return result.getLong(STATX_BLOCKS_OFFSET) * STATX_BLOCK_BYTES;
    }

    /** A class of its own, so that JNA is touched only after it was found. */
    private static final class Calls {
        static {
            Native.register(Calls.class, "c");
        }

        private Calls() {}

        /** Runs the initializer above. */
        static void load() {}

        static native int open(String path, int flags) throws LastErrorException;

        static native int close(int descriptor) throws LastErrorException;

        static native int fallocate(int descriptor, int mode, long offset, long length) throws LastErrorException;

        // The name is the system's.
        @SuppressWarnings("MethodName")
        static native int sync_file_range(int descriptor, long offset, long length, int flags)
                throws LastErrorException;

        static native long lseek(int descriptor, long offset, int whence) throws LastErrorException;

        static native int statx(int directory, String path, int flags, int mask, ByteBuffer result)
                throws LastErrorException;
    }
}
