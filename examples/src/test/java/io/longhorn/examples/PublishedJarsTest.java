package io.longhorn.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Programs start from a plain class path and from the module path, on the JDK that runs this, without a flag and without a warning. With {@code mvn verify} what they
 * start from are the jars that are published.
 */
class PublishedJarsTest {
    @TempDir
    Path directory;

    @Test
    void classPathIsEnough() throws Exception {
        assertThat(run("-cp", paths(true) + File.pathSeparator + examples()))
                .contains("the volume holds: the right order");
    }

    @Test
    void modulePathIsEnough() throws Exception {
        assertThat(run(
                        "-p",
                        paths(true),
                        "--add-modules",
                        "io.longhorn.api,io.longhorn.engine,org.slf4j.simple",
                        "-cp",
                        examples()))
                .contains("the volume holds: the right order");
    }

    @Test
    void withoutALoggingProviderOnlyItsAbsenceIsMentioned() throws Exception {
        assertThat(run("-cp", paths(false) + File.pathSeparator + examples()))
                .contains("the volume holds: the right order");
    }

    private static String paths(boolean withProvider) {
        return entries().stream()
                .filter(entry -> entry.contains("longhorn-api")
                        || entry.contains("longhorn-replica")
                        || entry.contains("longhorn-engine")
                        || entry.contains("slf4j-api")
                        || (withProvider && entry.contains("slf4j-simple")))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static String examples() {
        return entries().stream()
                .filter(entry -> Files.exists(Path.of(entry, "io/longhorn/examples/Quickstart.class")))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> entries() {
        return Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));
    }

    /** What the program says on standard output; on standard error it may say nothing, but that SLF4J found no provider. */
    private String run(String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.add("-Dorg.slf4j.simpleLogger.logFile=System.out");
        command.add(Quickstart.class.getName());
        command.add(directory.resolve("data").toString());
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        Process process = builder.start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readAllLines(err, StandardCharsets.UTF_8)).allMatch(line -> line.startsWith("SLF4J"));
        assertThat(process.exitValue()).isZero();
        return Files.readString(out, StandardCharsets.UTF_8);
    }
}
