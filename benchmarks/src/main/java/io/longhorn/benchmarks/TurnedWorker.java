package io.longhorn.benchmarks;

import io.longhorn.replica.disk.DiskWorker;
import java.io.IOException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** Does a disk's work on the benchmark's own thread, when it is told to. */
public final class TurnedWorker implements DiskWorker {
    private final ArrayDeque<Work> works = new ArrayDeque<>();
    private final ArrayDeque<Outcome> outcomes = new ArrayDeque<>();

    @Override
    public void run(Lane lane, Work work, Outcome outcome) {
        works.add(work);
        outcomes.add(outcome);
    }

    /** Does all work, also what it leads to; false if there was none. */
    public boolean turn() {
        boolean any = false;
        while (turnOnce()) {
            any = true;
        }
        return any;
    }

    /** Does the oldest work; false if there was none. */
    public boolean turnOnce() {
        Work work = works.poll();
        if (work == null) {
            return false;
        }
        outcomes.remove().done(failureOf(work));
        return true;
    }

    private static @Nullable IOException failureOf(Work work) {
        try {
            work.run();
            return null;
        } catch (IOException e) {
            return e;
        }
    }
}
