package io.longhorn.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.CommandLineRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
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
        CommandLineRun run = CommandLineRun.of(
                "bench",
                "--runs",
                "1",
                "--seconds",
                "0.05",
                "--size",
                "8",
                "--directory",
                directory.toString(),
                "--json",
                json.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .contains(BenchLoad.ALL.stream().map(BenchLoad::title).collect(Collectors.toList()))
                .contains(BenchLoad.CACHED.title(), "bare TCP round trip", "raw file", "bulk floor");
        assertThat(Files.readString(json)).contains("\"rows\"", "\"p999Micros\"");
        assertThat(directory.toFile().list()).containsExactly("figures.json");
    }
}
