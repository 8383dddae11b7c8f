package io.longhorn.examples;

import io.longhorn.Backup;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.RestoringVolume;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * A volume is backed up to S3, and opened again from there at once, while its blocks still stream in. The artifact {@code longhorn-backup-s3} is on the class path, and not
 * compiled against.
 *
 * <pre>
 * mvn -q -pl examples -am -DskipTests package
 * export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...
 * java -cp 'examples/target/longhorn-examples-0.1.0.jar:examples/target/lib/*' io.longhorn.examples.BackupsToS3 data s3://bucket@eu-central-1/backups/
 * </pre>
 */
public final class BackupsToS3 {

    private BackupsToS3() {}

    /** The arguments are a directory for the volumes, and the target. */
    public static void main(String[] arguments) {
        Map<String, String> variables = System.getenv();
        Map<String, String> credentials = Map.of(
                "AWS_ACCESS_KEY_ID", variables.getOrDefault("AWS_ACCESS_KEY_ID", ""),
                "AWS_SECRET_ACCESS_KEY", variables.getOrDefault("AWS_SECRET_ACCESS_KEY", ""),
                "AWS_ENDPOINTS", variables.getOrDefault("AWS_ENDPOINTS", ""));
        System.out.println(run(Path.of(arguments[0]), URI.create(arguments[1]), credentials));
    }

    /** Returns what the restored volume holds. */
    public static String run(Path directory, URI bucket, Map<String, String> credentials) {
        BackupTarget target = BackupTarget.at(bucket, credentials); // s3://bucket@region/path/
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(
                    VolumeSpec.named("orders").sizeBytes(1L << 30).build());
            volume.write(0, StandardCharsets.UTF_8.encode("order 1"));
            Backup backup = volume.snapshot("monday").backUpTo(target);

            try (RestoringVolume copy =
                    longhorn.openRestoring(backup, VolumeSpec.named("copy").build())) {
                ByteBuffer found = ByteBuffer.allocate(7);
                copy.read(0, found); // fetched now; the rest streams in behind
                copy.restored().toCompletableFuture().join();
                return StandardCharsets.UTF_8.decode(found.flip()).toString();
            }
        }
    }
}
