package io.longhorn.replica.transport;

import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import java.nio.ByteBuffer;

/** Frames with a number, a length and contents that follow from the number. */
final class TestFrames {
    private TestFrames() {}

    /** A frame with {@code extraBytes} (a multiple of 8) of header and {@code blocks} blocks of payload. */
    static FrameBuffer frame(FramePool pool, long number, int extraBytes, int blocks) {
        int payload = blocks * FrameLayout.BLOCK_BYTES;
        int length = FrameLayout.HEADER_BYTES + extraBytes + payload;
        FrameBuffer frame = pool.acquire(length);
        ByteBuffer b = frame.bytes();
        FrameLayout.encode(b, 0, FrameType.WRITE, 0, length, payload, 1, number);
        for (int at = FrameLayout.HEADER_BYTES; at < length; at += 8) {
            b.putLong(at, content(number, at));
        }
        FrameLayout.seal(b, 0);
        return frame.length(length);
    }

    static long number(ByteBuffer b, int at) {
        return FrameLayout.number(b, at);
    }

    /** Whether a frame is what {@link #frame} made, byte by byte behind the header, and as long as it says. */
    static boolean isIntact(ByteBuffer b, int at, int length) {
        if (FrameLayout.frameLength(b, at) != length || !FrameLayout.headerCrcMatches(b, at)) {
            return false;
        }
        long number = number(b, at);
        for (int i = FrameLayout.HEADER_BYTES; i < length; i += 8) {
            if (b.getLong(at + i) != content(number, i)) {
                return false;
            }
        }
        return true;
    }

    /** Like {@link #frame}, with a length that repeats every few frames and differs between neighbours. */
    static FrameBuffer smallFrame(FramePool pool, long number) {
        return frame(pool, number, (int) (number % 23) * 8, 0);
    }

    private static long content(long number, int at) {
        return (number + 1) * 0x9E3779B97F4A7C15L + at;
    }
}
