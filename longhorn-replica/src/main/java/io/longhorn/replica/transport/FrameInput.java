package io.longhorn.replica.transport;

import io.longhorn.ProtocolException;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ScatteringByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * Finds whole frames in a stream of bytes. Bytes are read into a buffer that all connections of a loop share and handed over where they lie;
 * only the beginning of a frame whose end has not come is kept in memory of the connection's own, sized for that frame, until the
 * frame is whole. Belongs to the connection's loop.
 */
final class FrameInput {
    /**
     * A beginning up to this length goes back to the front of the shared buffer before the next read, so that the frame and those behind it lie
     * behind one another. Copying 8 KiB twice costs about as much as the system call that it may save; beyond that the rest of the frame
     * is read to where its beginning lies.
     */
    private static final int REJOINED_BYTES_MAX = 8 << 10;

    private final Sink sink;
    private final @Nullable ByteBuffer[] scatter = new ByteBuffer[2];
    /** The beginning of a frame; its capacity holds the whole frame, unless not even the frame's length is known yet. */
    private @Nullable FrameBuffer partial;

    private int partialBytes;
    private int frameBytesMax = FrameLayout.FRAME_BYTES_MAX;
    /** Bytes that go to the next handler, on its loop. */
    private @Nullable ByteBuffer carried;

    /** Takes whole frames. */
    interface Sink {
        /** One frame. Returns what to do with the bytes behind it. */
        Next onWholeFrame(ByteBuffer buffer, int offset, int length);

        /** Everything whole was handed over. */
        void onInputEnd();
    }

    /** What a sink wants next. */
    enum Next {
        /** The frames behind this one. */
        GO_ON,
        /** Nothing more, ever. */
        STOP,
        /** This frame and those behind it stay for {@link #handOverCarried}. */
        CARRY
    }

    FrameInput(Sink sink) {
        this.sink = sink;
    }

    /**
     * Reads once and hands over what became whole.
     *
     * @return bytes read; less than were asked for, or -1 at the end of the stream, if there is nothing more now
     * @throws io.longhorn.ProtocolException if what came cannot be a frame; the frames before it were handed over
     */
    int readFrom(ScatteringByteChannel channel, ByteBuffer shared, FramePool pool) throws IOException {
        shared.clear();
        FrameBuffer begun = partial;
        if (begun == null) {
            int read = channel.read(shared);
            if (read > 0) {
                handOver(shared, 0, read, pool);
            }
            return read;
        }
        if (partialBytes <= REJOINED_BYTES_MAX) {
            shared.put(0, begun.bytes(), 0, partialBytes);
            shared.position(partialBytes);
            int read = channel.read(shared);
            if (read > 0) {
                int end = partialBytes + read;
                releasePartial();
                handOver(shared, 0, end, pool);
            }
            return read;
        }
        return readRest(channel, begun, shared, pool);
    }

    /** Frames longer than this are refused before memory is taken for them. */
    void limitFrames(int bytes) {
        frameBytesMax = bytes;
    }

    private int lengthAt(ByteBuffer b, int at) {
        int length = FrameLayout.checkStart(b, at);
        if (length > frameBytesMax) {
            throw new ProtocolException(
                    "peer", "a first frame of " + length + " bytes, expected at most " + frameBytesMax);
        }
        return length;
    }

    /** Whether the last read took all that there was room for, so that more may be waiting. */
    static boolean filled(ByteBuffer shared) {
        return !shared.hasRemaining();
    }

    private int readRest(ScatteringByteChannel channel, FrameBuffer begun, ByteBuffer shared, FramePool pool)
            throws IOException {
        int length = FrameLayout.frameLength(begun.bytes(), 0);
        ByteBuffer rest = begun.bytes();
        rest.limit(length).position(partialBytes);
        scatter[0] = rest;
        scatter[1] = shared;
        int read;
        try {
            read = (int) channel.read(scatter, 0, 2);
        } finally {
            rest.clear();
            scatter[0] = null;
            scatter[1] = null;
        }
        if (read > 0) {
            int missing = length - partialBytes;
            partialBytes += Math.min(read, missing);
            if (partialBytes == length) {
                completePartial(begun, length, shared, 0, read - missing, pool);
            }
        }
        return read;
    }

