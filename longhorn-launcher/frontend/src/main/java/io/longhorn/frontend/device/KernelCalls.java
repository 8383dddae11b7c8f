package io.longhorn.frontend.device;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The calls of Linux that a kernel device needs and Java has no method for. Each failure is a {@link CallFailedException}, except on the way of requests, where it is a
 * negative error number. Use only if {@link NativeAccess#missing()} is null. Any thread.
 */
final class KernelCalls {

    static final int READ_ONLY = 0;
    static final int READ_WRITE = 2;
    static final int NON_BLOCKING = 04000;
    static final int EXCLUSIVE = 0200;
    private static final int CLOSE_ON_EXEC = 02000000;

    private static final int PROT_READ_WRITE = 1 | 2;
    private static final int MAP_PRIVATE_ANONYMOUS_NO_RESERVE = 0x02 | 0x20 | 0x4000;
    private static final int MADV_DONT_NEED = 4;
    private static final int PR_SET_IO_FLUSHER = 57;
    private static final int POLL_IN = 1;
    private static final int POLL_FD_BYTES = 8;
    private static final int POLL_EVENTS_OFFSET = 4;

    private static final int STATX_EMPTY_PATH_FORCE_SYNC = 0x1000 | 0x2000;
    private static final int STATX_SIZE = 0x200;
    private static final int STATX_BYTES = 256;
    private static final int STATX_SIZE_OFFSET = 40;

    // System calls without a function in older C libraries. Numbers above 424 are the same on every architecture.
    private static final long SYS_FSOPEN = 430;
    private static final long SYS_FSCONFIG = 431;
    private static final long SYS_FSMOUNT = 432;
    private static final int FSOPEN_CLOEXEC = 1;
    private static final int FSCONFIG_SET_STRING = 1;
    private static final int FSCONFIG_CMD_CREATE = 6;
    private static final int FSMOUNT_CLOEXEC = 1;

    private KernelCalls() {}

    /** Fails with a {@link LinkageError} where JNA does not work. */
    static void load() {
        Calls.load();
    }

    /** A descriptor that child processes do not inherit; the caller closes it. */
    static int open(String path, int flags) throws CallFailedException {
        try {
            return Calls.open(path, flags | CLOSE_ON_EXEC);
        } catch (LastErrorException e) {
            throw failed("cannot open " + path, e);
        }
    }

    /** Direct I/O differs between architectures, which is the only one of the flags that does. */
    static int directIo() {
        String architecture = System.getProperty("os.arch");
        boolean arm = architecture.startsWith("aarch64") || architecture.startsWith("arm");
        boolean power = architecture.startsWith("ppc");
        return arm ? 0200000 : power ? 0400000 : 040000;
    }

    static void close(int descriptor) throws CallFailedException {
        try {
            Calls.close(descriptor);
        } catch (LastErrorException e) {
            throw failed("cannot close a descriptor", e);
        }
    }

    /** How many bytes were read, or a negative error number. */
    static int read(int descriptor, long address, int lengthBytes) {
        try {
            return (int) Calls.read(descriptor, address, lengthBytes);
        } catch (LastErrorException e) {
            return -e.getErrorCode();
        }
    }

    /** How many bytes were written, or a negative error number. */
    static int write(int descriptor, long address, int lengthBytes) {
        try {
            return (int) Calls.write(descriptor, address, lengthBytes);
        } catch (LastErrorException e) {
            return -e.getErrorCode();
        }
    }

    /** Waits until something can be read; false if that takes longer. A signal counts as something to read. */
    static boolean awaitReadable(int descriptor, int timeoutMillis) {
        ByteBuffer poll = ByteBuffer.allocateDirect(POLL_FD_BYTES).order(ByteOrder.nativeOrder());
        poll.putInt(0, descriptor).putShort(POLL_EVENTS_OFFSET, (short) POLL_IN);
        try {
            return Calls.poll(poll, 1, timeoutMillis) != 0;
        } catch (LastErrorException e) {
            return true;
        }
    }

    static int ioctl(String what, int descriptor, long request, long argument) throws CallFailedException {
        try {
            return Calls.ioctl(descriptor, request, argument);
        } catch (LastErrorException e) {
            throw failed(what, e);
        }
    }

    /** The buffer must be direct. */
    static void ioctl(String what, int descriptor, long request, ByteBuffer argument) throws CallFailedException {
        try {
            Calls.ioctl(descriptor, request, argument);
        } catch (LastErrorException e) {
            throw failed(what, e);
        }
    }

    /** The address of zeroed memory that takes space only where it is written. */
    static long allocate(long lengthBytes) throws CallFailedException {
        try {
            return Calls.mmap(0, lengthBytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NO_RESERVE, -1, 0);
        } catch (LastErrorException e) {
            throw failed("cannot take " + lengthBytes + " bytes of memory", e);
        }
    }

    static void free(long address, long lengthBytes) throws CallFailedException {
        try {
            Calls.munmap(address, lengthBytes);
        } catch (LastErrorException e) {
            throw failed("cannot give memory back", e);
        }
    }

    /** Gives the space of memory back, which stays allocated and zeroed. */
    static void shrink(long address, long lengthBytes) throws CallFailedException {
        try {
            Calls.madvise(address, lengthBytes, MADV_DONT_NEED);
        } catch (LastErrorException e) {
            throw failed("cannot shrink memory", e);
        }
    }

    static ByteBuffer buffer(long address, int lengthBytes) {
        return new Pointer(address).getByteBuffer(0, lengthBytes);
    }

    /**
     * Tells the kernel that this thread serves a disk: when it needs memory, it must not wait for memory that the disk itself would have to free. Since Linux 5.6.
     *
     * @return whether the kernel knows that and allows it
     */
    static boolean becomeIoFlusher() {
        try {
            return Calls.prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) == 0;
        } catch (LastErrorException e) {
            return false;
        }
    }

    /** The size of an open file, asked of whoever serves its file system. */
    static long sizeBytes(int descriptor) throws CallFailedException {
        ByteBuffer result = ByteBuffer.allocateDirect(STATX_BYTES).order(ByteOrder.nativeOrder());
        try {
            Calls.statx(descriptor, "", STATX_EMPTY_PATH_FORCE_SYNC, STATX_SIZE, result);
        } catch (LastErrorException e) {
            throw failed("cannot ask for a file's size", e);
        }
        return result.getLong(STATX_SIZE_OFFSET);
    }

    static int effectiveUser() {
        return Calls.geteuid();
    }

    static int effectiveGroup() {
        return Calls.getegid();
    }

    /** Begins a mount of a file system that no directory shows. */
    static int openFileSystem(String type) throws CallFailedException {
        try {
            return (int) Calls.syscall(SYS_FSOPEN, type, FSOPEN_CLOEXEC);
        } catch (LastErrorException e) {
            throw failed("cannot begin a mount of type " + type, e);
        }
    }

    static void setOption(int context, String key, String value) throws CallFailedException {
        try {
            Calls.syscall(SYS_FSCONFIG, context, FSCONFIG_SET_STRING, key, value, 0);
        } catch (LastErrorException e) {
            throw failed("mount option " + key + "=" + value, e);
        }
    }

    static void createFileSystem(int context) throws CallFailedException {
        try {
            Calls.syscall(SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, null, null, 0);
        } catch (LastErrorException e) {
            throw failed("cannot mount", e);
        }
    }

    /** A descriptor of the root of the mount; the mount is gone when nothing of it is open any more. */
    static int mount(int context) throws CallFailedException {
        try {
            return (int) Calls.syscall(SYS_FSMOUNT, context, FSMOUNT_CLOEXEC, 0);
        } catch (LastErrorException e) {
            throw failed("cannot mount", e);
        }
    }

    private static CallFailedException failed(String what, LastErrorException failure) {
        return new CallFailedException(what, failure.getErrorCode());
    }

    /** A class of its own, so that JNA is touched only after it was found. The names are the system's. */
    private static final class Calls {
        static {
            Native.register(Calls.class, "c");
        }

        private Calls() {}

        /** Runs the initializer above. */
        static void load() {}

        static native int open(String path, int flags) throws LastErrorException;

        static native int close(int descriptor) throws LastErrorException;

        static native long read(int descriptor, long address, long length) throws LastErrorException;

        static native long write(int descriptor, long address, long length) throws LastErrorException;

        static native int poll(ByteBuffer descriptors, long count, int timeout) throws LastErrorException;

        static native int ioctl(int descriptor, long request, long argument) throws LastErrorException;

        static native int ioctl(int descriptor, long request, ByteBuffer argument) throws LastErrorException;

        static native long mmap(long address, long length, int protection, int flags, int descriptor, long offset)
                throws LastErrorException;

        static native int munmap(long address, long length) throws LastErrorException;

        static native int madvise(long address, long length, int advice) throws LastErrorException;

        static native int prctl(int option, long argument2, long argument3, long argument4, long argument5)
                throws LastErrorException;

        static native int statx(int directory, String path, int flags, int mask, ByteBuffer result)
                throws LastErrorException;

        static native int geteuid();

        static native int getegid();

        static native long syscall(long number, String type, int flags) throws LastErrorException;

        static native long syscall(
                long number, int context, int command, @Nullable String key, @Nullable String value, int auxiliary)
                throws LastErrorException;

        static native long syscall(long number, int context, int flags, int attributes) throws LastErrorException;
    }
}
