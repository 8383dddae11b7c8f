package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.Longhorn;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code longhorn backup --key-file}. */
class BackupKeyFileTest {
    private static final String OLD = "11".repeat(32);
    private static final String NEW = "2B".repeat(32);

    @TempDir
    private Path directory;

    private final byte[] content = new byte[1 << 20];
    private String target;
    private Path keys;

    @BeforeEach
    void fill() {
        new Random(1).nextBytes(content);
        target = directory.resolve("store").toUri().toString();
        keys = directory.resolve("keys");
        try (Longhorn longhorn = Longhorn.embedded(directory.resolve("data"))) {
            longhorn.create(VolumeSpec.named("orders").sizeBytes(4 << 20).build())
                    .write(0, ByteBuffer.wrap(content));
        }
    }

    private CommandLineRun create(String name) {
        return CommandLineRun.of(
                "backup",
                "create",
                "orders",
                target,
                "--name",
                name,
                "--dir",
                directory.resolve("data").toString(),
                "--key-file",
                keys.toString());
    }

    private CommandLineRun list() {
        return CommandLineRun.of("backup", "list", target, "--key-file", keys.toString());
    }

    @Test
    void aTargetIsEncryptedReadAndGivenANewKey() throws IOException {
        Files.writeString(keys, "# ours\n\nold " + OLD + "\n");
        assertThat(create("backup-1").exitCode()).isZero();
        assertThat(CommandLineRun.of("backup", "list", target).exitCode()).isEqualTo(Main.FAILED);

        Files.writeString(keys, "new   " + NEW + "\nold " + OLD + "\n");
        assertThat(create("backup-2").exitCode()).isZero();
        assertThat(list().out()).contains("backup backup-1 ", "backup backup-2 ");
        Path image = directory.resolve("image");
        String url = target + "?backup=backup-1&volume=orders";
        CommandLineRun export =
                CommandLineRun.of("backup", "export", url, image.toString(), "--key-file", keys.toString());
        assertThat(export.exitCode()).as(export.err()).isZero();
        assertThat(ByteBuffer.wrap(Files.readAllBytes(image)).slice(0, content.length))
                .isEqualTo(ByteBuffer.wrap(content));

        Files.writeString(keys, "new " + NEW + "\n");
        CommandLineRun withoutOld = list();
        assertThat(withoutOld.exitCode()).isEqualTo(Main.FAILED);
        assertThat(withoutOld.err()).contains("old").doesNotContain(NEW);
    }

    @Test
    void whatIsWrongInTheFileIsSaidWithoutTheKey() throws IOException {
        assertThat(list().err()).contains("the keys cannot be read", keys.toString());
        assertRefused("# none\n", "has no key");
        assertRefused("\n" + OLD, "keys, line 2: a key is \"ID KEY\"");
        assertRefused("a " + OLD + "\na " + NEW, "keys, line 2: the id was used by a line before");
        assertRefused("a " + OLD.substring(2), "keys: key \"a\" is not 64 hexadecimal digits");
        assertRefused("a " + OLD.substring(1) + "x", "keys: key \"a\" is not 64 hexadecimal digits");
        assertRefused("? " + OLD, "\"?\"");
    }

    private void assertRefused(String content, String why) throws IOException {
        Files.writeString(keys, content);
        CommandLineRun run = list();
        assertThat(run.exitCode()).isEqualTo(Main.FAILED);
        assertThat(run.err()).contains(why).doesNotContain("1111");
    }
}
