package io.longhorn.simulator;

import java.util.ArrayList;
import java.util.List;

/**
 * A machine: a boot id, two clocks, processes and disks. Its monotonic clock runs a little fast or slow and stands still
 * while the machine is suspended; its wall clock also jumps.
 */
public final class SimHost {
    private static final long WALL_ORIGIN_MILLIS = 1_700_000_000_000L;

    private final SimScheduler scheduler;
    private final String name;
    private final List<SimProcess> processes = new ArrayList<>();
    private final List<SimDisk> disks = new ArrayList<>();
    private final List<Runnable> atBoot = new ArrayList<>();
    private boolean up = true;
    private int boots;
    private String bootId = "";
    private long monotonicBase;
    private long monotonicBaseAt;
    private int driftPerMillion;
    private long wallOffsetMillis;

    public SimHost(SimScheduler scheduler, String name) {
        this.scheduler = scheduler;
        this.name = name;
        begin();
    }

    private void begin() {
        boots++;
        bootId = name + "-boot-" + boots;
        // A fresh machine counts from about zero: a monotonic time of an earlier boot means nothing any more.
        monotonicBase = scheduler.random().below(1_000_000_000L);
        monotonicBaseAt = scheduler.now();
    }

    public String name() {
        return name;
    }

    public SimScheduler scheduler() {
        return scheduler;
    }

    /** Identity of the present boot. */
    public String bootId() {
        return bootId;
    }

    public boolean isUp() {
        return up;
    }

    /** How fast the monotonic clock runs, in millionths more than virtual time. */
    public void drift(int perMillion) {
        monotonicBase = nanoTime();
        monotonicBaseAt = Math.max(scheduler.now(), monotonicBaseAt);
        driftPerMillion = perMillion;
    }

    /** Moves the wall clock. */
    public void jumpWallClock(long millis) {
        scheduler.note(name, "wall clock jumps by ms", millis, 0);
        wallOffsetMillis += millis;
    }

    public long nanoTime() {
        long elapsed = scheduler.now() - monotonicBaseAt;
        return elapsed <= 0 ? monotonicBase : monotonicBase + elapsed + elapsed / 1000 * driftPerMillion / 1000;
    }

    /** The virtual time at which the monotonic clock will show {@code nanoTime}, if nothing intervenes; may be a little early. */
    long whenMonotonic(long nanoTime) {
        long rest = nanoTime - nanoTime();
        return Math.max(scheduler.now(), monotonicBaseAt) + rest - rest / 1000 * driftPerMillion / 1000;
    }

    public long wallMillis() {
        return WALL_ORIGIN_MILLIS + wallOffsetMillis + scheduler.now() / 1_000_000;
    }

    /** A new process on this host. */
    public SimProcess start(String processName) {
        if (!up) {
            throw new IllegalStateException(name + " is down");
        }
        SimProcess process = new SimProcess(this, processName);
        processes.add(process);
        return process;
    }

    /** Adds a disk, which loses what was not synced when the host loses power. */
    public void attach(SimDisk disk) {
        disks.add(disk);
    }

    /** Every process dies, every disk forgets what it may forget. The host stays down until {@link #boot}. */
    public void losePower() {
        if (!up) {
            return;
        }
        scheduler.note(name, "power loss", boots, 0);
        up = false;
        killAll();
        for (SimDisk disk : disks) {
            disk.losePower();
        }
    }

    private void killAll() {
        for (SimProcess process : new ArrayList<>(processes)) {
            process.kill();
        }
        processes.clear();
    }

    /** Starts the host again, with a new boot id and clocks of its own. */
    public void boot() {
        if (up) {
            throw new IllegalStateException(name + " is up");
        }
        up = true;
        begin();
        scheduler.note(name, "boot", boots, 0);
        for (Runnable action : new ArrayList<>(atBoot)) {
            action.run();
        }
        atBoot.clear();
    }

    /** Runs {@code action} when the host, now down, is up again. */
    void atNextBoot(Runnable action) {
        atBoot.add(action);
    }

    /** The whole machine stands still, its monotonic clock too, its wall clock not. */
    public void suspend(long nanos) {
        scheduler.note(name, "suspended for ns", nanos, 0);
        monotonicBase = nanoTime();
        monotonicBaseAt = Math.max(scheduler.now() + nanos, monotonicBaseAt);
        for (SimProcess process : processes) {
            process.pause(nanos);
        }
    }

    void forget(SimProcess process) {
        processes.remove(process);
    }
}
