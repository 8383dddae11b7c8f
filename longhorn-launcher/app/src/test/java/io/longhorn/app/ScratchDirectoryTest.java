package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScratchDirectoryTest {

    @TempDir
    private Path directory;

    @Test
    void closingDeletesAllBelowButFollowsNoLinks() throws IOException {
        Path outside = Files.createFile(directory.resolve("outside"));
        ScratchDirectory scratch = ScratchDirectory.create(directory, "scratch-");
        Files.createDirectories(scratch.path().resolve("a/b"));
        Files.createFile(scratch.path().resolve("a/b/file"));
        Files.createSymbolicLink(scratch.path().resolve("a/link"), outside);
        Files.createSymbolicLink(scratch.path().resolve("a/up"), directory);

        scratch.close();

        assertThat(scratch.path()).doesNotExist();
        assertThat(outside).exists();
        scratch.close();
    }

    @Test
    void cleanUpGoesBackwardsAndKeepsTheFirstFailure() {
        List<String> order = new ArrayList<>();
        CleanUp cleanUp = new CleanUp();
        cleanUp.add(() -> order.add("first"));
        cleanUp.add(() -> {
            throw new IOException("second fails");
        });
        cleanUp.add(() -> {
            throw new CommandFailure("third fails");
        });
        assertThatThrownBy(cleanUp::close)
                .isInstanceOf(CommandFailure.class)
                .hasMessage("third fails")
                .satisfies(failure -> assertThat(failure.getSuppressed()).hasSize(1));
        assertThat(order).containsExactly("first");
        cleanUp.close();
        assertThat(order).hasSize(1);
    }

    @Test
    void whatIsAddedAfterTheEndIsClosedAtOnce() {
        List<String> order = new ArrayList<>();
        CleanUp cleanUp = new CleanUp();
        cleanUp.close();
        assertThatThrownBy(() -> cleanUp.add(() -> order.add("late"))).isInstanceOf(CommandFailure.class);
        assertThat(order).containsExactly("late");
    }
}
