package io.longhorn.replica.disk;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Map;

/** A worker whose work is done when the test says so. */
public final class QueuedWorker implements DiskWorker {
    private record Task(Work work, Outcome outcome) {}

    private final Map<Lane, ArrayDeque<Task>> lanes = new EnumMap<>(Lane.class);

    @Override
    public void run(Lane lane, Work work, Outcome outcome) {
        lanes.computeIfAbsent(lane, l -> new ArrayDeque<>()).add(new Task(work, outcome));
    }

    public int waiting(Lane lane) {
        return lanes.getOrDefault(lane, new ArrayDeque<>()).size();
    }

    /** Does the lane's next work and tells its outcome; false if there is none. */
    public boolean runOne(Lane lane) {
        Task task = lanes.getOrDefault(lane, new ArrayDeque<>()).poll();
        if (task == null) {
            return false;
        }
        IOException failure = null;
        try {
            task.work().run();
        } catch (IOException e) {
            failure = e;
        }
        task.outcome().done(failure);
        return true;
    }

    /** Does all work, also what it leads to; false if there was none. */
    public boolean runAll() {
        boolean any = false;
        boolean again = true;
        while (again) {
            again = false;
            for (Lane lane : Lane.values()) {
                again |= runOne(lane);
            }
            any |= again;
        }
        return any;
    }
}
