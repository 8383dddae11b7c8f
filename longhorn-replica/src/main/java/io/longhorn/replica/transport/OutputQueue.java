package io.longhorn.replica.transport;

import io.longhorn.replica.wire.FrameBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * Frames on their way to a peer, in order; owns one reference to each. Belongs to the connection's loop.
 */
final class OutputQueue {
    /** Buffers in one gathering write; the system's own limit is 1024, and a write rarely takes more than the socket's buffer holds. */
    private static final int FRAMES_PER_WRITE = 64;

    private static final int INITIAL_FRAMES = 8;
    /** A queue that grew beyond this gives its array back when it is empty. */
    private static final int KEPT_FRAMES = 1024;

    private @Nullable FrameBuffer[] frames = new FrameBuffer[INITIAL_FRAMES];
    /** Index of the first frame; the array's length is a power of two. */
    private int first;

    private int count;
    /** Bytes of the first frame that have left already. */
    private int firstSent;

    private int queuedBytes;
    private final @Nullable ByteBuffer[] gather = new ByteBuffer[FRAMES_PER_WRITE];

    boolean isEmpty() {
        return count == 0;
    }

    /** Bytes that have not left yet. */
    int queuedBytes() {
        return queuedBytes;
    }

    void takeFrame(FrameBuffer frame) {
        if (count == frames.length) {
            grow();
        }
        frames[(first + count) & (frames.length - 1)] = frame;
        count++;
        queuedBytes += frame.length();
    }

    /**
     * Writes until everything has left, or the channel takes no more.
     *
     * @return whether everything has left
     */
    boolean writeTo(GatheringByteChannel channel) throws IOException {
        while (count > 0) {
            int gathered = Math.min(count, FRAMES_PER_WRITE);
            long offered = 0;
            for (int i = 0; i < gathered; i++) {
                FrameBuffer frame = frame(i);
                if (i > 0 && firstSent > 0 && frame == frame(0)) {
                    // The same frame twice: its buffer cannot stand at two positions.
                    gathered = i;
                    break;
                }
                ByteBuffer bytes = frame.bytes();
                bytes.limit(frame.length()).position(i == 0 ? firstSent : 0);
                offered += bytes.remaining();
                gather[i] = bytes;
            }
            long written = 0;
            try {
                written = gathered == 1 ? channel.write(frame(0).bytes()) : channel.write(gather, 0, gathered);
            } finally {
                // Others use the same frames, by index, and expect the whole capacity.
                for (int i = 0; i < gathered; i++) {
                    frame(i).bytes().clear();
                    gather[i] = null;
                }
            }
            drop(written);
            if (written < offered) {
                return false;
            }
        }
        return true;
    }

    /** Bytes of the first frames that fit into {@code bytesMax}, of one frame at least. Only where frames leave whole. */
    int wholeFramesWithin(int bytesMax) {
        int bytes = 0;
        for (int i = 0; i < count; i++) {
            int length = frame(i).length();
            if (i > 0 && bytes + length > bytesMax) {
                break;
            }
            bytes += length;
        }
        return bytes;
    }

    /** The first bytes that have not left, at most {@code target} takes. For channels that transform what they write. */
    void copyTo(ByteBuffer target) {
        while (count > 0 && target.hasRemaining()) {
            FrameBuffer frame = frame(0);
            int length = Math.min(target.remaining(), frame.length() - firstSent);
            target.put(target.position(), frame.bytes(), firstSent, length);
            target.position(target.position() + length);
            drop(length);
        }
    }

    void releaseAll() {
        while (count > 0) {
            dropFirst();
        }
        queuedBytes = 0;
    }

    private void drop(long written) {
        queuedBytes -= (int) written;
        long left = written + firstSent;
        while (count > 0 && left >= frame(0).length()) {
            left -= frame(0).length();
            dropFirst();
        }
        firstSent = (int) left;
    }

    private void dropFirst() {
        FrameBuffer frame = frame(0);
        frames[first] = null;
        first = (first + 1) & (frames.length - 1);
        count--;
        firstSent = 0;
        frame.release();
        if (count == 0 && frames.length > KEPT_FRAMES) {
            frames = new FrameBuffer[INITIAL_FRAMES];
            first = 0;
        }
    }

    private FrameBuffer frame(int index) {
        FrameBuffer frame = frames[(first + index) & (frames.length - 1)];
        if (frame == null) {
            throw new IllegalStateException("output queue has no frame " + index + " of " + count);
        }
        return frame;
    }

    private void grow() {
        @Nullable FrameBuffer[] larger = new FrameBuffer[frames.length * 2];
        for (int i = 0; i < count; i++) {
            larger[i] = frame(i);
        }
        frames = larger;
        first = 0;
    }
}
