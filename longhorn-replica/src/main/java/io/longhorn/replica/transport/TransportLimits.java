package io.longhorn.replica.transport;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.WireLimits;
import java.time.Duration;
import java.util.Objects;

/**
 * Bounds of a transport.
 *
 * @param connect how long connecting may take, name look-up and TLS included. Default 5 s: three lost SYNs
 * @param firstFrame how long an accepted connection may take, TLS included, until its first whole frame is there. Default 10 s: twice the
 *     connect time, so that the side that connects gives up first and knows why
 * @param firstFrameBytesMax length of an accepted connection's first frame: no memory is taken for more than that on a stranger's word.
 *     Default {@link WireLimits#FIRST_FRAME_BYTES_MAX}
 * @param strangersMax accepted connections of one listener that have not sent a whole frame yet. Default 256: more than all engines that
 *     come back at once after a switch was down, few enough that they cost no memory worth naming
 * @param outputBytesMax bytes that one connection queues for a peer that does not read. Default 64 MiB: far more than an engine has in
 *     flight to one replica; a connection beyond it is closed
 */
public record TransportLimits(
        Duration connect, Duration firstFrame, int firstFrameBytesMax, int strangersMax, int outputBytesMax) {

    /** What holds if nothing is set. */
    public static final TransportLimits DEFAULTS = new TransportLimits(
            Duration.ofSeconds(5), Duration.ofSeconds(10), WireLimits.FIRST_FRAME_BYTES_MAX, 256, 64 << 20);

    public TransportLimits {
        Objects.requireNonNull(connect, "connect");
        Objects.requireNonNull(firstFrame, "firstFrame");
        if (connect.isNegative() || connect.isZero()) {
            throw new IllegalArgumentException("connect must be positive, was " + connect);
        }
        if (firstFrame.isNegative() || firstFrame.isZero()) {
            throw new IllegalArgumentException("firstFrame must be positive, was " + firstFrame);
        }
        if (firstFrameBytesMax < FrameLayout.HEADER_BYTES || firstFrameBytesMax > FrameLayout.FRAME_BYTES_MAX) {
            throw new IllegalArgumentException("firstFrameBytesMax must be between " + FrameLayout.HEADER_BYTES
                    + " and " + FrameLayout.FRAME_BYTES_MAX + ", was " + firstFrameBytesMax);
        }
        if (strangersMax <= 0) {
            throw new IllegalArgumentException("strangersMax must be positive, was " + strangersMax);
        }
        if (outputBytesMax <= 0) {
            throw new IllegalArgumentException("outputBytesMax must be positive, was " + outputBytesMax);
        }
    }
}
