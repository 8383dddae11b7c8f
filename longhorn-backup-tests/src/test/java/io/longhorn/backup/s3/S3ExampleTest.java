package io.longhorn.backup.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.examples.BackupsToS3;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example for S3 as its users run it. */
class S3ExampleTest {
    @TempDir
    private Path directory;

    @Test
    void aVolumeIsBackedUpToS3AndOpenedFromThere() throws Exception {
        try (S3Server server = S3Server.start(Files.createDirectory(directory.resolve("s3")))) {
            assertThat(BackupsToS3.run(
                            directory.resolve("data"),
                            URI.create("s3://" + S3Server.BUCKET + "/example/"),
                            server.credentials()))
                    .isEqualTo("order 1");
        }
    }
}
