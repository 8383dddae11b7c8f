package io.longhorn.simulator;

import io.longhorn.replica.disk.DiskWorker;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs jobs at later virtual times: those of one lane in order, lanes beside each other. A job touches files at one moment, some time
 * after it was given and some time before its outcome is told; what the loop writes in between is not covered by a sync in it.
 */
// Only a replica's disk has to know it as what it implements.
@SuppressWarnings("exports")
public final class SimWorker implements DiskWorker {
    /** However slow a disk is, it has done it after this time. */
    private static final long JOB_NANOS_MAX = 3_000_000_000L;

    private final SimLoop loop;
    private final SimDisk disk;
    private final Map<Lane, ArrayDeque<Job>> lanes = new EnumMap<>(Lane.class);

    private record Job(Work work, Outcome outcome) {}

    public SimWorker(SimLoop loop, SimDisk disk) {
        this.loop = loop;
        this.disk = disk;
        for (Lane lane : Lane.values()) {
            lanes.put(lane, new ArrayDeque<>());
        }
    }

    @Override
    public void run(Lane lane, Work work, Outcome outcome) {
        ArrayDeque<Job> queue = queue(lane);
        queue.addLast(new Job(work, outcome));
        if (queue.size() == 1) {
            begin(lane);
        }
    }

    private ArrayDeque<Job> queue(Lane lane) {
        ArrayDeque<Job> queue = lanes.get(lane);
        if (queue == null) {
            throw new IllegalStateException("no lane " + lane);
        }
        return queue;
    }

    private void begin(Lane lane) {
        loop.process().at(loop.process().scheduler().now() + duration(lane), () -> work(lane));
    }

    private void work(Lane lane) {
        Job job = queue(lane).element();
        IOException failure = null;
        try {
            job.work.run();
        } catch (IOException e) {
            failure = e;
        }
        @Nullable IOException result = failure;
        loop.process().at(loop.process().scheduler().now() + duration(lane), () -> {
            queue(lane).removeFirst();
            if (!queue(lane).isEmpty()) {
                begin(lane);
            }
            loop.execute(() -> job.outcome.done(result));
        });
    }

    private long duration(Lane lane) {
        SimRandom random = disk.random();
        long base = lane == Lane.JOURNAL_SYNC ? 400_000L * disk.syncSlowness() : 1_500_000;
        long time = random.between(base / 20, base) * disk.slowness();
        return Math.min(random.permille(20) ? time * 10 : time, JOB_NANOS_MAX);
    }
}
