package io.longhorn.app.client;

import io.longhorn.app.ByteSize;
import io.longhorn.app.Main;
import io.longhorn.app.Table;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code longhorn snapshot}: the snapshots of a daemon's volume, attached or not. */
@Command(
        name = "snapshot",
        description = "Take, list, delete and return to snapshots of a volume, attached or not.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            SnapshotCommand.CreateCommand.class,
            SnapshotCommand.ListCommand.class,
            SnapshotCommand.RevertCommand.class,
            SnapshotCommand.DeleteCommand.class
        })
public final class SnapshotCommand implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    /** For picocli. */
    SnapshotCommand() {}

    /** Reached only without a subcommand. */
    @Override
    public void run() {
        throw Client.missing(spec);
    }

    /** {@code longhorn snapshot create}. */
    @Command(name = "create", description = "Take a snapshot, and print its name.")
    static final class CreateCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Parameters(index = "1", arity = "0..1", paramLabel = "NAME", description = "One with the time without it.")
        private @Nullable String name;

        @Option(names = "--label", paramLabel = "KEY=VALUE", description = "A label of the snapshot.")
        private Map<String, String> labels = Map.of();

        @Override
        public Integer call() {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("labels", labels);
            if (name != null) {
                body.put("name", name);
            }
            client.line(Client.text(client.daemon().post(Client.volume(volume, "snapshots"), body), "name"));
            return Main.DONE;
        }
    }

    /** {@code longhorn snapshot list}. */
    @Command(name = "list", description = "List the snapshots of a volume, oldest first.")
    static final class ListCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Option(names = "--json", description = "Print an array of objects.")
        private boolean json;

        @Override
        public Integer call() {
            List<Map<String, Object>> snapshots = client.daemon().list(Client.volume(volume, "snapshots"));
            if (json) {
                client.json(snapshots);
                return Main.DONE;
            }
            Table table = new Table("NAME", "CREATED", "SIZE", "SPACE", "PARENT");
            for (Map<String, Object> snapshot : snapshots) {
                table.add(
                        Client.text(snapshot, "name"),
                        Client.text(snapshot, "createdAt"),
                        new ByteSize(Client.number(snapshot, "sizeBytes")).toString(),
                        new ByteSize(Client.number(snapshot, "actualBytes")).toString(),
                        Client.text(snapshot, "parent"));
            }
            table.printTo(client.console());
            return Main.DONE;
        }
    }

    /** {@code longhorn snapshot revert}. */
    @Command(
            name = "revert",
            description =
                    "Have the volume hold again what it held then. What was written since and is in no snapshot is"
                            + " lost; snapshots stay.")
    static final class RevertCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Parameters(index = "1", paramLabel = "NAME", description = "The snapshot.")
        private String name = "";

        @Option(
                names = "--force",
                description = "Also while clients use the volume; those must not rely on what they remember of it.")
        private boolean force;

        @Override
        public Integer call() {
            Map<String, Object> unused =
                    client.daemon().post(Client.volume(volume, "revert"), Map.of("snapshot", name, "force", force));
            return Main.DONE;
        }
    }

    /** {@code longhorn snapshot delete}. */
    @Command(name = "delete", description = "Delete a snapshot; its space comes back in the background.")
    static final class DeleteCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Parameters(index = "1", paramLabel = "NAME", description = "The snapshot.")
        private String name = "";

        @Override
        public Integer call() {
            client.daemon().delete(Client.volume(volume, "snapshots", name));
            return Main.DONE;
        }
    }
}
