package io.longhorn.frontend.device;

import static io.longhorn.frontend.device.FuseFormat.*;

import io.longhorn.DiskFullException;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.Volume;
import io.longhorn.ZeroOption;
import io.longhorn.frontend.BlockDevice;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The conversation with the kernel about a file system whose root is one regular file, the content of a device. No I/O: requests come in by {@link #handle}, answers leave by
 * {@link FuseReplies}, each request is ended exactly once. Malformed requests are answered by an error. Requests come on one thread, answers leave on that thread or where the
 * volume completes its stages.
 *
 * <p>What the kernel may send and what we agree to: {@link FuseFormat}. Everything else is answered by ENOSYS, after which the kernel does without.
 */
final class FuseSession {

    /** The longest read or write; the kernel's own limit unless an administrator raises it. */
    static final int TRANSFER_BYTES_MAX = 1 << 20;

    /** Room for the longest request; the kernel insists on it for every request. */
    static final int FRAME_BYTES = TRANSFER_BYTES_MAX + 4096;

    /** How many reads and writes the kernel sends before the first of them is answered; more wait in its queue. */
    static final int IN_FLIGHT_MAX = 64;

    private static final Logger LOG = LoggerFactory.getLogger(FuseSession.class);

    private static final int PAGE_BYTES = 4096;
    private static final int SECTOR_BYTES = 512;
    private static final int REGULAR_FILE = 0100000;
    private static final int FLAGS_WANTED = FLAG_ASYNC_READ | FLAG_BIG_WRITES | FLAG_ASYNC_DIO | FLAG_MAX_PAGES;
    private static final int ACCESS_MODE = 3;
    private static final int NAME_BYTES_MAX = 255;

    private final BlockDevice device;
    private final FuseReplies replies;
    private final int user;
    private final int group;
    private final AtomicBoolean failureTold = new AtomicBoolean();
    private boolean negotiated;

    /** @param user who the file belongs to, like {@code group} as the system numbers them */
    FuseSession(BlockDevice device, FuseReplies replies, int user, int group) {
        this.device = device;
        this.replies = replies;
        this.user = user;
        this.group = group;
    }

    /** Takes the request that is in the first {@code lengthBytes} of its frame. */
    void handle(FuseRequest request, int lengthBytes) {
        ByteBuffer frame = request.frame();
        if (lengthBytes < IN_BODY) {
            // There is no number to answer to. The kernel sends no such thing.
            replies.end(request, 0);
            return;
        }
        request.identify(frame.getInt(IN_OPCODE), frame.getLong(IN_UNIQUE));
        int bodyBytes = lengthBytes - IN_BODY;
        switch (request.opcode()) {
            // The file has no name to forget, and what was begun is ended rather than interrupted. None is answered.
            case FORGET, BATCH_FORGET, INTERRUPT -> replies.end(request, 0);
            default -> {
                if (frame.getInt(IN_LENGTH) != lengthBytes || bodyBytes < bodyBytesMin(request.opcode())) {
                    fail(request, Errno.EINVAL);
                } else if (!negotiated && request.opcode() != INIT) {
                    fail(request, Errno.EPROTO);
                } else {
                    dispatch(request, bodyBytes);
                }
            }
        }
    }

    private static int bodyBytesMin(int opcode) {
        return switch (opcode) {
            case INIT -> INIT_IN_BYTES;
            case GETATTR -> GETATTR_IN_BYTES;
            case OPEN -> OPEN_IN_BYTES;
            case READ, WRITE -> TRANSFER_IN_BYTES;
            case FSYNC -> FSYNC_IN_BYTES;
            case FALLOCATE -> FALLOCATE_IN_BYTES;
            default -> 0;
        };
    }

    private void dispatch(FuseRequest request, int bodyBytes) {
        switch (request.opcode()) {
            case READ -> read(request);
            case WRITE -> write(request, bodyBytes - TRANSFER_IN_BYTES);
            case FSYNC -> await(request, device.flushAsync());
            case FALLOCATE -> deallocate(request);
            case INIT -> negotiate(request);
            case GETATTR -> attributes(request);
            case OPEN -> open(request);
            case STATFS -> statistics(request);
            // One who closes the file waits for nothing: what must be durable comes with FSYNC.
            case FLUSH, RELEASE, DESTROY -> succeed(request, 0);
            case LOOKUP -> fail(request, Errno.ENOENT);
            default -> fail(request, Errno.ENOSYS);
        }
    }

    private void negotiate(FuseRequest request) {
        ByteBuffer frame = request.frame();
        int major = frame.getInt(INIT_IN_MAJOR);
        int minor = frame.getInt(INIT_IN_MINOR);
        if (major < MAJOR || (major == MAJOR && minor < MINOR)) {
            tell(new IllegalStateException("the kernel speaks FUSE " + major + "." + minor + " and is too old"));
            fail(request, Errno.EPROTO);
            return;
        }
        int readAhead = frame.getInt(INIT_IN_READ_AHEAD);
        int flags = frame.getInt(INIT_IN_FLAGS) & FLAGS_WANTED;
        clearBody(frame, INIT_OUT_BYTES);
        frame.putInt(INIT_OUT_MAJOR, MAJOR).putInt(INIT_OUT_MINOR, MINOR);
        if (major == MAJOR) {
            frame.putInt(INIT_OUT_READ_AHEAD, readAhead);
            frame.putInt(INIT_OUT_FLAGS, flags);
            frame.putShort(INIT_OUT_BACKGROUND_MAX, (short) IN_FLIGHT_MAX);
            frame.putShort(INIT_OUT_CONGESTED, (short) IN_FLIGHT_MAX);
            frame.putInt(INIT_OUT_WRITE_MAX, TRANSFER_BYTES_MAX);
            frame.putInt(INIT_OUT_TIME_UNIT, 1);
            frame.putShort(INIT_OUT_PAGES_MAX, (short) (TRANSFER_BYTES_MAX / PAGE_BYTES));
            negotiated = true;
        }
        // A newer kernel learns our version and asks again with it.
        succeed(request, INIT_OUT_BYTES);
    }

    private void attributes(FuseRequest request) {
        ByteBuffer frame = request.frame();
        long sizeBytes = device.sizeBytes();
        clearBody(frame, GETATTR_OUT_BYTES);
        frame.putLong(ATTRIBUTE_NODE, 1);
        frame.putLong(ATTRIBUTE_SIZE, sizeBytes);
        frame.putLong(ATTRIBUTE_SECTORS, sizeBytes / SECTOR_BYTES);
        frame.putInt(ATTRIBUTE_MODE, REGULAR_FILE | (device.isReadOnly() ? 0400 : 0600));
        frame.putInt(ATTRIBUTE_LINKS, 1);
        frame.putInt(ATTRIBUTE_USER, user);
        frame.putInt(ATTRIBUTE_GROUP, group);
        frame.putInt(ATTRIBUTE_BLOCK, Volume.BLOCK_BYTES);
        succeed(request, GETATTR_OUT_BYTES);
    }

    private void open(FuseRequest request) {
        ByteBuffer frame = request.frame();
        if (device.isReadOnly() && (frame.getInt(OPEN_IN_FLAGS) & ACCESS_MODE) != KernelCalls.READ_ONLY) {
            fail(request, Errno.EROFS);
            return;
        }
        clearBody(frame, OPEN_OUT_BYTES);
        frame.putInt(OPEN_OUT_FLAGS, OPEN_DIRECT_IO | OPEN_PARALLEL_WRITES);
        succeed(request, OPEN_OUT_BYTES);
    }

    private void statistics(FuseRequest request) {
        ByteBuffer frame = request.frame();
        clearBody(frame, STATFS_OUT_BYTES);
        frame.putLong(STATFS_BLOCKS, device.sizeBytes() / Volume.BLOCK_BYTES);
        // The loop device takes this for the grain of discards.
        frame.putInt(STATFS_BLOCK_BYTES, Volume.BLOCK_BYTES);
        frame.putInt(STATFS_FRAGMENT_BYTES, Volume.BLOCK_BYTES);
        frame.putInt(STATFS_NAME_BYTES_MAX, NAME_BYTES_MAX);
        succeed(request, STATFS_OUT_BYTES);
    }

    private void read(FuseRequest request) {
        long offsetBytes = request.frame().getLong(TRANSFER_OFFSET);
        int lengthBytes = request.frame().getInt(TRANSFER_LENGTH);
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > TRANSFER_BYTES_MAX) {
            fail(request, Errno.EINVAL);
            return;
        }
        // As of a file: nothing behind its end.
        int readable = (int) Math.max(0, Math.min(lengthBytes, device.sizeBytes() - offsetBytes));
        if (readable == 0) {
            succeed(request, 0);
        } else {
            await(request, device.readAsync(offsetBytes, request.transfer(OUT_BODY, readable)));
        }
    }

    private void write(FuseRequest request, int presentBytes) {
        long offsetBytes = request.frame().getLong(TRANSFER_OFFSET);
        int lengthBytes = request.frame().getInt(TRANSFER_LENGTH);
        if (offsetBytes < 0 || lengthBytes != presentBytes || lengthBytes > TRANSFER_BYTES_MAX) {
            fail(request, Errno.EINVAL);
        } else if (offsetBytes > device.sizeBytes() - lengthBytes) {
            fail(request, Errno.ENOSPC);
        } else {
            await(request, device.writeAsync(offsetBytes, request.transfer(WRITE_DATA, lengthBytes)));
        }
    }

    private void deallocate(FuseRequest request) {
        ByteBuffer frame = request.frame();
        long offsetBytes = frame.getLong(FALLOCATE_OFFSET);
        long askedBytes = frame.getLong(FALLOCATE_LENGTH);
        if (offsetBytes < 0 || askedBytes < 1) {
            fail(request, Errno.EINVAL);
            return;
        }
        long lengthBytes = Math.min(askedBytes, device.sizeBytes() - offsetBytes);
        int mode = frame.getInt(FALLOCATE_MODE);
        if (mode == (FALLOCATE_PUNCH_HOLE | FALLOCATE_KEEP_SIZE)) {
            if (lengthBytes <= 0) {
                succeed(request, 0);
            } else {
                await(request, device.discardAsync(offsetBytes, lengthBytes));
            }
        } else if (mode == (FALLOCATE_ZERO_RANGE | FALLOCATE_KEEP_SIZE)) {
            if (lengthBytes <= 0) {
                succeed(request, 0);
            } else {
                // Who asks for zeroes in this way asks to keep the space, too: others punch a hole.
                await(request, device.writeZeroesAsync(offsetBytes, lengthBytes, ZeroOption.ALLOCATE));
            }
        } else {
            fail(request, Errno.EOPNOTSUPP);
        }
    }

    private static void await(FuseRequest request, CompletionStage<Void> stage) {
        var unused = stage.whenComplete(request);
    }

    /** Called once for each operation that was handed to the volume. */
    void complete(FuseRequest request, @Nullable Throwable failure) {
        if (failure != null) {
            tell(failure);
            fail(request, errno(failure));
            return;
        }
        switch (request.opcode()) {
            case READ -> succeed(request, request.transferBytes());
            case WRITE -> {
                clearBody(request.frame(), WRITE_OUT_BYTES);
                request.frame().putInt(WRITE_OUT_LENGTH, request.transferBytes());
                succeed(request, WRITE_OUT_BYTES);
            }
            default -> succeed(request, 0);
        }
    }

    private void tell(Throwable failure) {
        if (failureTold.compareAndSet(false, true)) {
            LOG.warn("an operation of device {} failed; later failures are not logged", device.name(), failure);
        }
    }

    private static int errno(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof DiskFullException) {
            return Errno.ENOSPC;
        }
        return cause instanceof ReadOnlyVolumeException ? Errno.EROFS : Errno.EIO;
    }

    private static void clearBody(ByteBuffer frame, int bytes) {
        for (int position = OUT_BODY; position < OUT_BODY + bytes; position += Long.BYTES) {
            frame.putLong(position, 0);
        }
    }

    private void succeed(FuseRequest request, int bodyBytes) {
        end(request, 0, bodyBytes);
    }

    private void fail(FuseRequest request, int errno) {
        end(request, -errno, 0);
    }

    private void end(FuseRequest request, int error, int bodyBytes) {
        ByteBuffer frame = request.frame();
        frame.putInt(OUT_LENGTH, OUT_BODY + bodyBytes);
        frame.putInt(OUT_ERROR, error);
        frame.putLong(OUT_UNIQUE, request.unique());
        replies.end(request, OUT_BODY + bodyBytes);
    }
}
