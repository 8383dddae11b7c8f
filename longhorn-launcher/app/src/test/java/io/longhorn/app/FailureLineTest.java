package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.DiskLockedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FailureLineTest {

    @Test
    void failuresOfTheLibrarySpeakForThemselves() {
        DiskLockedException failure = new DiskLockedException(Path.of("/disk"));
        assertThat(FailureLine.of(failure)).isEqualTo(failure.getMessage());
    }

    @Test
    void severalLinesBecomeOne() {
        assertThat(FailureLine.of(new CommandFailure("first\n  second\r\nthird\n")))
                .isEqualTo("first; second; third");
    }

    @Test
    void bareFileNamesBecomeSentences() {
        assertThat(FailureLine.of(new UncheckedIOException(new NoSuchFileException("/x"))))
                .isEqualTo("there is no file or directory /x");
        assertThat(FailureLine.of(new AccessDeniedException("/x")))
                .isEqualTo("no permission for /x; check owner and mode");
        assertThat(FailureLine.of(new FileSystemException("/x", null, "No space left on device")))
                .isEqualTo("/x: No space left on device");
    }

    @Test
    void aDefectIsNamedByItsClass() {
        assertThat(FailureLine.of(new IllegalStateException("odd")))
                .isEqualTo("java.lang.IllegalStateException: odd; run again with --verbose for the stack trace");
        assertThat(FailureLine.of(new IOException())).contains("java.io.IOException", "--verbose");
    }
}
