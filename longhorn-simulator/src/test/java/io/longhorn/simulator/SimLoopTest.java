package io.longhorn.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.disk.DiskWorker.Lane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SimLoopTest {
    private static final long SECOND = 1_000_000_000L;

    private final SimScheduler scheduler = new SimScheduler(11, new SimTrace(64));
    private final SimHost host = new SimHost(scheduler, "host");
    private final SimProcess process = host.start("process");
    private final SimLoop loop = process.newLoop("loop");
    private final List<String> seen = new ArrayList<>();

    @Test
    void tasksRunInOrderAndTimersAfterTheirTime() {
        long[] ranAt = new long[1];
        loop.execute(() -> {
            seen.add("first");
            loop.schedule(5_000_000, () -> {
                seen.add("timer");
                ranAt[0] = scheduler.now();
            });
            loop.afterInput(() -> seen.add("after input"));
        });
        loop.execute(() -> seen.add("second"));
        assertThat(loop.inLoop()).isFalse();
        scheduler.runUntil(SECOND);
        assertThat(seen).containsExactly("first", "second", "after input", "timer");
        assertThat(ranAt[0]).isBetween(5_000_000L, 6_000_000L);
    }

    @Test
    void pausedLoopHandlesInputOfThePauseBeforeTimers() {
        loop.execute(() -> loop.schedule(SECOND, () -> seen.add("timer")));
        scheduler.runUntil(1_000_000);
        process.pause(10 * SECOND);
        scheduler.at(5 * SECOND, () -> loop.input(() -> seen.add("input")));
        scheduler.runUntil(9 * SECOND);
        assertThat(seen).isEmpty();
        scheduler.runUntil(20 * SECOND);
        assertThat(seen).containsExactly("input", "timer");
    }

    @Test
    void cancelledTimerDoesNotRunAndDeadProcessDoesNothing() {
        loop.execute(() -> loop.schedule(SECOND, () -> seen.add("cancelled")).cancel());
        loop.execute(() -> loop.schedule(SECOND, () -> seen.add("dead")));
        scheduler.runUntil(SECOND / 2);
        process.kill();
        loop.execute(() -> seen.add("task"));
        scheduler.runUntil(5 * SECOND);
        assertThat(seen).isEmpty();
    }

    @Test
    void suspendedHostStopsItsMonotonicClockButNotItsWallClock() {
        long mono = host.nanoTime();
        long wall = host.wallMillis();
        host.suspend(10 * SECOND);
        scheduler.runUntil(15 * SECOND);
        assertThat(host.nanoTime() - mono).isEqualTo(5 * SECOND);
        assertThat(host.wallMillis() - wall).isEqualTo(15_000);
        host.jumpWallClock(-3_600_000);
        assertThat(host.wallMillis() - wall).isEqualTo(15_000 - 3_600_000);
    }

    @Test
    void timerOnADriftingClockKeepsThatClocksTime() {
        host.drift(200_000);
        long from = host.nanoTime();
        long[] at = new long[1];
        loop.execute(() -> loop.schedule(SECOND, () -> at[0] = host.nanoTime()));
        scheduler.runUntil(3 * SECOND);
        assertThat(at[0] - from).isBetween(SECOND, SECOND + 1_000_000);
    }

    @Test
    void bootChangesIdAndClock() {
        String before = host.bootId();
        scheduler.runUntil(100 * SECOND);
        host.losePower();
        assertThat(process.isAlive()).isFalse();
        host.boot();
        assertThat(host.bootId()).isNotEqualTo(before);
        assertThat(host.nanoTime()).isLessThan(100 * SECOND);
    }

    @Test
    void jobsOfALaneRunInOrderAndCrashDropsThem() {
        SimDisk disk = new SimDisk(host, "disk");
        SimWorker worker = new SimWorker(loop, disk);
        for (int i = 0; i < 3; i++) {
            int number = i;
            worker.run(Lane.CHECKPOINT, () -> seen.add("work " + number), failure -> {
                assertThat(loop.inLoop()).isTrue();
                assertThat(failure).isNull();
                seen.add("done " + number);
            });
        }
        worker.run(
                Lane.BACKGROUND,
                () -> {
                    throw new IOException("broken");
                },
                failure -> assertThat(failure).hasMessage("broken"));
        scheduler.runUntil(SECOND);
        assertThat(seen.stream().filter(s -> s.startsWith("work"))).containsExactly("work 0", "work 1", "work 2");
        assertThat(seen.stream().filter(s -> s.startsWith("done"))).containsExactly("done 0", "done 1", "done 2");
        seen.clear();
        worker.run(Lane.CHECKPOINT, () -> seen.add("late"), failure -> seen.add("late done"));
        process.kill();
        scheduler.runUntil(2 * SECOND);
        assertThat(seen).isEmpty();
    }

    @Test
    void processThatDiesInAJobNeverHearsOfIt() throws IOException {
        SimDisk disk = new SimDisk(host, "disk");
        SimWorker worker = new SimWorker(loop, disk);
        SimDirectory files = disk.mount(process, loop);
        disk.armCrash(1, process::kill);
        worker.run(
                Lane.CHECKPOINT,
                () -> {
                    files.open("a", true);
                    files.open("b", true);
                    seen.add("survived");
                },
                failure -> seen.add("told"));
        scheduler.runUntil(SECOND);
        assertThat(seen).isEmpty();
        assertThat(process.isAlive()).isFalse();
    }

    @Test
    void sameSeedGivesTheSameTrace() {
        assertThat(traceOf(5)).isEqualTo(traceOf(5)).isNotEqualTo(traceOf(6));
    }

    private static long traceOf(long seed) {
        SimScheduler scheduler = new SimScheduler(seed, new SimTrace(64));
        SimLoop loop = new SimHost(scheduler, "host").start("process").newLoop("loop");
        for (int i = 0; i < 10; i++) {
            loop.execute(() -> scheduler.note("loop", "draws", loop.nextRandomLong(), scheduler.now()));
        }
        scheduler.runUntil(SECOND);
        return scheduler.trace().hash();
    }
}
