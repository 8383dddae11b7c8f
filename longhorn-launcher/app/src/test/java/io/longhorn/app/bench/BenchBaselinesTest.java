package io.longhorn.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.Console;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchBaselinesTest {

    @TempDir
    private Path directory;

    /** The figures mean nothing at this length; that there are some is what counts. */
    @Test
    void eachBaselineGivesFiguresAndLeavesNothingBehind() throws Exception {
        StringWriter err = new StringWriter();
        Console console = new Console(new PrintWriter(new StringWriter()), new PrintWriter(err));
        BenchBaselines baselines = new BenchBaselines(directory, 4 << 20, Duration.ofMillis(200), console);

        baselines.run();

        boolean directIo = err.toString().isEmpty();
        assertThat(baselines.rows()).allSatisfy(row -> {
            if (directIo || !row.title().startsWith("raw file")) {
                assertThat(row.median().iops()).isPositive();
                assertThat(row.median().meanMicros()).isPositive();
            }
        });
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left).isEmpty();
        }
    }
}
