package io.longhorn.app;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A program of the operating system.
 *
 * @param file where it is
 */
public record ExternalTool(Path file) {

    /** Tools of administrators stand here, also when the user's path does not name these directories. */
    private static final List<String> MORE_DIRECTORIES = List.of("/usr/sbin", "/sbin", "/usr/local/sbin");

    /**
     * How a run ended.
     *
     * @param exitCode the program's own
     * @param output standard output and standard error, in order
     */
    public record Result(int exitCode, String output) {}

    /** Looks along {@code PATH}, then where administrators' tools are. */
    public static Optional<ExternalTool> find(String name) {
        String path = System.getenv().getOrDefault("PATH", "");
        Set<String> directories = new LinkedHashSet<>(List.of(path.split(":", -1)));
        directories.addAll(MORE_DIRECTORIES);
        return directories.stream()
                .filter(directory -> !directory.isBlank())
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst()
                .map(ExternalTool::new);
    }

    /**
     * Finds a tool that the command cannot do without.
     *
     * @param debianPackage what brings it, for the message
     */
    public static ExternalTool require(String name, String debianPackage) {
        return find(name)
                .orElseThrow(() -> new CommandFailure(name + " is not installed; install the package " + debianPackage
                        + " (\"apt-get install " + debianPackage + "\", or your system's way)"));
    }

    /**
     * Runs to the end.
     *
     * @param scratch a directory for the output
     * @throws CommandFailure if it cannot be started or does not end within the limit
     */
    public Result run(Path scratch, Duration limit, String... arguments) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of(file.toString()));
        command.addAll(List.of(arguments));
        try {
            // A file, not a pipe: a chatty tool must not wait for us.
            Path output = Files.createTempFile(scratch, file.getFileName().toString(), ".out");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
            builder.environment().put("LC_ALL", "C");
            Process process = builder.start();
            try {
                if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                    throw new CommandFailure(file + " did not end within " + limit.toSeconds() + " s");
                }
            } finally {
                process.destroyForcibly();
            }
            String said = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
            Files.delete(output);
            return new Result(process.exitValue(), said.strip());
        } catch (IOException e) {
            throw new CommandFailure("cannot run " + file + ": " + e.getMessage(), e);
        }
    }
}
