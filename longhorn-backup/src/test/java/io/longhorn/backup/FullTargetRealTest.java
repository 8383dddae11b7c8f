package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Backup;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetException;
import io.longhorn.Longhorn;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder on a file system that runs full. Takes root. */
@Tag("real")
class FullTargetRealTest {
    private static final int SIZE = 48 << 20;
    /** Room for one group of blocks, which become durable together, and a little more. */
    private static final String SMALL = "40m";

    @TempDir
    private Path directory;

    private Path folder;

    @BeforeEach
    void mountSmallFileSystem() throws Exception {
        folder = Files.createDirectory(directory.resolve("small"));
        run("mount", "-t", "tmpfs", "-o", "size=" + SMALL, "tmpfs", folder.toString());
    }

    @AfterEach
    void unmount() throws Exception {
        run("umount", folder.toString());
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    @Test
    void aBackupThatFindsNoRoomFailsAndTheNextOneSendsOnlyTheRest() throws Exception {
        BackupTarget target = BackupTarget.at(folder.toUri());
        try (Longhorn longhorn = Longhorn.embedded(directory.resolve("data"))) {
            Volume volume = longhorn.create(
                    VolumeSpec.named("orders").sizeBytes(SIZE).replicas(1).build());
            byte[] content = new byte[SIZE];
            new Random(1).nextBytes(content);
            volume.write(0, ByteBuffer.wrap(content));
            Snapshot snapshot = volume.snapshot("one");

            BackupSpec oneWorker = BackupSpec.builder().workers(1).build();
            assertThatThrownBy(() -> snapshot.startBackup(target, oneWorker).await())
                    .isInstanceOf(BackupTargetException.class)
                    .hasMessageContaining("No space left");
            assertThat(longhorn.backups(target)).isEmpty();
            try (Stream<Path> files = Files.walk(folder)) {
                assertThat(files.map(file -> String.valueOf(file.getFileName())))
                        .as("nothing half written takes room")
                        .noneMatch(ObjectKey::isTemporary);
            }

            run("mount", "-o", "remount,size=100m", folder.toString());
            Backup backup = snapshot.backUpTo(target);
            assertThat(backup.newBytes()).as("something had arrived").isLessThan(SIZE / 2);
            Volume copy = longhorn.restore(
                    backup, VolumeSpec.named("copy").replicas(1).build());
            ByteBuffer restored = ByteBuffer.allocate(SIZE);
            copy.read(0, restored);
            assertThat(restored.array()).isEqualTo(content);
            assertThat(longhorn.backups(target)).isEqualTo(List.of(backup));
        }
    }
}
