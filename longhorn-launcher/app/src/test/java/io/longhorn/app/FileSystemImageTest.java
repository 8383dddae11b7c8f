package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSystemImageTest {

    @TempDir
    private Path directory;

    @Test
    @Tag("real")
    void holdsFilesOfThisMachineAndIsSoundUntilItIsDamaged() throws Exception {
        ExternalTool e2fsck = ExternalTool.require("e2fsck", "e2fsprogs");
        Path work = Files.createDirectory(directory.resolve("work"));
        FileSystemImage image =
                FileSystemImage.build(ExternalTool.require("mke2fs", "e2fsprogs"), work, 4 << 20, 16 << 20);

        assertThat(image.sizeBytes()).isEqualTo(16 << 20);
        assertThat(image.files()).isPositive();
        assertThat(image.fileBytes()).isBetween((4L << 20) * 9 / 10, 4L << 20);
        assertThat(FileSystemImage.check(e2fsck, image.file(), directory)).contains("longhorn-demo", "files");
        try (Stream<Path> left = Files.list(work)) {
            assertThat(left).containsExactly(image.file());
        }

        spoilGroupDescriptors(image.file());
        assertThatThrownBy(() -> FileSystemImage.check(e2fsck, image.file(), directory))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining(image.file().toString());
    }

    @Test
    void aToolThatIsMissingIsNamedWithItsPackage() {
        assertThatThrownBy(() -> ExternalTool.require("no-such-tool", "its-package"))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("no-such-tool")
                .hasMessageContaining("install")
                .hasMessageContaining("its-package");
    }

    @Test
    void hashOfAFileIsThatOfItsContent() throws IOException {
        Path file = Files.writeString(directory.resolve("abc"), "abc");
        assertThat(FileSystemImage.sha256(file))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    private static void spoilGroupDescriptors(Path image) throws IOException {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(4096), 4096);
        }
    }
}
