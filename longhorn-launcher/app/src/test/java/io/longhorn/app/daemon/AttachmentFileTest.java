package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.DamagedFileException;
import io.longhorn.FileTooNewException;
import io.longhorn.ForeignFileException;
import io.longhorn.LonghornException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AttachmentFileTest {

    /** Never edited, only added to: see docs/format/attachments.md. */
    private static final Path GOLDEN = Path.of("src/test/resources/format/attachments/v1/two");

    private static final List<Attachment> TWO = List.of(
            new Attachment("orders", Optional.empty(), FrontendKind.NBD, "127.0.0.1:10809", "orders"),
            new Attachment("orders", Optional.of("b\u00e9fore"), FrontendKind.NONE, "", ""));

    @TempDir
    private Path directory;

    private Path path;
    private AttachmentFile file;

    @BeforeEach
    void name() {
        path = directory.resolve("attachments");
        file = new AttachmentFile(path);
    }

    @Test
    void whatIsWrittenIsReadAgain() {
        assertThat(file.read()).isEmpty();
        file.write(TWO);
        assertThat(file.read()).isEqualTo(TWO);
        file.write(List.of());
        assertThat(file.read()).isEmpty();
        assertThat(directory.toFile().list()).containsExactly("attachments");
    }

    @Test
    void theGoldenFileIsReadAndWritten() throws IOException {
        Files.copy(GOLDEN, path);
        assertThat(file.read()).isEqualTo(TWO);
        file.write(TWO);
        assertThat(path).hasSameBinaryContentAs(GOLDEN);
    }

    @Test
    void everyCutIsNoticed() throws IOException {
        byte[] whole = Files.readAllBytes(GOLDEN);
        for (int length = 0; length < whole.length; length++) {
            Files.write(path, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> file.read())
                    .as("%d bytes", length)
                    .isInstanceOfAny(DamagedFileException.class, ForeignFileException.class)
                    .hasMessageContaining(path.toString());
        }
    }

    @Test
    void everyFlippedBitIsNoticed() throws IOException {
        byte[] whole = Files.readAllBytes(GOLDEN);
        for (int at = 0; at < whole.length; at++) {
            byte[] flipped = whole.clone();
            flipped[at] ^= (byte) (1 << (at % 8));
            Files.write(path, flipped);
            assertThatThrownBy(() -> file.read()).as("byte %d", at).isInstanceOf(LonghornException.class);
        }
    }

    @Test
    void newerAndForeignFilesAreToldApart() throws IOException {
        Files.writeString(path, "longhorn attachments 2\nwhatever\n");
        assertThatThrownBy(() -> file.read()).isInstanceOf(FileTooNewException.class);
        Files.writeString(path, "#!/bin/sh\n");
        assertThatThrownBy(() -> file.read()).isInstanceOf(ForeignFileException.class);
        Files.write(path, "longhorn attachments 1\n{}\n".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> file.read()).isInstanceOf(DamagedFileException.class);
    }
}
