package io.longhorn.frontend.nbd;

import io.longhorn.WriteOption;
import io.longhorn.ZeroOption;
import io.longhorn.frontend.BlockDevice;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the requests of one connection ask of its device. A stage of the device completes its request ({@link Request#accept}). Belongs to the loop of the connection, but for
 * {@link #goesOn}.
 */
final class DeviceCalls {

    /** How much of its range a cache request reads at most, and how much at once. The client cannot tell more from less. */
    private static final long CACHE_BYTES_MAX = 32 << 20;

    private static final int CACHE_PIECE_BYTES = 1 << 20;

    /** A block status request with the flag REQ_ONE is looked up no further than this, as it wants one extent. */
    private static final long ONE_EXTENT_BYTES_MAX = 1L << 30;

    private static final WriteOption[] UNFORCED = {};
    private static final WriteOption[] FORCED = {WriteOption.FORCED};
    private static final ZeroOption[] MAY_GIVE_BACK = {};
    private static final ZeroOption[] ALLOCATE = {ZeroOption.ALLOCATE};

    private static final Logger LOG = LoggerFactory.getLogger(DeviceCalls.class);

    private final BlockDevice device;
    private final ByteBufAllocator allocator;
    private final Executor workers;
    /** What a buffer for a read leaves free before the data. */
    private final int readHeaderBytes;

    /** Block status requests, of which the first is with a worker. */
    private final Queue<Request> statusRequests = new ArrayDeque<>();

    DeviceCalls(BlockDevice device, ByteBufAllocator allocator, Executor workers, int readHeaderBytes) {
        this.device = device;
        this.allocator = allocator;
        this.workers = workers;
        this.readHeaderBytes = readHeaderBytes;
    }

    /** How many bytes of buffers a request takes. */
    static int heldBytes(Request request) {
        return switch (request.type) {
            case NbdWire.CMD_READ, NbdWire.CMD_WRITE -> (int) request.length;
            case NbdWire.CMD_CACHE -> (int) Math.min(CACHE_PIECE_BYTES, request.length);
            case NbdWire.CMD_BLOCK_STATUS -> Replies.DESCRIPTORS_MAX * 8;
            default -> 0;
        };
    }

    /** Null, and the request refused, if there is no memory. */
    @Nullable
    ByteBuf buffer(Request request, int bytes) {
        try {
            return allocator.directBuffer(bytes, bytes);
        } catch (OutOfMemoryError e) {
            // The limit of direct memory, which is not the heap's.
            LOG.warn("no memory for a request: export={}, bytes={}", device.name(), bytes, e);
            request.refuse(NbdWire.ENOMEM, "the server has no memory for this request now");
            return null;
        }
    }

    /**
     * Begins with a checked request, whose payload is there. False if there is nothing to do, or it is refused, so that it is to be answered now; else it completes, possibly
     * before this returns.
     */
    boolean begin(Request request) {
        try {
            return switch (request.type) {
                case NbdWire.CMD_READ -> read(request);
                case NbdWire.CMD_WRITE -> write(request);
                case NbdWire.CMD_FLUSH -> flush(request);
                case NbdWire.CMD_TRIM -> trim(request);
                case NbdWire.CMD_WRITE_ZEROES -> writeZeroes(request);
                case NbdWire.CMD_CACHE -> cache(request);
                case NbdWire.CMD_BLOCK_STATUS -> status(request);
                default -> throw new IllegalStateException("unchecked command " + request.type);
            };
        } catch (RuntimeException e) {
            request.accept(null, e);
            return true;
        }
    }

    private boolean read(Request request) {
        ByteBuf buffer = request.length == 0 ? null : buffer(request, readHeaderBytes + (int) request.length);
        if (buffer == null) {
            return false;
        }
        request.buffer = buffer;
        var unused = device.readAsync(request.offset, buffer.nioBuffer(readHeaderBytes, (int) request.length))
                .whenComplete(request);
        return true;
    }

    private boolean write(Request request) {
        ByteBuf buffer = request.buffer;
        if (buffer == null) {
            return false;
        }
        var unused = device.writeAsync(
                        request.offset,
                        buffer.nioBuffer(0, (int) request.length),
                        request.has(NbdWire.CMD_FLAG_FUA) ? FORCED : UNFORCED)
                .whenComplete(request);
        return true;
    }

    private boolean flush(Request request) {
        var unused = device.flushAsync().whenComplete(request);
        return true;
    }

    private boolean trim(Request request) {
        request.flushAfter = request.has(NbdWire.CMD_FLAG_FUA);
        var unused = device.discardAsync(request.offset, request.length).whenComplete(request);
        return true;
    }

    private boolean writeZeroes(Request request) {
        // Zeroes are never sent to replicas, so this is always fast enough for FAST_ZERO.
        ZeroOption[] options = request.has(NbdWire.CMD_FLAG_NO_HOLE) ? ALLOCATE : MAY_GIVE_BACK;
        request.flushAfter = request.has(NbdWire.CMD_FLAG_FUA);
        var unused =
                device.writeZeroesAsync(request.offset, request.length, options).whenComplete(request);
        return true;
    }

    private boolean cache(Request request) {
        ByteBuf buffer = request.heldBytes == 0 ? null : buffer(request, request.heldBytes);
        if (buffer == null) {
            return false;
        }
        request.buffer = buffer;
        readForCache(request, buffer);
        return true;
    }

    /** What is read lands in the cache of the volume; here it is not needed. */
    private void readForCache(Request request, ByteBuf buffer) {
        long at = request.cachedTo;
        int count = (int) Math.min(buffer.capacity(), request.offset + request.length - at);
        request.cachedTo = at + count;
        var unused = device.readAsync(at, buffer.nioBuffer(0, count)).whenComplete(request);
    }

    /** Begins with what a request needs beyond the stage that has completed; false if nothing. Where that stage completed. */
    boolean goesOn(Request request) {
        try {
            if (request.flushAfter) {
                request.flushAfter = false;
                return flush(request);
            }
            long cacheEnd = request.offset + Math.min(CACHE_BYTES_MAX, request.length);
            if (request.type == NbdWire.CMD_CACHE && request.buffer != null && request.cachedTo < cacheEnd) {
                readForCache(request, request.buffer);
                return true;
            }
        } catch (RuntimeException e) {
            request.failure = e;
        }
        return false;
    }

    private boolean status(Request request) {
        statusRequests.add(request);
        return statusRequests.size() > 1 || lookUpStatus(request);
    }

    /** False if it is refused. */
    private boolean lookUpStatus(Request request) {
        try {
            workers.execute(() -> {
                Throwable failure = null;
                try {
                    long length = request.has(NbdWire.CMD_FLAG_REQ_ONE)
                            ? Math.min(ONE_EXTENT_BYTES_MAX, request.length)
                            : request.length;
                    request.extents = device.allocation(request.offset, length);
                } catch (RuntimeException e) {
                    failure = e;
                }
                request.accept(null, failure);
            });
            return true;
        } catch (RejectedExecutionException e) {
            request.refuse(NbdWire.ESHUTDOWN, "the server stops");
            return false;
        }
    }

    /** A request is about to be answered. Returns another that must be answered with it, because the server has stopped; mostly null. */
    @Nullable
    Request answering(Request request) {
        if (request.type != NbdWire.CMD_BLOCK_STATUS || statusRequests.peek() != request) {
            return null;
        }
        statusRequests.remove();
        Request next = statusRequests.peek();
        return next == null || lookUpStatus(next) ? null : next;
    }
}
