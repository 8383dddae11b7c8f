package io.longhorn.app.bench;

import io.longhorn.app.CommandFailure;
import io.longhorn.app.OwnProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** A process that is measured, or one side of a baseline; see {@link BenchPartCommand}. */
final class BenchPart implements AutoCloseable {

    private final Process process;
    private final BufferedReader output;

    private BenchPart(Process process) {
        this.process = process;
        output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
    }

    /**
     * Starts one.
     *
     * @param prefix what binds it to a core, or nothing
     */
    static BenchPart start(List<String> prefix, List<String> arguments) throws IOException {
        return start(prefix, List.of(), arguments);
    }

    /** As {@link #start(List, List)}, with flags for its JVM. */
    static BenchPart start(List<String> prefix, List<String> jvmFlags, List<String> arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of("bench-part"));
        all.addAll(arguments);
        return new BenchPart(OwnProcess.builder(prefix, jvmFlags, all)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /** The next line that it prints. */
    String line() throws IOException {
        String line = output.readLine();
        if (line == null) {
            throw new CommandFailure("a part of the bench ended early");
        }
        return line;
    }

    int port() throws IOException {
        return Integer.parseInt(line());
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    static String toLine(BenchFigures figures) {
        return String.format(
                Locale.ROOT,
                "%f %f %f %f %f %f %f",
                figures.iops(),
                figures.megabytesPerSecond(),
                figures.meanMicros(),
                figures.p50Micros(),
                figures.p99Micros(),
                figures.p999Micros(),
                figures.cpuMicros());
    }

    static BenchFigures fromLine(String line) {
        double[] f =
                Stream.of(line.split(" ", -1)).mapToDouble(Double::parseDouble).toArray();
        return new BenchFigures(f[0], f[1], f[2], f[3], f[4], f[5], f[6]);
    }
}
