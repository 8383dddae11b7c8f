package io.longhorn.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many seeds: {@code mvn -Pcampaign -pl longhorn-simulator -am test}, with {@code -Dlonghorn.seeds=200000 -Dlonghorn.first=1 -Dlonghorn.threads=2
 * -Dlonghorn.replicas=real} as it is without them. Each failing seed gets a file under {@code target/simulation}, beside the summary.
 */
@Tag("campaign")
class SimulationCampaign {
    private static final Path REPORTS = Path.of("target", "simulation");
    private static final int FAILURES_MAX = 200;
    private static final long SUMMARY_EVERY = 1000;

    private final long first = Long.getLong("longhorn.first", 1);
    private final long seeds = Long.getLong("longhorn.seeds", 200_000);
    private final ClusterShape shape = ClusterShape.named(System.getProperty("longhorn.replicas", "real"));
    private final AtomicLong next = new AtomicLong(first);
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong confirmed = new AtomicLong();
    private final AtomicLong salvages = new AtomicLong();
    private final AtomicLong virtualSeconds = new AtomicLong();
    private final List<Long> failing = new ArrayList<>();
    private final long startedNanos = System.nanoTime();

    @Test
    @Timeout(value = 6, unit = TimeUnit.HOURS)
    void everySeedKeepsThePromises() throws Exception {
        Files.createDirectories(REPORTS);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < Integer.getInteger("longhorn.threads", 2); i++) {
            Thread thread = new Thread(this::work, "longhorn-simulation-" + i);
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        summarize();
        assertThat(failing).as("failing seeds; see " + REPORTS.toAbsolutePath()).isEmpty();
        assertThat(done.get()).isEqualTo(seeds);
    }

    private void work() {
        SeedRunner runner = new SeedRunner();
        for (long seed = next.getAndIncrement(); seed < first + seeds; seed = next.getAndIncrement()) {
            try {
                runner.run(seed, shape);
            } catch (AssertionError e) {
                if (!failed(seed, e)) {
                    break;
                }
            }
            if (done.incrementAndGet() % SUMMARY_EVERY == 0) {
                count(runner);
                summarize();
            }
        }
        count(runner);
    }

    private void count(SeedRunner runner) {
        confirmed.addAndGet(runner.confirmed);
        salvages.addAndGet(runner.salvages);
        virtualSeconds.addAndGet(runner.virtualNanos / 1_000_000_000L);
        runner.confirmed = 0;
        runner.salvages = 0;
        runner.virtualNanos = 0;
    }

    private synchronized boolean failed(long seed, AssertionError e) {
        failing.add(seed);
        StringBuilder report = new StringBuilder(String.valueOf(e.getMessage()));
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            report.append('\n').append(cause);
            for (StackTraceElement frame : cause.getStackTrace()) {
                report.append("\n\tat ").append(frame);
            }
        }
        String name = "seed-" + seed + "-" + shape.name().replaceAll("[^a-z]+", "-") + ".txt";
        System.out.println("seed " + seed + " fails: " + REPORTS.resolve(name));
        write(name, report.toString());
        return failing.size() < FAILURES_MAX;
    }

    private synchronized void summarize() {
        long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startedNanos));
        String summary = "replicas " + shape.name() + ", seeds " + first + " to " + (next.get() - 1) + ", done " + done
                + " in " + seconds + " s, " + done.get() / seconds + " seeds/s, failing " + failing.size() + " "
                + failing + ", operations confirmed " + confirmed + ", salvage needed in " + salvages
                + ", virtual seconds " + virtualSeconds;
        System.out.println(summary);
        write("summary.txt", summary + "\n");
    }

    private static void write(String name, String text) {
        try {
            Files.writeString(
                    REPORTS.resolve(name), text, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
