package io.longhorn.simulator;

import java.util.ArrayList;
import java.util.List;

/** A process on a host. When it dies, its loops, connections and jobs are gone at once; files keep what it wrote to them. */
public final class SimProcess {
    private final SimHost host;
    private final String name;
    private final List<Runnable> atDeath = new ArrayList<>();
    private boolean alive = true;
    private long pausedUntil;

    SimProcess(SimHost host, String name) {
        this.host = host;
        this.name = name;
    }

    public SimHost host() {
        return host;
    }

    public String name() {
        return name;
    }

    public SimScheduler scheduler() {
        return host.scheduler();
    }

    public boolean isAlive() {
        return alive;
    }

    /** A new loop of this process. */
    public SimLoop newLoop(String loopName) {
        return new SimLoop(this, loopName);
    }

    /** Kills the process (SIGKILL). */
    public void kill() {
        if (!alive) {
            return;
        }
        scheduler().note(name, "process dies", 0, 0);
        alive = false;
        host.forget(this);
        for (Runnable action : atDeath) {
            action.run();
        }
        atDeath.clear();
    }

    /** Runs {@code action}, which is not part of the process, when the process dies. */
    public void atDeath(Runnable action) {
        atDeath.add(action);
    }

    /** The process does nothing for {@code nanos} from now (SIGSTOP, or a collector's pause); its clocks run on. */
    public void pause(long nanos) {
        scheduler().note(name, "paused for ns", nanos, 0);
        pausedUntil = Math.max(pausedUntil, scheduler().now() + nanos);
    }

    /** Virtual time before which nothing of this process runs. */
    public long pausedUntil() {
        return pausedUntil;
    }

    /** Runs {@code action} as part of this process at {@code time}: later if it is paused then, never if it is dead. */
    public void at(long time, Runnable action) {
        scheduler().at(time, () -> run(action));
    }

    private void run(Runnable action) {
        if (!alive) {
            return;
        }
        if (scheduler().now() < pausedUntil) {
            at(pausedUntil, action);
            return;
        }
        guarded(action);
    }

    /** Runs {@code action} now; if the process dies in it, this returns all the same. */
    void guarded(Runnable action) {
        try {
            action.run();
        } catch (SimCrash crash) {
            if (alive) {
                throw crash;
            }
        }
    }
}
