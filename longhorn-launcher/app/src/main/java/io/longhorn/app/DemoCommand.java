package io.longhorn.app;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code longhorn demo}: the {@link Demo} in a directory of its own. */
@Command(
        name = "demo",
        description = {
            "Tell, in about a minute, what happens to a volume with three replica servers on this machine when servers"
                    + " are killed, disks are lost and bits flip; and prove in the end that every byte is right.",
            "Needs mke2fs and e2fsck (package e2fsprogs), and about 2 GB of disk space."
        })
final class DemoCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--keep", description = "Keep the directory with disks, images and logs.")
    private boolean keep;

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "Where to make the demo's own directory; by default where temporary files go.")
    private @Nullable Path parent;

    @Override
    public Integer call() throws Exception {
        Console console = Console.of(spec);
        try (CleanUp cleanUp = new CleanUp()) {
            ScratchDirectory directory = ScratchDirectory.create(parent, "longhorn-demo-");
            if (keep) {
                console.remark("everything stays in " + directory.path());
            } else {
                cleanUp.add(directory);
            }
            new Demo(console, cleanUp, directory.path()).run();
        }
        return Main.DONE;
    }
}
