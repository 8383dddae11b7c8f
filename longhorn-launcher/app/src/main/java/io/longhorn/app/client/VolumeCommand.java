package io.longhorn.app.client;

import io.longhorn.Durability;
import io.longhorn.VolumeSpec;
import io.longhorn.app.ByteSize;
import io.longhorn.app.Json;
import io.longhorn.app.Main;
import io.longhorn.app.Table;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code longhorn volume}: the volumes of a daemon. */
@Command(
        name = "volume",
        description = "Create, list, attach and change the volumes of a daemon, see \"longhorn serve\".",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            VolumeCommand.CreateCommand.class,
            VolumeCommand.ListCommand.class,
            VolumeCommand.GetCommand.class,
            VolumeCommand.AttachCommand.class,
            VolumeCommand.DetachCommand.class,
            VolumeCommand.ExpandCommand.class,
            VolumeCommand.LimitsCommand.class,
            VolumeCommand.EventsCommand.class,
            VolumeCommand.DeleteCommand.class,
            ReplicaCommands.class
        })
public final class VolumeCommand implements Runnable {

    private static final String UNIX = "unix:";

    @Spec
    private @Nullable CommandSpec spec;

    /** For picocli. */
    VolumeCommand() {}

    /** Reached only without a subcommand. */
    @Override
    public void run() {
        throw Client.missing(spec);
    }

