package io.longhorn.app.real;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Programs that others wrote, called as an administrator would call them. */
final class Shell {

    private static final long SECONDS_MAX = 100;

    private Shell() {}

    /** How a script ended, and all that it printed. */
    record Run(int exitCode, String output) {}

    /** Runs a script and returns what it prints; fails unless it ends well. */
    static String sh(String script) throws Exception {
        Run run = tryRun(script);
        assertThat(run.exitCode()).as("%s%n%s", script, run.output()).isZero();
        return run.output();
    }

    static Run tryRun(String script) throws IOException, InterruptedException {
        Path output = Files.createTempFile("shell", ".out");
        try {
            Process process = start(script, output);
            boolean ended = process.waitFor(SECONDS_MAX, TimeUnit.SECONDS);
            process.destroyForcibly();
            assertThat(ended)
                    .as("ends: %s%n%s", script, Files.readString(output))
                    .isTrue();
            return new Run(process.exitValue(), Files.readString(output).strip());
        } finally {
            Files.delete(output);
        }
    }

    /** A script that runs beside the test, with an input that the test may write. */
    static Process start(String script, Path output) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("sh", "-ec", script)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(output.toFile()));
        // Administrators' tools are not on every path, and tools that are scripts must find Debian's interpreters.
        builder.environment().put("PATH", "/usr/bin:/usr/sbin:/bin:/sbin");
        builder.environment().put("LC_ALL", "C.UTF-8");
        return builder.start();
    }
}
