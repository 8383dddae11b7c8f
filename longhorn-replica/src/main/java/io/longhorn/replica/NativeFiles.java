package io.longhorn.replica;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Linux can do with files and Java has no method for: punching holes, and telling the space a file takes. Needs JNA on the class path or
 * module path, and on a JDK that restricts native code (22 and later) native access enabled for it; without these, replicas work and return
 * space to the disk only by deleting files. Any thread.
 */
final class NativeFiles {
    private static final Logger LOG = LoggerFactory.getLogger(NativeFiles.class);

    /** Read and write, and not inherited by child processes; the same on every Linux. */
    private static final int OPEN_READ_WRITE_CLOEXEC = 2 | 02000000;

    private static final int PUNCH_HOLE_KEEP_SIZE = 2 | 1;
    private static final int INTERRUPTED = 4;
    private static final int NOT_IMPLEMENTED = 38;
    private static final int NOT_SUPPORTED = 95;

    private static final int STATX_EMPTY_PATH = 0x1000;
    private static final int STATX_BLOCKS = 0x400;
    private static final int STATX_BYTES = 256;
    private static final int STATX_BLOCKS_OFFSET = 48;
    private static final int STATX_BLOCK_BYTES = 512;

    private static final Optional<NativeFiles> AVAILABLE = find();

    private NativeFiles() {}

    /** The calls, if this system and its set-up allow them. */
    static Optional<NativeFiles> available() {
        return AVAILABLE;
    }

    private static Optional<NativeFiles> find() {
        String why = whyNot();
        if (why == null) {
            return Optional.of(new NativeFiles());
        }
        LOG.info("hole punching is off: {}", why);
        return Optional.empty();
    }

    private static @Nullable String whyNot() {
        boolean linux64 = "Linux".equals(System.getProperty("os.name"))
                && String.valueOf(System.getProperty("os.arch")).contains("64");
        if (!linux64) {
            return "it needs 64-bit Linux";
        }
        try {
            Module jna = Class.forName("com.sun.jna.Native", false, NativeFiles.class.getClassLoader())
                    .getModule();
            if (!nativeAccessEnabled(jna)) {
                return "native access is not enabled for " + (jna.isNamed() ? jna.getName() : "ALL-UNNAMED")
                        + " (--enable-native-access)";
            }
            Calls.load();
            return null;
        } catch (ClassNotFoundException e) {
            return "JNA is not there";
        } catch (LinkageError | SecurityException e) {
            return "JNA cannot be used: " + e;
        }
    }

    /** Before JDK 22 everyone may; from then on the module says. */
    private static boolean nativeAccessEnabled(Module module) {
        try {
            return (boolean) Module.class.getMethod("isNativeAccessEnabled").invoke(module);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            LOG.debug("cannot ask for native access", e);
            return false;
        }
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

        static native int statx(int directory, String path, int flags, int mask, ByteBuffer result)
                throws LastErrorException;
    }
}
