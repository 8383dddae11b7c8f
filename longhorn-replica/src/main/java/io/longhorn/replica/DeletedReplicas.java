package io.longhorn.replica;

import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.disk.DiskWorker;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back the space of replicas that were deleted. A file system that frees the many pieces of a large file at once holds up every sync beside it, for a minute if it also
 * tells the device; so files are shortened step by step, each made stable before the next. A replica is none as soon as its metadata is gone; what else is left of it at a
 * stop or a crash is found by the next start. Loop only, but for the steps.
 */
final class DeletedReplicas {
    /** By so much a file becomes shorter in one step. */
    static final long STEP_BYTES = 256L << 20;

    private static final Logger LOG = LoggerFactory.getLogger(DeletedReplicas.class);

    private final ReplicaDisk disk;
    /** Directories without metadata. */
    private final Deque<String> left = new ArrayDeque<>();

    private boolean running;

    DeletedReplicas(ReplicaDisk disk) {
        this.disk = disk;
    }

    /** Begins to give back what a directory holds, or does it behind others. It has no metadata any more. */
    void add(String path) {
        left.add(path);
        next();
    }

    private void next() {
        if (running || left.isEmpty() || disk.isOver() || disk.isStopping()) {
            return;
        }
        running = true;
        Step step = new Step(disk.directory(), left.element());
        disk.worker().run(DiskWorker.Lane.BACKGROUND, step, failure -> {
            running = false;
            if (failure != null) {
                // Of no harm but to the space; the next start tries again.
                LOG.warn("space of a deleted replica is not given back: disk={}", disk.describe(), failure);
            }
            if (failure != null || step.over) {
                left.remove();
            }
            next();
        });
    }

    /** A bounded piece of work. */
    private static final class Step implements DiskWorker.Work {
        private final DiskDirectory directory;
        private final String path;
        private boolean over;

        Step(DiskDirectory directory, String path) {
            this.directory = directory;
            this.path = path;
        }

        @Override
        public void run() throws IOException {
            List<String> files = directory.list(path);
            if (files.isEmpty()) {
                directory.delete(path);
                directory.syncDirectory(ReplicaMeta.DIRECTORY);
                over = true;
            } else {
                shorten(path + "/" + files.get(0));
            }
        }

        private void shorten(String file) throws IOException {
            long bytes;
            try (DiskFile open = directory.open(file, false)) {
                bytes = open.sizeBytes() - STEP_BYTES;
                if (bytes > 0) {
                    open.truncate(bytes);
                    open.sync();
                }
            }
            if (bytes <= 0) {
                directory.delete(file);
                directory.syncDirectory(path);
            }
        }
    }
}
