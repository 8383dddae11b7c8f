package io.longhorn.frontend.device;

import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Commands as child processes. What they print goes to a file, since a child of theirs that stays, like that of nbd-client, would keep a pipe open. */
final class HostCommands implements Commands {

    /** A login of iSCSI to a target that is not there gives up after 120 s by default; ours is on this host. */
    private static final long LIMIT_SECONDS = 60;

    private static final int OUTPUT_BYTES_MAX = 16 << 10;

    private final Path directory;

    /** @param directory for the files */
    HostCommands(Path directory) {
        this.directory = directory;
    }

    @Override
    public Outcome run(List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(directory, "command", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(output.toFile())
                    .start();
            try {
                if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                    throw new IOException("\"" + String.join(" ", command) + "\" did not end within " + LIMIT_SECONDS
                            + " s: " + read(output));
                }
            } finally {
                process.destroyForcibly();
            }
            return new Outcome(process.exitValue(), read(output));
        } finally {
            Files.delete(output);
        }
    }

    private static String read(Path output) throws IOException {
        try (InputStream in = Files.newInputStream(output)) {
            return new String(in.readNBytes(OUTPUT_BYTES_MAX), StandardCharsets.UTF_8).strip();
        }
    }
}
