package io.longhorn.app.client;

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
import picocli.CommandLine.Spec;

/** {@code longhorn frontend}: by which ways a daemon can show volumes. */
@Command(
        name = "frontend",
        description = "List by which ways the daemon can show volumes, and what it shows.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = FrontendCommand.ListCommand.class)
public final class FrontendCommand implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    /** For picocli. */
    FrontendCommand() {}

    /** Reached only without a subcommand. */
    @Override
    public void run() {
        throw Client.missing(spec);
    }

    /** {@code longhorn frontend list}. */
    @Command(name = "list", description = "List the frontends and what is attached by each.")
    static final class ListCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Option(names = "--json", description = "Print an array of objects.")
        private boolean json;

        @Override
        public Integer call() {
            List<Map<String, Object>> frontends = client.daemon().list("/v1/frontends");
            if (json) {
                client.json(frontends);
                return Main.DONE;
            }
            Table table = new Table("FRONTEND", "AVAILABLE", "ATTACHED", "ENDPOINT");
            for (Map<String, Object> frontend : frontends) {
                String kind = Client.text(frontend, "frontend");
                List<Map<String, Object>> attached = Client.objects(frontend, "attached");
                if (attached.isEmpty()) {
                    table.add(kind, available(frontend), "", "");
                }
                for (Map<String, Object> one : attached) {
                    String snapshot = Client.text(one, "snapshot");
                    table.add(
                            kind,
                            available(frontend),
                            Client.text(one, "volume") + (snapshot.isEmpty() ? "" : "@" + snapshot),
                            Client.text(one, "endpoint"));
                }
            }
            table.printTo(client.console());
            return Main.DONE;
        }

        private static String available(Map<String, Object> frontend) {
            return Boolean.TRUE.equals(frontend.get("available")) ? "yes" : "no: " + Client.text(frontend, "problem");
        }
    }
}
