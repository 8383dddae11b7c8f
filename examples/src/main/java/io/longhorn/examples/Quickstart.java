package io.longhorn.examples;

import io.longhorn.Longhorn;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A volume on this machine: written, snapshotted, spoiled and reverted.
 *
 * <pre>
 * mvn -q -pl examples -am -DskipTests package
 * java -cp 'examples/target/longhorn-examples-0.1.0.jar:examples/target/lib/*' io.longhorn.examples.Quickstart data
 * </pre>
 */
public final class Quickstart {

    private Quickstart() {}

    /** The argument is a directory for the volume; it is made if it does not exist. */
    public static void main(String[] arguments) {
        Path directory = Path.of(arguments.length > 0 ? arguments[0] : "longhorn-quickstart");
        System.out.println("the volume holds: " + run(directory));
    }

    static String run(Path directory) {
        try (Longhorn longhorn = Longhorn.embedded(directory)) { // three local replicas, no other set-up
            Volume volume = longhorn.volumes().contains("orders")
                    ? longhorn.open("orders")
                    : longhorn.create(
                            VolumeSpec.named("orders").sizeBytes(20L << 30).build()); // thin: takes no space yet

            volume.write(0, text("the right order")); // returns when every in-sync replica has it
            volume.flush(); // returns when it survives power loss

            Snapshot before =
                    volume.snapshot("before-migration-" + volume.snapshots().size()); // instant, nothing copied
            volume.write(0, text("the wrong order"));
            volume.revertTo(before);

            ByteBuffer found = ByteBuffer.allocate(15);
            volume.read(0, found);
            return StandardCharsets.UTF_8.decode(found.flip()).toString();
        }
    }

    private static ByteBuffer text(String content) {
        return StandardCharsets.UTF_8.encode(content);
    }
}
