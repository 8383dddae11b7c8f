package io.longhorn.examples;

import io.longhorn.Backup;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A volume is backed up to a folder, twice, and restored beside itself.
 *
 * <pre>
 * mvn -q -pl examples -am -DskipTests package
 * java -cp 'examples/target/longhorn-examples-0.1.0.jar:examples/target/lib/*' io.longhorn.examples.Backups data /mnt/backups
 * </pre>
 */
public final class Backups {

    private Backups() {}

    /** The arguments are a directory for the volumes, and one for the backups. */
    public static void main(String[] arguments) {
        BackupTarget target = BackupTarget.at(Path.of(arguments.length > 1 ? arguments[1] : "longhorn-backups")
                .toUri());
        System.out.println(run(Path.of(arguments.length > 0 ? arguments[0] : "longhorn-with-backups"), target));
    }

    static String run(Path directory, BackupTarget target) {
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            Volume volume = longhorn.create(
                    VolumeSpec.named("orders").sizeBytes(1L << 30).build());
            volume.write(0, text("order 1"));
            Snapshot monday = volume.snapshot("monday");
            Backup first = monday.backUpTo(target); // everything that was written

            volume.write(64 << 20, text("order 2"));
            Snapshot tuesday = volume.snapshot("tuesday");
            Backup second = tuesday.backUpTo(target); // only what changed since monday
            monday.delete(); // tuesday is the base of the next backup

            Volume copy = longhorn.restore(second, VolumeSpec.named("copy").build()); // every block verified
            ByteBuffer found = ByteBuffer.allocate(7);
            copy.read(64 << 20, found);
            return "restored " + StandardCharsets.UTF_8.decode(found.flip()) + "; the second backup brought "
                    + second.newBytes() + " bytes, the first " + first.newBytes();
        }
    }

    private static ByteBuffer text(String content) {
        return StandardCharsets.UTF_8.encode(content);
    }
}
