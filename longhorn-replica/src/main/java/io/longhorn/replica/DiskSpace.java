package io.longhorn.replica;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Free space of a disk, the reserve excluded. Asks the system now and then. Loop only, but for {@link #lastAvailableBytes}. */
final class DiskSpace {
    /** It is asked for again after this time. */
    static final long CHECK_NANOS = 200_000_000;

    private static final Logger LOG = LoggerFactory.getLogger(DiskSpace.class);

    private final DiskDirectory directory;
    private final Loop loop;
    private final long reserveBytes;
    private volatile long availableBytes;
    private long readNanos;

    DiskSpace(DiskDirectory directory, Loop loop, long reserveBytes) {
        this.directory = directory;
        this.loop = loop;
        this.reserveBytes = reserveBytes;
        read(loop.nanoTime());
    }

    /** What block data may use; negative if some of the reserve is used. */
    long availableBytes() {
        long now = loop.nanoTime();
        if (now - readNanos >= CHECK_NANOS) {
            read(now);
        }
        return availableBytes;
    }

    private void read(long now) {
        readNanos = now;
        try {
            availableBytes = directory.usableBytes() - reserveBytes;
        } catch (IOException e) {
            LOG.warn("free space cannot be told: disk={} cause={}", directory.describe(), e.toString());
            availableBytes = 0;
        }
    }

    /** {@link #availableBytes} as of when the disk's loop asked last. Any thread. */
    long lastAvailableBytes() {
        return Math.max(0, availableBytes);
    }

    /** Whether so little is left that a write may have failed for want of space. Asks anew. */
    boolean isShort() {
        read(loop.nanoTime());
        return availableBytes < Math.max(reserveBytes, FrameLayout.FRAME_BYTES_MAX);
    }
}
