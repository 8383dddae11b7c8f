package io.longhorn.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.CommandLineRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** That the bench runs; figures are never asserted. */
class BenchCommandTest {

    @TempDir
    private Path directory;

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void printsARowForEachLoadAndWritesJson() throws Exception {
        Path json = directory.resolve("figures.json");
        CommandLineRun run = bench("loads", "0.05", "--json", json.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .contains(BenchLoad.ALL.stream().map(BenchLoad::title).collect(Collectors.toList()))
                .contains(BenchLoad.CACHED.title(), "bare TCP round trip", "raw file", "bulk floor");
        assertThat(Files.readString(json)).contains("\"rows\"", "\"p999Micros\"");
        assertThat(directory.toFile().list()).containsExactly("figures.json");
    }

    @Test
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void printsATableForEachEventAndLeavesNothingBehind() throws Exception {
        Path json = directory.resolve("figures.json");
        CommandLineRun run = bench("events", "0.2", "--json", json.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .contains(
                        "longest pause",
                        "server stopped by SIGSTOP, beyond the quiet stretch",
                        "rebuild of a replica",
                        "delete 3 snapshots",
                        "catch-up after",
                        "volumes side by side")
                .doesNotContain("n/a", "NaN", BenchLoad.CACHED.title());
        assertThat(directory.toFile().list()).containsExactly("figures.json");

        Map<String, Double> medians = medians(Files.readString(json));
        assertThat(medians).hasSizeGreaterThanOrEqualTo(21);
        medians.forEach((title, median) -> {
            if (!title.contains("beyond")) {
                assertThat(median).as(title).isPositive();
            }
        });
        // Less would not bring the replica in sync; how much more depends on the machine.
        assertThat(medians.get("bytes sent per byte of those blocks")).isGreaterThanOrEqualTo(0.99);
        assertThat(medians.get("the slowest of them, against its fair share")).isLessThanOrEqualTo(1.0);
    }

    @Test
    void refusesToMeasureWhatItDoesNotKnow() {
        CommandLineRun run = bench("loads,weather", "1");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("\"weather\"", "loads, events, scale");
    }

    private CommandLineRun bench(String measure, String seconds, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "bench",
                "--measure",
                measure,
                "--runs",
                "1",
                "--seconds",
                seconds,
                "--size",
                "8",
                "--directory",
                directory.toString()));
        arguments.addAll(List.of(more));
        return CommandLineRun.of(arguments.toArray(new String[0]));
    }

    /** The median of each figure, by its title, as the file has it. */
    private static Map<String, Double> medians(String json) {
        Map<String, Double> medians = new HashMap<>();
        Matcher figure = Pattern.compile(
                        "\"title\": \"([^\"]*)\",\\s*\"unit\".*?\"median\": ([-0-9.]+)", Pattern.DOTALL)
                .matcher(json);
        while (figure.find()) {
            medians.put(figure.group(1), Double.parseDouble(figure.group(2)));
        }
        return medians;
    }
}
