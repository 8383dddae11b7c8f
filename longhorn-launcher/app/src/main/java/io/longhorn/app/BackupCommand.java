package io.longhorn.app;

import io.longhorn.Backup;
import io.longhorn.BackupCompression;
import io.longhorn.BackupMode;
import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupOperation;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.DamagedBackupException;
import io.longhorn.Longhorn;
import io.longhorn.OpenMode;
import io.longhorn.ProgressListener;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.backup.BackupConfig;
import io.longhorn.backup.BackupExport;
import io.longhorn.backup.BackupRepair;
import io.longhorn.backup.BackupStore;
import io.longhorn.backup.BackupUrl;
import io.longhorn.backup.BackupVerification;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code longhorn backup}: what there is at a backup target, without any volume or server, or through a daemon. */
@Command(
        name = "backup",
        description = {
            "Back volumes up and restore them; list, describe, verify, export and delete the backups at a target, for which",
            "no volume or server is needed.",
            "The target may have been written by Longhorn itself. A folder is file:///dir/, a bucket is",
            "s3://bucket@region/path/ with its credentials in the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,",
            "AWS_ENDPOINTS and the others that Longhorn knows. With --api all but \"export\" is done by a daemon."
        },
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            BackupCommand.CreateCommand.class,
            BackupCommand.ListCommand.class,
            BackupCommand.InspectCommand.class,
            BackupCommand.VerifyCommand.class,
            BackupCommand.RestoreCommand.class,
            BackupCommand.ExportCommand.class,
            BackupCommand.DeleteCommand.class
        })
