package io.longhorn.app.bench;

import io.longhorn.Volume;
import java.io.IOException;
import java.time.Duration;

/**
 * Waits after a load until what it left behind is done: servers move records from their journals into layers for some time after the last write. That work belongs to
 * the load that caused it, to its processor time too, and must not fall on the next one.
 */
final class Settling {
    /** Servers begin to move what is left after a quiet second. */
    private static final Duration LEAST = Duration.ofMillis(1500);

    private static final Duration MOST = Duration.ofMinutes(1);
    private static final Duration LOOK = Duration.ofMillis(500);
    /** Processor time within a look that still counts as quiet: what idle virtual machines use. */
    private static final long QUIET_NANOS = 30_000_000;

    private final CpuMeter cpu;

    Settling(CpuMeter cpu) {
        this.cpu = cpu;
    }

    /** Flushes the volume and returns when the processes are quiet, or after a bounded time. */
    void after(Volume volume) throws IOException, InterruptedException {
        volume.flush();
        awaitQuiet();
    }

    /** Returns when the processes are quiet, or after a bounded time. */
    void awaitQuiet() throws IOException, InterruptedException {
        long before = cpu.nanos();
        if (before < 0) {
            return;
        }
        long began = System.nanoTime();
        boolean quiet = false;
        while (!quiet && System.nanoTime() - began < MOST.toNanos()) {
            Thread.sleep(LOOK.toMillis());
            long now = cpu.nanos();
            // Writing to a slow disk takes little processor time.
            quiet = now - before <= QUIET_NANOS
                    && System.nanoTime() - began >= LEAST.toNanos()
                    && !cpu.isAnyWaitingForDisk();
            before = now;
        }
    }
}
