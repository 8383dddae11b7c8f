package io.longhorn.frontend.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Programs that others wrote, run as an administrator would. Everything that touches a device of ours runs in them: this process must not. */
final class HostShell {

    private static final long LIMIT_SECONDS = 100;

    private HostShell() {}

    record Run(int exitCode, String output) {}

    /** Runs a script and returns what it prints; fails unless it ends well. */
    static String sh(String script) {
        Run run = tryRun(script);
        assertThat(run.exitCode()).as("%s%n%s", script, run.output()).isZero();
        return run.output();
    }

    static Run tryRun(String script) {
        try {
            Path output = Files.createTempFile("shell", ".out");
            try {
                Process process = start(script, output);
                assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS))
                        .as("ends: %s", script)
                        .isTrue();
                return new Run(process.exitValue(), Files.readString(output).strip());
            } finally {
                Files.delete(output);
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(script, e);
        }
    }

    static Process start(String script, Path output) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("sh", "-ec", script)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .redirectInput(Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().merge("PATH", "/usr/sbin:/sbin", (path, more) -> path + ":" + more);
        return builder.start();
    }
}
