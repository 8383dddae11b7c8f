package io.longhorn.frontend.device;

import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One mounted file system of this process: the descriptor of /dev/fuse, and the thread that reads requests from it. The mount is not in any directory; it lives as long as its
 * file is open here or in a loop device, and the connection ends with it. One thread reads, and sleeps in the kernel while there is nothing to do; the threads that complete
 * the volume's operations write the answers.
 */
final class FuseConnection implements FuseReplies {

    private static final Logger LOG = LoggerFactory.getLogger(FuseConnection.class);

    private static final String DEVICE = "/dev/fuse";

    /** Besides reads and writes the kernel may send a few requests more. */
    private static final int REQUESTS_MAX = FuseSession.IN_FLIGHT_MAX + 16;

    /** What a buffer keeps when the device goes quiet. */
    private static final int KEPT_BYTES = 64 << 10;

    /** How long the device must be quiet before buffers shrink. */
    private static final int QUIET_MILLIS = 2_000;

    private final BlockDevice device;
    private final FuseSession session;
    private final FuseRequests requests;
    private final Thread reader;
    private final int descriptor;
    /** Only the reader's. */
    private boolean buffersGrew;

    private FuseConnection(BlockDevice device, int descriptor) {
        this.device = device;
        this.descriptor = descriptor;
        session = new FuseSession(device, this, KernelCalls.effectiveUser(), KernelCalls.effectiveGroup());
        requests = new FuseRequests(REQUESTS_MAX, this::newRequest);
        reader = new Thread(this::serve, "longhorn-device-" + device.name());
        reader.setDaemon(true);
    }

    /** Mounts, and opens the file. What is returned answers until {@link Opened#fileDescriptor} and whatever else has the file open are closed. */
    static Opened open(BlockDevice device) throws IOException {
        int descriptor = KernelCalls.open(DEVICE, KernelCalls.READ_WRITE);
        int mount;
        try {
            mount = mount(descriptor);
        } catch (IOException | RuntimeException e) {
            KernelCalls.close(descriptor);
            throw e;
        }
        // From here on the reader closes the descriptor, once the mount has ended.
        FuseConnection connection = new FuseConnection(device, descriptor);
        connection.reader.start();
        try {
            int access = device.isReadOnly() ? KernelCalls.READ_ONLY : KernelCalls.READ_WRITE;
            int file = KernelCalls.open("/proc/self/fd/" + mount, access | KernelCalls.directIo());
            return new Opened(connection, file);
        } finally {
            KernelCalls.close(mount);
        }
    }

    /** @param fileDescriptor the caller's, to close */
    record Opened(FuseConnection connection, int fileDescriptor) {}

    private static int mount(int descriptor) throws IOException {
        int context = KernelCalls.openFileSystem("fuse");
        try {
            KernelCalls.setOption(context, "source", "longhorn");
            KernelCalls.setOption(context, "fd", Integer.toString(descriptor));
            // A regular file, in octal.
            KernelCalls.setOption(context, "rootmode", "100000");
            KernelCalls.setOption(context, "user_id", Integer.toString(KernelCalls.effectiveUser()));
            KernelCalls.setOption(context, "group_id", Integer.toString(KernelCalls.effectiveGroup()));
            KernelCalls.createFileSystem(context);
            return KernelCalls.mount(context);
        } finally {
            KernelCalls.close(context);
        }
    }

    /** Waits until the kernel has let go of the file; false if it did not within the limit. */
    boolean awaitEnd(long limitMillis) throws InterruptedException {
        reader.join(limitMillis);
        return !reader.isAlive();
    }

    private FuseRequest newRequest() {
        try {
            long address = KernelCalls.allocate(FuseSession.FRAME_BYTES);
            return new FuseRequest(session, address, KernelCalls.buffer(address, FuseSession.FRAME_BYTES));
        } catch (CallFailedException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void serve() {
        if (!KernelCalls.becomeIoFlusher()) {
            LOG.debug("the kernel does not let the threads of device {} be I/O flushers", device.name());
        }
        try {
            while (serveNext()) {
                // Until the mount ends.
            }
        } catch (RuntimeException e) {
            LOG.error("device {} is not served any longer", device.name(), e);
        } finally {
            end();
        }
    }

    private boolean serveNext() {
        if (buffersGrew && !KernelCalls.awaitReadable(descriptor, QUIET_MILLIS)) {
            buffersGrew = false;
            requests.forEachFree(FuseConnection::shrink);
        }
        FuseRequest request = requests.take();
        int result = KernelCalls.read(descriptor, request.address(), FuseSession.FRAME_BYTES);
        if (result >= 0) {
            session.handle(request, result);
            buffersGrew |= result > KEPT_BYTES || request.transferBytes() > KEPT_BYTES;
            return true;
        }
        requests.giveBack(request);
        return switch (-result) {
            // A signal, or a request that was withdrawn before we had it.
            case Errno.EINTR, Errno.EAGAIN, Errno.ENOENT -> true;
            case Errno.ENODEV, Errno.ECONNABORTED -> false;
            default -> throw new IllegalStateException("cannot read requests: " + Errno.describe(-result));
        };
    }

    private static void shrink(FuseRequest request) {
        try {
            KernelCalls.shrink(request.address() + KEPT_BYTES, FuseSession.FRAME_BYTES - KEPT_BYTES);
        } catch (CallFailedException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void end(FuseRequest request, int lengthBytes) {
        if (lengthBytes > 0) {
            int result = KernelCalls.write(descriptor, request.address(), lengthBytes);
            // Nobody waits for the answer any more when the request was withdrawn or the mount has ended.
            if (result < 0 && result != -Errno.ENOENT && result != -Errno.ENODEV && result != -Errno.ECONNABORTED) {
                LOG.error("an answer of device {} was refused: {}", device.name(), Errno.describe(-result));
            }
        }
        requests.giveBack(request);
    }

    /** No answer is written after the descriptor is closed, since its number may be another file's then: first all requests come back. */
    private void end() {
        try {
            requests.drain(request -> {
                try {
                    KernelCalls.free(request.address(), FuseSession.FRAME_BYTES);
                } catch (CallFailedException e) {
                    throw new UncheckedIOException(e);
                }
            });
            KernelCalls.close(descriptor);
        } catch (IOException | UncheckedIOException e) {
            LOG.error("device {} was not put away", device.name(), e);
        }
    }
}