    /** {@code longhorn volume create}. */
    @Command(name = "create", description = "Create a volume. It takes no space until it is written to.")
    static final class CreateCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "NAME", description = "2 to 63 characters of a-z A-Z 0-9 _ . -")
        private String name = "";

        @Option(names = "--size", paramLabel = "SIZE", required = true, description = "Bytes, or such as 20GiB.")
        private @Nullable ByteSize size;

        @Option(names = "--replicas", paramLabel = "COUNT", description = "Default: ${DEFAULT-VALUE}.")
        private int replicas = VolumeSpec.REPLICAS_DEFAULT;

        @Option(
                names = "--durability",
                paramLabel = "MODE",
                description = "on-flush, as disks have it, or write-through.")
        private String durability = "on-flush";

        @Option(
                names = "--min-in-sync",
                paramLabel = "COUNT",
                description = "Replicas without which nothing is written.")
        private int minInSync = 1;

        @Option(names = "--allow-degraded", description = "Also with fewer replicas for now.")
        private boolean allowDegraded;

        @Option(names = "--label", paramLabel = "KEY=VALUE", description = "A label of the volume.")
        private Map<String, String> labels = Map.of();

        @Option(names = "--json", description = "Print the volume as JSON.")
        private boolean json;

        @Override
        public Integer call() {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("name", name);
            body.put("sizeBytes", Objects.requireNonNull(size, "size").bytes());
            body.put("replicas", replicas);
            body.put("minInSync", minInSync);
            body.put("durability", mode());
            body.put("allowDegraded", allowDegraded);
            body.put("labels", labels);
            Map<String, Object> volume = client.daemon().post("/v1/volumes", body);
            if (json) {
                client.json(volume);
            } else {
                client.line(
                        "volume " + name + ": " + size + ", " + replicas + (replicas == 1 ? " replica" : " replicas"));
            }
            return Main.DONE;
        }

        private String mode() {
            String word = durability.toLowerCase(Locale.ROOT).replace('_', '-');
            for (Durability known : Durability.values()) {
                if (known.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(word)) {
                    return word;
                }
            }
            throw client.wrong("--durability is on-flush or write-through, was \"" + durability + "\"");
        }
    }

    /** {@code longhorn volume list}. */
    @Command(name = "list", description = "List all volumes, attached or not.")
    static final class ListCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Option(names = "--json", description = "Print an array of objects.")
        private boolean json;

        @Override
        public Integer call() {
            List<Map<String, Object>> volumes = client.daemon().list("/v1/volumes");
            if (json) {
                client.json(volumes);
                return Main.DONE;
            }
            Table table = new Table("NAME", "SIZE", "STATE", "HEALTH", "REPLICAS", "FRONTEND", "ENDPOINT");
            for (Map<String, Object> volume : volumes) {
                String inSync = Client.text(volume, "replicasInSync");
                String replicas = Client.text(volume, "replicas");
                table.add(
                        Client.text(volume, "name"),
                        new ByteSize(Client.number(volume, "sizeBytes")).toString(),
                        Client.text(volume, "state"),
                        Client.text(volume, "health"),
                        inSync.isEmpty() ? replicas : inSync + "/" + replicas,
                        Client.text(volume, "frontend"),
                        Client.text(volume, "endpoint"));
            }
            table.printTo(client.console());
            return Main.DONE;
        }
    }

    /** {@code longhorn volume get}. */
    @Command(name = "get", description = "Describe a volume.")
    static final class GetCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "NAME", description = "The volume.")
        private String name = "";

        @Option(names = "--json", description = "Print an object.")
        private boolean json;

        @Override
        public Integer call() {
            Map<String, Object> volume = client.daemon().get(Client.volume(name));
            if (json) {
                client.json(volume);
            } else {
                volume.forEach((field, value) -> client.line(field + ": " + shown(field, value)));
            }
            return Main.DONE;
        }

        private static String shown(String field, @Nullable Object value) {
            if (value == null) {
                return "-";
            }
            if (field.equals("sizeBytes") && value instanceof Long bytes) {
                return bytes + " (" + new ByteSize(bytes) + ")";
            }
            return value instanceof Map || value instanceof List ? Json.line(value) : value.toString();
        }
    }

    /** {@code longhorn volume attach}. */
    @Command(
            name = "attach",
            description = {
                "Show a volume, or a snapshot of it, to other programs, and print where: an URI or the path of a device.",
                "It stays attached over restarts of the daemon, until it is detached."
            })
    static final class AttachCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "NAME[@SNAPSHOT]", description = "The volume, or a snapshot of it, read-only.")
        private String name = "";

        @Option(
                names = "--frontend",
                paramLabel = "KIND",
                description = "nbd, iscsi, device, or none to keep it open only. Default: ${DEFAULT-VALUE}.")
        private String frontend = "nbd";

        @Option(
                names = "--listen",
                paramLabel = "WHERE",
                description = "HOST:PORT, or unix:PATH for NBD. Default: that of the daemon.")
        private String listen = "";

        @Option(names = "--take-over", description = "Take the volume over from another program that may have it open.")
        private boolean takeOver;

        @Option(names = "--json", description = "Print the volume as JSON.")
        private boolean json;

        @Override
        public Integer call() {
            Attached attached = Attached.parse(name);
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("frontend", frontend.toLowerCase(Locale.ROOT));
            body.put("takeOver", takeOver);
            if (!listen.isEmpty()) {
                body.put("listen", absolute(listen));
            }
            attached.addTo(body);
            Map<String, Object> volume = client.daemon().post(Client.volume(attached.volume(), "attach"), body);
            if (json) {
                client.json(volume);
            } else {
                String endpoint = attached.endpoint(volume);
                if (!endpoint.isEmpty()) {
                    client.line(endpoint);
                }
            }
            return Main.DONE;
        }
    }

    /** The daemon has another working directory than we. */
    private static String absolute(String listen) {
        return listen.startsWith(UNIX)
                ? UNIX + Path.of(listen.substring(UNIX.length())).toAbsolutePath()
                : listen;
    }

    /** {@code longhorn volume detach}. */
    @Command(
            name = "detach",
            description = "Show it no longer, and close it. What was confirmed is kept. Fine if it is not attached.")
    static final class DetachCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "NAME[@SNAPSHOT]", description = "The volume, or a snapshot of it.")
        private String name = "";

        @Override
        public Integer call() {
            Attached attached = Attached.parse(name);
            Map<String, Object> body = new LinkedHashMap<>();
            attached.addTo(body);
            Map<String, Object> unused = client.daemon().post(Client.volume(attached.volume(), "detach"), body);
            return Main.DONE;
        }
    }

    /** {@code longhorn volume expand}. */
    @Command(name = "expand", description = "Make a volume larger, also while it is in use.")
    static final class ExpandCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "NAME", description = "The volume.")
        private String name = "";

        @Option(names = "--size", paramLabel = "SIZE", required = true, description = "The new size.")
        private @Nullable ByteSize size;

        @Override
        public Integer call() {
            long bytes = Objects.requireNonNull(size, "size").bytes();
            Map<String, Object> volume =
                    client.daemon().post(Client.volume(name, "expand"), Map.of("sizeBytes", bytes));
            client.line("volume " + name + ": " + new ByteSize(Client.number(volume, "sizeBytes")));
            return Main.DONE;
        }
    }

    /** {@code longhorn volume limits}. */
    @Command(name = "limits", description = "Show or change how fast a volume may be used. 0 is no limit.")
    static final class LimitsCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "NAME", description = "The volume.")
        private String name = "";

        @Option(names = "--operations", paramLabel = "COUNT", description = "Operations per second.")
        private @Nullable Long operations;

        @Option(names = "--operations-burst", paramLabel = "COUNT", description = "At once after a pause.")
        private @Nullable Long operationsBurst;

        @Option(names = "--bandwidth", paramLabel = "SIZE", description = "Bytes per second, such as 100MiB.")
        private @Nullable ByteSize bandwidth;

        @Option(names = "--bandwidth-burst", paramLabel = "SIZE", description = "At once after a pause.")
        private @Nullable ByteSize bandwidthBurst;

        @Option(names = "--json", description = "Print an object.")
        private boolean json;

        @Override
        public Integer call() {
            Map<String, Object> changed = new LinkedHashMap<>();
            put(changed, "operationsPerSecond", operations);
            put(changed, "operationsBurst", operationsBurst);
            put(changed, "bytesPerSecond", bandwidth == null ? null : bandwidth.bytes());
            put(changed, "bytesBurst", bandwidthBurst == null ? null : bandwidthBurst.bytes());
            String path = Client.volume(name, "limits");
            Map<String, Object> limits = changed.isEmpty()
                    ? client.daemon().get(path)
                    : client.daemon().put(path, changed);
            if (json) {
                client.json(limits);
            } else {
                client.line("operations: " + rate(limits, "operationsPerSecond", "operationsBurst", false));
                client.line("bandwidth: " + rate(limits, "bytesPerSecond", "bytesBurst", true));
            }
            return Main.DONE;
        }

        private static void put(Map<String, Object> fields, String name, @Nullable Long value) {
            if (value != null) {
                fields.put(name, value);
            }
        }

        private static String rate(Map<String, Object> limits, String rate, String burst, boolean bytes) {
            long perSecond = Client.number(limits, rate);
            if (perSecond == 0) {
                return "no limit";
            }
            long atOnce = Client.number(limits, burst);
            return bytes
                    ? new ByteSize(perSecond) + " per second, burst " + new ByteSize(atOnce)
                    : perSecond + " per second, burst " + atOnce;
        }
    }

    /** {@code longhorn volume events}. */
    @Command(
            name = "events",
            description = "Print what happens to a volume, or to all, from now on, until the daemon stops or you do.")
    static final class EventsCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "NAME", arity = "0..1", description = "The volume; all without one.")
        private @Nullable String name;

        @Option(names = "--json", description = "Print an object per line.")
        private boolean json;

        @Override
        public Integer call() {
            String path = name == null ? "/v1/events" : Client.volume(name, "events");
            client.daemon().events(path, this::print);
            return Main.DONE;
        }

        private void print(String kind, Map<String, Object> fields) {
            if (json) {
                Map<String, Object> whole = new LinkedHashMap<>();
                whole.put("event", kind);
                whole.putAll(fields);
                client.line(Json.line(whole));
                return;
            }
            StringBuilder line = new StringBuilder(Client.text(fields, "at"))
                    .append(' ')
                    .append(kind)
                    .append(' ')
                    .append(Client.text(fields, "volume"));
            fields.forEach((field, value) -> {
                if (!field.equals("at") && !field.equals("volume")) {
                    line.append(' ').append(field).append('=').append(value);
                }
            });
            client.line(line.toString());
        }
    }

    /** {@code longhorn volume delete}. */
    @Command(name = "delete", description = "Delete a volume with its snapshots. There is no way back but a backup.")
    static final class DeleteCommand implements Callable<Integer> {
        @Mixin
        private Client client = new Client();

        @Parameters(paramLabel = "NAME", description = "The volume, which must not be attached.")
        private String name = "";

        @Override
        public Integer call() {
            client.daemon().delete(Client.volume(name));
            return Main.DONE;
        }
    }
}