final class BackupCommand implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    /** Reached only without a subcommand. */
    @Override
    public void run() {
        throw new ParameterException(Objects.requireNonNull(spec).commandLine(), "a command is missing");
    }

    private static URI uri(@Nullable CommandSpec spec, String target) {
        return checked(spec, () -> BackupTarget.at(URI.create(target)).uri());
    }

    private static BackupUrl parse(@Nullable CommandSpec spec, String url) {
        try {
            return BackupUrl.parse(url);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(Objects.requireNonNull(spec).commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    /** Of a command to which no other place was named. */
    private static DaemonClient daemonOf(@Nullable CommandSpec spec, DaemonAccess daemon) {
        return daemon.find()
                .orElseThrow(() -> new ParameterException(
                        Objects.requireNonNull(spec).commandLine(),
                        "say where the volume is: --dir DIR, --registry DIR, or --api URL of a daemon"));
    }

    /** {@code longhorn backup create}. */
    @Command(
            name = "create",
            description = {
                "Back up a snapshot of a volume, or a new one that is kept as the base of the next backup.",
                "Only what changed since the last backup is read and sent."
            })
    static final class CreateCommand implements Callable<Integer> {
        @Spec
        private @Nullable CommandSpec spec;

        @Parameters(index = "0", paramLabel = "VOLUME[@SNAPSHOT]", description = "What to back up.")
        private String volume = "";

        @Parameters(index = "1", paramLabel = "TARGET", description = "Such as file:///dir/.")
        private String target = "";

        @Mixin
        private VolumeAccess access = new VolumeAccess();

        @Mixin
        private TargetOptions at = new TargetOptions();

        @Mixin
        private DaemonAccess daemon = new DaemonAccess();

        @Option(names = "--name", paramLabel = "NAME", description = "Of the backup. Default: one that nobody has.")
        private @Nullable String name;

        @Option(names = "--full", description = "Read and send everything, also what the target has.")
        private boolean full;

        @Option(names = "--compression", paramLabel = "METHOD", description = "Of a first backup: lz4, gzip or none.")
        private BackupCompression compression = BackupCompression.LZ4;

        @Option(
                names = "--large-blocks",
                description = "Blocks of 16 MiB in place of 2 MiB; not for Longhorn before 1.10.")
        private boolean largeBlocks;

        @Option(names = "--workers", paramLabel = "COUNT", description = "Blocks at once.")
        private int workers = BackupSpec.defaults().workers();

        @Option(names = "--limit", paramLabel = "BYTES", description = "Bytes sent per second at most.")
        private long limit;

        @Option(names = "--label", paramLabel = "KEY=VALUE", description = "A label of the backup.")
        private Map<String, String> labels = Map.of();

        @Option(names = "--take-over", description = "Take the volume over from a program that may have it open.")
        private boolean takeOver;

        @Override
        public Integer call() throws InterruptedException {
            int mark = volume.indexOf('@');
            String of = mark < 0 ? volume : volume.substring(0, mark);
            Optional<String> snapshot = mark < 0 ? Optional.empty() : Optional.of(volume.substring(mark + 1));
            Console console = Console.of(spec);
            BackupTarget where = at.at(uri(spec, target));
            BackupSpec how = checked(spec, this::backupSpec);
            if (!access.isGiven()) {
                new DaemonBackups(daemonOf(spec, daemon), at, console).create(of, target, fields(snapshot));
                return Main.DONE;
            }
            try (Longhorn longhorn = access.open()) {
                Backup backup = backUp(longhorn, of, snapshot, new BackupCreation(where, how, shownBy(console)));
                console.line("backup " + backup.name() + " of volume " + of + ", snapshot " + backup.snapshot() + ": "
                        + backup.sizeBytes() + " bytes, " + backup.newBytes() + " new at the target");
            }
            return Main.DONE;
        }

        private Backup backUp(Longhorn longhorn, String of, Optional<String> snapshot, BackupCreation creation)
                throws InterruptedException {
            if (!takeOver && longhorn.isInUse(of)) {
                throw new CommandFailure("volume " + of + " is open in another program, which would lose it; back it"
                        + " up there, close it first, or take it over with --take-over");
            }
            OpenMode mode = snapshot.isPresent() ? OpenMode.READ_ONLY : OpenMode.READ_WRITE;
            try (Volume opened = longhorn.open(of, mode)) {
                if (snapshot.isPresent() && opened.findSnapshot(snapshot.get()).isEmpty()) {
                    throw new CommandFailure("volume " + of + " has no snapshot " + snapshot.get() + "; it has "
                            + opened.snapshots().stream().map(Snapshot::name).toList());
                }
                return creation.run(opened, snapshot);
            }
        }

        private static Consumer<BackupOperation.Progress> shownBy(Console console) {
            ProgressLine line = new ProgressLine(console, "backed up");
            return progress -> line.progress(progress.doneBytes(), progress.totalBytes());
        }

        /** As the daemon wants it. */
        private Map<String, Object> fields(Optional<String> snapshot) {
            Map<String, Object> fields = new LinkedHashMap<>();
            snapshot.ifPresent(of -> fields.put("snapshot", of));
            if (name != null) {
                fields.put("name", name);
            }
            fields.put("mode", full ? "full" : "incremental");
            fields.put("compression", compression.name().toLowerCase(Locale.ROOT));
            fields.put("largeBlocks", largeBlocks);
            fields.put("workers", workers);
            fields.put("bytesPerSecond", limit);
            fields.put("labels", labels);
            return fields;
        }

        private BackupSpec backupSpec() {
            BackupSpec.Builder builder = BackupSpec.builder()
                    .mode(full ? BackupMode.FULL : BackupMode.INCREMENTAL)
                    .compression(compression)
                    .workers(workers)
                    .bytesPerSecond(limit)
                    .labels(labels);
            if (name != null) {
                builder.name(name);
            }
            if (largeBlocks) {
                builder.blockBytes(BackupSpec.BLOCK_BYTES_LARGE);
            }
            return builder.build();
        }
    }

    private static <T> T checked(@Nullable CommandSpec spec, Supplier<T> argument) {
        try {
            return argument.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(Objects.requireNonNull(spec).commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    /** {@code longhorn backup restore}. */
    @Command(
            name = "restore",
            description = {
                "Make a volume with the content of a backup, every block verified.",
                "Begun again after it ended half way, it goes on."
            })
    static final class RestoreCommand implements Callable<Integer> {
        @Spec
        private @Nullable CommandSpec spec;

        @Parameters(index = "0", paramLabel = "BACKUP", description = "TARGET?backup=NAME&volume=VOLUME")
        private String url = "";

        @Parameters(index = "1", paramLabel = "NAME", description = "Of the volume to make.")
        private String name = "";

        @Mixin
        private VolumeAccess access = new VolumeAccess();

        @Mixin
        private TargetOptions at = new TargetOptions();

        @Mixin
        private DaemonAccess daemon = new DaemonAccess();

        @Option(names = "--replicas", paramLabel = "COUNT", description = "Of the volume.")
        private int replicas = VolumeSpec.REPLICAS_DEFAULT;

        @Option(names = "--size", paramLabel = "SIZE", description = "Of the volume. Default: that of the backup.")
        private @Nullable ByteSize size;

        @Override
        public Integer call() throws InterruptedException {
            BackupUrl named = parse(spec, url);
            Console console = Console.of(spec);
            VolumeSpec wanted = checked(spec, this::volumeSpec);
            if (!access.isGiven()) {
                new DaemonBackups(daemonOf(spec, daemon), at, console).restore(named, fields());
                return Main.DONE;
            }
            try (Longhorn longhorn = access.open()) {
                Backup backup = longhorn.findBackup(at.at(named.target()), named.volume(), named.backup())
                        .orElseThrow(() ->
                                new BackupNotFoundException(named.target().toString(), named.volume(), named.backup()));
                Volume volume = longhorn.restore(backup, wanted, new ProgressLine(console, "restored"));
                console.line("volume " + name + ": " + volume.sizeBytes() + " bytes, every block verified");
            }
            return Main.DONE;
        }

        /** As the daemon wants it. */
        private Map<String, Object> fields() {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("name", name);
            fields.put("replicas", replicas);
            if (size != null) {
                fields.put("sizeBytes", size.bytes());
            }
            return fields;
        }

        private VolumeSpec volumeSpec() {
            VolumeSpec made = VolumeSpec.named(name).replicas(replicas).build();
            return size == null ? made : made.withSize(size.bytes());
        }
    }

    /** {@code longhorn backup list}. */
    @Command(name = "list", description = "List the complete backups of all volumes at a target, by volume and time.")
    static final class ListCommand implements Callable<Integer> {
        @Spec
        private @Nullable CommandSpec spec;

        @Parameters(paramLabel = "TARGET", description = "Such as file:///dir/ or s3://bucket@region/path/.")
        private String target = "";

        @Option(names = "--json", description = "Print an array of objects.")
        private boolean json;

        @Mixin
        private TargetOptions at = new TargetOptions();

        @Mixin
        private DaemonAccess daemon = new DaemonAccess();

        @Override
        public Integer call() {
            Console console = Console.of(spec);
            Optional<DaemonClient> through = daemon.find();
            if (through.isPresent()) {
                return new DaemonBackups(through.get(), at, console).list(target, json);
            }
            List<DamagedBackupException> damaged = new ArrayList<>();
            List<BackupConfig> backups;
            try (BackupStore store = at.open(uri(spec, target))) {
                backups = BackupListing.complete(store, damaged::add);
            }
            damaged.forEach(one -> console.remark("DAMAGED " + one.getMessage()));
            if (json) {
                console.line(Json.of(backups.stream().map(BackupListing::json).toList())
                        .strip());
            } else {
                backups.forEach(backup -> console.line(line(backup)));
            }
            return damaged.isEmpty() ? Main.DONE : Main.FAILED;
        }

        private static String line(BackupConfig backup) {
            return "volume " + backup.volumeName() + " backup " + backup.name() + " of " + backup.createdTime()
                    + ", snapshot " + backup.snapshotName() + ", " + backup.sizeBytes() + " bytes"
                    + (backup.labels().isEmpty() ? "" : ", labels " + backup.labels());
        }
    }

    /** {@code longhorn backup inspect}. */
    @Command(name = "inspect", description = "Describe one backup as JSON.")
    static final class InspectCommand implements Callable<Integer> {
        @Spec
        private @Nullable CommandSpec spec;

        @Parameters(paramLabel = "BACKUP", description = "TARGET?backup=NAME&volume=VOLUME")
        private String url = "";

        @Mixin
        private TargetOptions at = new TargetOptions();

        @Mixin
        private DaemonAccess daemon = new DaemonAccess();

        @Override
        public Integer call() {
            BackupUrl named = parse(spec, url);
            Optional<DaemonClient> through = daemon.find();
            if (through.isPresent()) {
                new DaemonBackups(through.get(), at, Console.of(spec)).inspect(named);
                return Main.DONE;
            }
            try (BackupStore store = at.open(named.target())) {
                BackupConfig backup = store.completeBackup(named.volume(), named.backup());
                Console.of(spec).line(Json.of(BackupListing.details(backup)).strip());
            }
            return Main.DONE;
        }
    }

    /** {@code longhorn backup verify}. */
    @Command(
            name = "verify",
            description = {
                "Read everything that backups need, and tell what is damaged and which backups it affects.",
                "Exit code 1 if anything is, and was not repaired."
            })
    static final class VerifyCommand implements Callable<Integer> {
        @Spec
        private @Nullable CommandSpec spec;

        @Parameters(paramLabel = "TARGET", description = "A target for all of it, or TARGET?backup=NAME&volume=VOLUME.")
        private String target = "";

        @Mixin
        private TargetOptions at = new TargetOptions();

        @Mixin
        private DaemonAccess daemon = new DaemonAccess();

        @ArgGroup(exclusive = false)
        private @Nullable RepairSource repairSource;

        /** Both or none. */
        private static final class RepairSource {
            @Option(
                    names = "--repair-from",
                    paramLabel = "VOLUME",
                    required = true,
                    description = "Write damaged blocks again that this volume, or one of its snapshots, still has.")
            private String volume = "";

            @Option(
                    names = "--dir",
                    paramLabel = "DIR",
                    required = true,
                    description = "The volume's directory of Longhorn.embedded, which no program uses at the moment.")
            private @Nullable Path directory;
        }

        @Override
        public Integer call() throws InterruptedException {
            Console console = Console.of(spec);
            Optional<BackupUrl> named =
                    target.contains("backup=") ? Optional.of(parse(spec, target)) : Optional.empty();
            Optional<DaemonClient> through = daemon.find();
            if (through.isPresent() && repairSource == null) {
                DaemonBackups backups = new DaemonBackups(through.get(), at, console);
                return named.isPresent() ? backups.verifyOne(named.get()) : backups.verifyAll(target);
            }
            try (BackupStore store = named.isPresent() ? at.open(named.get().target()) : at.open(uri(spec, target))) {
                BackupVerification verification = verify(store, named, new ProgressLine(console, "verified"));
                List<BackupVerification.Damage> damages = repairSource == null
                        ? verification.damages()
                        : leftBy(repairSource, store, verification.damages(), console);
                damages.forEach(damage -> console.line("DAMAGED " + damage));
                console.line(verification.backups() + " backups and " + verification.blocks() + " blocks verified, "
                        + (damages.isEmpty() ? "all right" : damages.size() + " damages")
                        + (verification.inProgress() == 0 ? "" : "; " + verification.inProgress() + " in progress"));
                return damages.isEmpty() ? Main.DONE : Main.FAILED;
            }
        }

        private static BackupVerification verify(
                BackupStore store, Optional<BackupUrl> named, ProgressListener progress) {
            BackupVerification verification = new BackupVerification(store);
            return named.map(backup -> verification.one(backup.volume(), backup.backup(), progress))
                    .orElseGet(() -> verification.all(progress));
        }

        private static List<BackupVerification.Damage> leftBy(
                RepairSource source, BackupStore store, List<BackupVerification.Damage> damages, Console console)
                throws InterruptedException {
            if (damages.isEmpty()) {
                return damages;
            }
            try (Longhorn longhorn = Longhorn.embedded(Objects.requireNonNull(source.directory));
                    Volume volume = longhorn.open(source.volume, OpenMode.READ_ONLY)) {
                BackupRepair repair = new BackupRepair(store, volume).run(damages);
                repair.repaired().forEach(block -> console.line("REPAIRED " + block));
                return repair.left();
            }
        }
    }

    /** {@code longhorn backup export}. */
    @Command(name = "export", description = "Write a backup to a raw image, sparse where it has nothing.")
    static final class ExportCommand implements Callable<Integer> {
        @Spec
        private @Nullable CommandSpec spec;

        @Parameters(index = "0", paramLabel = "BACKUP", description = "TARGET?backup=NAME&volume=VOLUME")
        private String url = "";

        @Parameters(index = "1", paramLabel = "FILE", description = "The image to make.")
        private @Nullable Path file;

        @Mixin
        private TargetOptions at = new TargetOptions();

        @Option(names = "--force", description = "Replace the file if there is one.")
        private boolean force;

        @Override
        public Integer call() {
            BackupUrl named = parse(spec, url);
            Console console = Console.of(spec);
            Path image = Objects.requireNonNull(file);
            try (BackupStore store = at.open(named.target())) {
                long bytes = new BackupExport(store, named.volume(), named.backup())
                        .to(image, force, new ProgressLine(console, "exported"));
                console.line(image + ": " + bytes + " bytes, every block verified");
            }
            return Main.DONE;
        }
    }

    /** {@code longhorn backup delete}. */
    @Command(name = "delete", description = "Delete a backup, and the blocks that no other backup of its volume needs.")
    static final class DeleteCommand implements Callable<Integer> {
        @Spec
        private @Nullable CommandSpec spec;

        @Parameters(paramLabel = "BACKUP", description = "TARGET?backup=NAME&volume=VOLUME")
        private String url = "";

        @Mixin
        private TargetOptions at = new TargetOptions();

        @Mixin
        private DaemonAccess daemon = new DaemonAccess();

        @Override
        public Integer call() throws InterruptedException {
            BackupUrl named = parse(spec, url);
            Optional<DaemonClient> through = daemon.find();
            if (through.isPresent()) {
                new DaemonBackups(through.get(), at, Console.of(spec)).delete(named);
                return Main.DONE;
            }
            try (BackupStore store = at.open(named.target())) {
                long bytes = store.delete(named.volume(), named.backup());
                Console.of(spec).line("backup " + named.backup() + " deleted, " + bytes + " bytes freed");
            }
            return Main.DONE;
        }
    }
}
