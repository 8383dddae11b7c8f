package io.longhorn.frontend.device;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A loop device of {@link FuseLoopMechanism}. */
final class FuseLoopDevice implements AttachedDevice {

    private static final Logger LOG = LoggerFactory.getLogger(FuseLoopDevice.class);

    /** The connection ends at once; the last operations of the volume, within its own time limit. */
    private static final long END_LIMIT_MILLIS = 5_000;

    private final String name;
    private final FuseConnection.Opened opened;
    private final LoopDevice loop;
    private final Commands commands;
    private final Quiescence quiescence;

    FuseLoopDevice(
            String name, FuseConnection.Opened opened, LoopDevice loop, Commands commands, Quiescence quiescence) {
        this.name = name;
        this.commands = commands;
        this.opened = opened;
        this.loop = loop;
        this.quiescence = quiescence;
    }

    @Override
    public Path path() {
        return loop.path();
    }

    @Override
    public void refreshSize() throws IOException {
        // Asking lets the kernel learn the file's new size, which the loop device then takes over.
        long sizeBytes = KernelCalls.sizeBytes(opened.fileDescriptor());
        loop.refreshSize();
        LOG.info("device {} was resized sizeBytes={}", name, sizeBytes);
    }

    @Override
    public void detach() throws IOException, InterruptedException {
        if (loop.exists()) {
            quiescence.await(name, loop.path());
            writeBack();
            if (!loop.clear()) {
                throw new DeviceBusyException(name, quiescence.user(loop.path()));
            }
            if (!Quiescence.await(() -> !loop.exists())) {
                // Somebody opened it between the look and the clearing.
                loop.keep();
                throw new DeviceBusyException(name, quiescence.user(loop.path()));
            }
        } else {
            LOG.warn("somebody else has taken device {} away", name);
        }
        KernelCalls.close(opened.fileDescriptor());
        if (!opened.connection().awaitEnd(END_LIMIT_MILLIS)) {
            LOG.warn("device {} is detached; the last operations of its volume are still running", name);
        }
    }

    /**
     * Has a process of its own write back what the page cache still has of the device. Clearing would do it too, but in a thread of this process: if it were killed then, that
     * thread would wait for answers that nobody gives any more, and the process could never end.
     */
    private void writeBack() throws IOException, InterruptedException {
        Commands.Outcome outcome =
                commands.run(List.of("blockdev", "--flushbufs", loop.path().toString()));
        if (outcome.exitCode() != 0) {
            LOG.warn("device {} is detached although not all could be written back: {}", name, outcome.output());
        }
    }
}
