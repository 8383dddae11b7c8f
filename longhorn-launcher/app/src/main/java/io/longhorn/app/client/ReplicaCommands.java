package io.longhorn.app.client;

import io.longhorn.app.ByteSize;
import io.longhorn.app.Main;
import io.longhorn.app.Table;
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

/** {@code longhorn volume replica}. */
@Command(
        name = "replica",
        description = "List, add and remove the replicas of a volume. Lost ones come back by themselves.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ReplicaCommands.ListCommand.class,
            ReplicaCommands.AddCommand.class,
            ReplicaCommands.RemoveCommand.class
        })
final class ReplicaCommands implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    /** Reached only without a subcommand. */
    @Override
    public void run() {
        throw Client.missing(spec);
    }

    /** {@code longhorn volume replica list}. */
    @Command(name = "list", description = "List the replicas of a volume.")
    static final class ListCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Option(names = "--json", description = "Print an array of objects.")
        private boolean json;

        @Override
        public Integer call() {
            List<Map<String, Object>> replicas = client.daemon().list(Client.volume(volume, "replicas"));
            if (json) {
                client.json(replicas);
                return Main.DONE;
            }
            Table table = new Table("ID", "LOCATION", "STATE", "REBUILT");
            for (Map<String, Object> replica : replicas) {
                long total = Client.number(replica, "rebuildTotalBytes");
                table.add(
                        Client.text(replica, "id"),
                        Client.text(replica, "location"),
                        Client.text(replica, "state"),
                        total == 0
                                ? ""
                                : new ByteSize(Client.number(replica, "rebuiltBytes")) + " of " + new ByteSize(total));
            }
            table.printTo(client.console());
            return Main.DONE;
        }
    }

    /** {@code longhorn volume replica add}. */
    @Command(
            name = "add",
            description = "Add a replica, which is brought up to date while the volume is used. Prints its id.")
    static final class AddCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "HOST:PORT",
                description = "The replica server; one in turn without it.")
        private @Nullable String server;

        @Override
        public Integer call() {
            Map<String, Object> added = client.daemon()
                    .post(Client.volume(volume, "replicas"), server == null ? Map.of() : Map.of("server", server));
            client.line(Client.text(added, "id"));
            return Main.DONE;
        }
    }

    /** {@code longhorn volume replica remove}. */
    @Command(name = "remove", description = "Remove a replica and its data.")
    static final class RemoveCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume.")
        private String volume = "";

        @Parameters(index = "1", paramLabel = "ID", description = "As \"replica list\" shows it.")
        private String id = "";

        @Override
        public Integer call() {
            client.daemon().delete(Client.volume(volume, "replicas", id));
            return Main.DONE;
        }
    }
}
