package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.ExternalTool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What guests boot, as {@code bin/build-test-guest} makes it.
 *
 * @param kernel of Debian
 * @param initramfs a system in memory; its first process is the shell that {@link Guest} types at
 */
record GuestImage(Path kernel, Path initramfs) {

    private static final String SCRIPT = "bin/build-test-guest";

    /** Packages are fetched the first time. */
    private static final Duration LIMIT = Duration.ofMinutes(4);

    /** Makes it, unless that was done before. */
    static GuestImage made(Path scratch) throws InterruptedException {
        ExternalTool.Result run = new ExternalTool(project().resolve(SCRIPT)).run(scratch, LIMIT);
        assertThat(run.exitCode()).as(run.output()).isZero();
        Path directory = Path.of(run.output().substring(run.output().lastIndexOf('\n') + 1));
        return new GuestImage(directory.resolve("vmlinuz"), directory.resolve("initramfs"));
    }

    /** Tests run in the directory of their module. */
    private static Path project() {
        @Nullable Path directory = Path.of("").toAbsolutePath();
        while (directory != null && !Files.isExecutable(directory.resolve(SCRIPT))) {
            directory = directory.getParent();
        }
        if (directory == null) {
            throw new AssertionError("no " + SCRIPT + " above " + Path.of("").toAbsolutePath());
        }
        return directory;
    }
}