    /** Hands over bytes that came by another way than {@link #readFrom}: {@code b[from, to)}. They are the sink's to change. */
    void accept(ByteBuffer b, int from, int to, FramePool pool) {
        FrameBuffer begun = partial;
        if (begun == null) {
            handOver(b, from, to, pool);
            return;
        }
        // Only the length of the frame says how much memory it takes, so a beginning without it first grows to a
        // header.
        int known = partialBytes >= FrameLayout.HEADER_BYTES
                ? FrameLayout.frameLength(begun.bytes(), 0)
                : FrameLayout.HEADER_BYTES;
        int taken = Math.min(known - partialBytes, to - from);
        begun.bytes().put(partialBytes, b, from, taken);
        partialBytes += taken;
        if (partialBytes < known) {
            return;
        }
        if (known == FrameLayout.HEADER_BYTES) {
            int length = lengthAt(begun.bytes(), 0);
            if (length > known) {
                enlargePartial(begun, length, pool);
                accept(b, from + taken, to, pool);
                return;
            }
        }
        completePartial(begun, known, b, from + taken, to, pool);
    }

    private void enlargePartial(FrameBuffer begun, int length, FramePool pool) {
        if (length > begun.bytes().capacity()) {
            FrameBuffer larger = pool.acquire(length);
            larger.bytes().put(0, begun.bytes(), 0, partialBytes);
            partial = larger;
            begun.release();
        }
    }

    private void completePartial(FrameBuffer whole, int length, ByteBuffer b, int from, int to, FramePool pool) {
        // It stays out of the pool until the batch has ended, because the sink may keep using it until then.
        partial = null;
        partialBytes = 0;
        try {
            Next next = sink.onWholeFrame(whole.bytes(), 0, length);
            if (next == Next.CARRY) {
                carry(whole.bytes(), 0, length);
                carry(b, from, to);
                sink.onInputEnd();
            } else if (next == Next.STOP) {
                sink.onInputEnd();
            } else {
                handOver(b, from, to, pool);
            }
        } finally {
            whole.release();
        }
    }

    private void handOver(ByteBuffer b, int from, int to, FramePool pool) {
        int at = from;
        Next next = Next.GO_ON;
        try {
            while (next == Next.GO_ON && to - at >= FrameLayout.HEADER_BYTES) {
                int length = lengthAt(b, at);
                if (length > to - at) {
                    break;
                }
                next = sink.onWholeFrame(b, at, length);
                at += next == Next.GO_ON ? length : 0;
            }
            if (next == Next.CARRY) {
                carry(b, at, to);
            } else if (next == Next.GO_ON && at < to) {
                keep(b, at, to, pool);
            }
        } finally {
            sink.onInputEnd();
        }
    }

    private void keep(ByteBuffer b, int from, int to, FramePool pool) {
        int bytes = to - from;
        int length = bytes >= FrameLayout.HEADER_BYTES ? FrameLayout.frameLength(b, from) : FrameLayout.HEADER_BYTES;
        FrameBuffer begun = pool.acquire(length);
        begun.bytes().put(0, b, from, bytes);
        partial = begun;
        partialBytes = bytes;
    }

    /** Adds bytes to those that the next handler gets. */
    private void carry(ByteBuffer b, int from, int to) {
        if (from >= to) {
            return;
        }
        ByteBuffer before = carried;
        int had = before == null ? 0 : before.capacity();
        ByteBuffer all = ByteBuffer.allocateDirect(had + to - from).order(ByteOrder.LITTLE_ENDIAN);
        if (before != null) {
            all.put(0, before, 0, had);
        }
        all.put(had, b, from, to - from);
        carried = all;
    }

    /** Takes what was kept along to another loop: from now on nothing here belongs to the old loop's pool. */
    void carryPartial() {
        FrameBuffer begun = partial;
        if (begun != null) {
            carry(begun.bytes(), 0, partialBytes);
            releasePartial();
        }
    }

    /** Hands over what was carried from another loop or handler. */
    void handOverCarried(FramePool pool) {
        ByteBuffer all = carried;
        if (all != null) {
            carried = null;
            accept(all, 0, all.capacity(), pool);
        }
    }

    /** Whether a frame has begun and not ended. */
    boolean isInsideFrame() {
        return partialBytes > 0;
    }

    void release() {
        releasePartial();
        carried = null;
    }

    private void releasePartial() {
        FrameBuffer begun = partial;
        partial = null;
        partialBytes = 0;
        if (begun != null) {
            begun.release();
        }
    }
}
