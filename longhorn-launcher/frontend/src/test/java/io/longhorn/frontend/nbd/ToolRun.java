package io.longhorn.frontend.nbd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of the operating system that has run: its exit code and all that it printed. */
record ToolRun(int exitCode, String output) {

    private static final long SECONDS_MAX = 120;

    /** Runs it to its end. */
    static ToolRun of(String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("longhorn-tool", ".out");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
            // Tools that are scripts must find the interpreter that Debian's packages belong to.
            builder.environment().put("PATH", "/usr/bin:/usr/sbin:/bin:/sbin");
            Process process = builder.start();
            process.getOutputStream().close();
            if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError(List.of(command) + " does not end; so far: " + Files.readString(output));
            }
            return new ToolRun(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }

    /** Runs it, and returns what it printed; an error of the test if it failed. */
    static String output(String... command) throws IOException, InterruptedException {
        ToolRun run = of(command);
        if (run.exitCode != 0) {
            throw new AssertionError(List.of(command) + " failed with " + run.exitCode + ": " + run.output);
        }
        return run.output;
    }
}
