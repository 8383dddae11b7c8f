package io.longhorn.frontend.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A loop device of the kernel, known by its label, which the kernel keeps with it: a number may belong to somebody else by the time one comes back to it.
 *
 * @param path {@code /dev/loop7}
 * @param label at most {@link LoopStatus#LABEL_BYTES_MAX} bytes
 */
record LoopDevice(Path path, String label) {

    /** How the kernel calls the root of a mount that is in no directory. */
    private static final String HIDDEN_FILE = "/";

    private static final String DEAD = "";

    private static final String CONTROL = "/dev/loop-control";
    private static final Path BLOCK_DEVICES = Path.of("/sys/block");

    /** How often somebody else may be faster in taking the device that was free. */
    private static final int TRIES_MAX = 64;

    private static final long CLEAR = 0x4C01;
    private static final long SET_STATUS = 0x4C04;
    private static final long GET_STATUS = 0x4C05;
    private static final long SET_CAPACITY = 0x4C07;
    private static final long CONFIGURE = 0x4C0A;
    private static final long CONTROL_GET_FREE = 0x4C82;

    /** Puts a loop device on the file, with direct I/O. */
    static LoopDevice attach(int fileDescriptor, boolean readOnly, int blockBytes, String label) throws IOException {
        int flags = LoopStatus.FLAG_DIRECT_IO | (readOnly ? LoopStatus.FLAG_READ_ONLY : 0);
        ByteBuffer config = LoopStatus.config(fileDescriptor, blockBytes, flags, label);
        int control = KernelCalls.open(CONTROL, KernelCalls.READ_WRITE);
        try {
            for (int i = 1; ; i++) {
                int number = KernelCalls.ioctl("cannot find a free loop device", control, CONTROL_GET_FREE, 0);
                Path path = Path.of("/dev/loop" + number);
                int device = KernelCalls.open(path.toString(), KernelCalls.READ_WRITE);
                try {
                    KernelCalls.ioctl("cannot set up " + path, device, CONFIGURE, config);
                    return new LoopDevice(path, label);
                } catch (CallFailedException e) {
                    if (e.errno() != Errno.EBUSY || i == TRIES_MAX) {
                        throw e;
                    }
                } finally {
                    KernelCalls.close(device);
                }
            }
        } finally {
            KernelCalls.close(control);
        }
    }

    /** Those whose label begins so and whose file is served. */
    static List<LoopDevice> labelled(String prefix) throws IOException {
        return all().stream().filter(loop -> loop.label.startsWith(prefix)).toList();
    }

    /**
     * Those whose file was served by a process that is gone, and whose mount is in no directory, as only ours are. They fail every operation for ever, and do not tell their
     * labels either.
     */
    static List<LoopDevice> dead() throws IOException {
        return all().stream().filter(loop -> loop.label.equals(DEAD)).toList();
    }

    private static List<LoopDevice> all() throws IOException {
        List<LoopDevice> found = new ArrayList<>();
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(BLOCK_DEVICES, "loop*")) {
            for (Path device : devices) {
                if (isOnHiddenFile(device)) {
                    Path path = Path.of("/dev").resolve(device.getFileName());
                    label(path).ifPresent(label -> found.add(new LoopDevice(path, label)));
                }
            }
        }
        return found;
    }

    private static boolean isOnHiddenFile(Path device) throws IOException {
        try {
            return Files.readString(device.resolve("loop/backing_file")).strip().equals(HIDDEN_FILE);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** {@link #DEAD} if nobody serves the file; empty if there is no file. */
    private static Optional<String> label(Path path) throws IOException {
        int device;
        try {
            device = KernelCalls.open(path.toString(), KernelCalls.READ_ONLY | KernelCalls.NON_BLOCKING);
        } catch (CallFailedException e) {
            // It is being cleared now: somebody else was the last to close it.
            if (e.errno() == Errno.ENXIO) {
                return Optional.empty();
            }
            throw e;
        }
        try {
            return status(device).map(LoopStatus::label);
        } catch (CallFailedException e) {
            if (e.errno() == Errno.ENOTCONN || e.errno() == Errno.ECONNABORTED) {
                return Optional.of(DEAD);
            }
            throw e;
        } finally {
            KernelCalls.close(device);
        }
    }

    private static Optional<ByteBuffer> status(int device) throws IOException {
        ByteBuffer info = LoopStatus.info();
        try {
            KernelCalls.ioctl("cannot ask a loop device", device, GET_STATUS, info);
            return Optional.of(info);
        } catch (CallFailedException e) {
            if (e.errno() == Errno.ENXIO) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Whether the kernel still has it, served or not. */
    boolean exists() throws IOException {
        return label(path)
                .filter(found -> found.equals(label) || found.equals(DEAD))
                .isPresent();
    }

    /** Makes it as long as the file is now. */
    void refreshSize() throws IOException {
        int device = KernelCalls.open(path.toString(), KernelCalls.READ_WRITE);
        try {
            KernelCalls.ioctl("cannot resize " + path, device, SET_CAPACITY, 0);
        } finally {
            KernelCalls.close(device);
        }
    }

    /** Whether it was cleared; if false it is mounted, or has another exclusive user, and stays as it is. One who has it open otherwise keeps it until he closes it. */
    boolean clear() throws IOException {
        int device;
        try {
            device = KernelCalls.open(path.toString(), KernelCalls.READ_ONLY | KernelCalls.EXCLUSIVE);
        } catch (CallFailedException e) {
            if (e.errno() == Errno.EBUSY) {
                return false;
            }
            throw e;
        }
        try {
            KernelCalls.ioctl("cannot clear " + path, device, CLEAR, 0);
            return true;
        } finally {
            KernelCalls.close(device);
        }
    }

    /** Has it cleared as soon as nobody uses it any longer, which may be now. */
    void clearWhenUnused() throws IOException {
        int device = KernelCalls.open(path.toString(), KernelCalls.READ_ONLY | KernelCalls.NON_BLOCKING);
        try {
            KernelCalls.ioctl("cannot clear " + path, device, CLEAR, 0);
        } finally {
            KernelCalls.close(device);
        }
    }

    /** Takes back what {@link #clear} left to be done when the last user is gone. */
    void keep() throws IOException {
        int device = KernelCalls.open(path.toString(), KernelCalls.READ_ONLY);
        try {
            Optional<ByteBuffer> status = status(device);
            if (status.isPresent()) {
                ByteBuffer info = status.get();
                LoopStatus.flags(info, LoopStatus.flags(info) & ~LoopStatus.FLAG_AUTO_CLEAR);
                KernelCalls.ioctl("cannot keep " + path, device, SET_STATUS, info);
            }
        } finally {
            KernelCalls.close(device);
        }
    }
}
