package io.longhorn.app.bench;

import io.longhorn.app.CommandFailure;
import io.longhorn.app.ExternalTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is alive on the heaps of this process and of others, as {@code jcmd} counts it after a full collection. */
final class LiveHeap {

    private static final Duration LIMIT = Duration.ofMinutes(1);

    private final ExternalTool jcmd;
    private final Path scratch;
    private final List<Long> pids;

    private LiveHeap(ExternalTool jcmd, Path scratch, List<Long> pids) {
        this.jcmd = jcmd;
        this.scratch = scratch;
        this.pids = pids;
    }

    /** Of this process and of these others; empty if this Java is no JDK and so has no {@code jcmd}. */
    static Optional<LiveHeap> ofSelfAnd(List<Long> others, Path scratch) {
        Path file = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        if (!Files.isExecutable(file)) {
            return Optional.empty();
        }
        List<Long> pids = new ArrayList<>(others);
        pids.add(ProcessHandle.current().pid());
        return Optional.of(new LiveHeap(new ExternalTool(file), scratch, pids));
    }

    /** Of all of them together. */
    long bytes() throws InterruptedException {
        long sum = 0;
        for (long pid : pids) {
            ExternalTool.Result histogram = jcmd.run(scratch, LIMIT, Long.toString(pid), "GC.class_histogram");
            sum += total(histogram.output());
        }
        return sum;
    }

    /** The histogram ends with a line of the word Total, the number of objects and their bytes. */
    static long total(String histogram) {
        String last = histogram
                .lines()
                .filter(line -> line.startsWith("Total"))
                .findFirst()
                .orElseThrow(() -> new CommandFailure("jcmd counted no objects: " + histogram));
        String[] words = last.split(" +", -1);
        return Long.parseLong(words[2]);
    }
}
