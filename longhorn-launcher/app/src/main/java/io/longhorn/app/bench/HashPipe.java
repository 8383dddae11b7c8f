package io.longhorn.app.bench;

import io.longhorn.app.CommandFailure;
import io.longhorn.app.ExternalTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/** What programs that others wrote make of the same work: {@code lz4 -c FILE | sha512sum}, each on a core of its own. */
final class HashPipe {
    private static final long LIMIT_MINUTES = 5;

    private HashPipe() {}

    /**
     * Over a file of bytes that do not compress.
     *
     * @param directory where the file is, deleted again
     * @return empty if one of the programs is not there
     */
    static OptionalDouble megabytesPerSecond(Path directory, long bytes) throws IOException, InterruptedException {
        Optional<ExternalTool> lz4 = ExternalTool.find("lz4");
        Optional<ExternalTool> sha512sum = ExternalTool.find("sha512sum");
        if (lz4.isEmpty() || sha512sum.isEmpty()) {
            return OptionalDouble.empty();
        }
        Path file = Files.createTempFile(directory, "pipe-", ".bytes");
        try {
            RandomImage.write(file, bytes);
            long begin = System.nanoTime();
            run(List.of(
                    new ProcessBuilder(lz4.get().file().toString(), "-q", "-c", file.toString())
                            .redirectInput(ProcessBuilder.Redirect.from(
                                    Path.of("/dev/null").toFile())),
                    new ProcessBuilder(sha512sum.get().file().toString())
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)));
            return OptionalDouble.of(bytes / 1e6 / ((System.nanoTime() - begin) / 1e9));
        } finally {
            Files.delete(file);
        }
    }

    private static void run(List<ProcessBuilder> pipe) throws IOException, InterruptedException {
        pipe.forEach(each -> each.redirectError(ProcessBuilder.Redirect.DISCARD));
        List<Process> running = ProcessBuilder.startPipeline(pipe);
        try {
            for (Process each : running) {
                if (!each.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES) || each.exitValue() != 0) {
                    throw new CommandFailure("lz4 | sha512sum did not end well within " + LIMIT_MINUTES + " minutes");
                }
            }
        } finally {
            running.forEach(Process::destroyForcibly);
        }
    }
}
