package io.longhorn.app.daemon;

import io.longhorn.Backup;
import io.longhorn.BackupCompression;
import io.longhorn.BackupMode;
import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.app.BackupCreation;
import io.longhorn.app.BackupCredentials;
import io.longhorn.app.BackupKeyRing;
import io.longhorn.app.BackupListing;
import io.longhorn.backup.BackupConfig;
import io.longhorn.backup.BackupStore;
import io.longhorn.backup.BackupVerification;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The routes of backups and of long work. A target's credentials and keys come with each request, in its body, and are forgotten with it; nothing here logs them. That is why even
 * questions about a target are POSTs.
 */
final class BackupRoutes {

    private static final List<String> TARGET_FIELDS = List.of("target", "credentials", "currentKey", "keys");

    private final Longhorn longhorn;
    private final OpenVolumes open;
    private final Operations operations;
    private final EventLog events;

    BackupRoutes(Longhorn longhorn, OpenVolumes open, Operations operations, EventLog events) {
        this.longhorn = longhorn;
        this.open = open;
        this.operations = operations;
        this.events = events;
    }

    void addTo(Routes routes) {
        routes.add("POST", "/v1/backups", this::create)
                .add("POST", "/v1/backups/list", this::list)
                .add("POST", "/v1/backups/inspect", this::inspect)
                .add("POST", "/v1/backups/verify", this::verify)
                .add("POST", "/v1/backups/restore", this::restore)
                .add("POST", "/v1/backups/delete", this::delete)
                .add(
                        "GET",
                        "/v1/operations",
                        request -> Reply.ok(operations.all().stream()
                                .map(Operations.Operation::json)
                                .toList()))
                .add(
                        "GET",
                        "/v1/operations/{operation}",
                        request -> Reply.ok(find(request).json()))
                .add("POST", "/v1/operations/{operation}/cancel", this::cancel);
    }

    /** The fields of a request: those that say which target, and {@code others}. */
    private static Fields targetFields(ApiRequest request, String... others) {
        return request.fields(
                Stream.concat(TARGET_FIELDS.stream(), Stream.of(others)).toArray(String[]::new));
    }

    private static BackupTarget target(Fields fields) {
        Map<String, String> credentials = fields.texts("credentials");
        for (String name : credentials.keySet()) {
            if (!BackupCredentials.NAMES.contains(name)) {
                throw ApiException.badRequest(
                        "unknown credential \"" + name + "\"; known are " + String.join(", ", BackupCredentials.NAMES));
            }
        }
        BackupTarget target = BackupTarget.at(URI.create(fields.text("target")), credentials);
        Map<String, String> keys = fields.texts("keys");
        Optional<String> currentKey = fields.optionalText("currentKey");
        if (keys.isEmpty() != currentKey.isEmpty()) {
            throw ApiException.badRequest("\"keys\" and \"currentKey\" go together");
        }
        return currentKey
                .map(current -> target.encryptedWith(BackupKeyRing.of(current, keys)))
                .orElse(target);
    }

    private Reply list(ApiRequest request) {
        BackupTarget target = target(targetFields(request));
        List<String> damaged = new ArrayList<>();
        try (BackupStore store = BackupStore.open(target)) {
            List<BackupConfig> backups =
                    BackupListing.complete(store, damage -> damaged.add(String.valueOf(damage.getMessage())));
            return Reply.ok(
                    Map.of("backups", backups.stream().map(BackupListing::json).toList(), "damaged", damaged));
        }
    }

    private Reply inspect(ApiRequest request) {
        Fields fields = targetFields(request, "volume", "backup");
        try (BackupStore store = BackupStore.open(target(fields))) {
            return Reply.ok(BackupListing.details(store.completeBackup(fields.text("volume"), fields.text("backup"))));
        }
    }

    private Reply create(ApiRequest request) {
        Fields fields = targetFields(
                request,
                "volume",
                "snapshot",
                "name",
                "mode",
                "compression",
                "largeBlocks",
                "workers",
                "bytesPerSecond",
                "labels");
        String name = fields.text("volume");
        Optional<String> snapshot = fields.optionalText("snapshot");
        BackupTarget target = target(fields);
        BackupSpec spec = spec(fields);
        longhorn.describe(name);
        return Reply.begun(operations.begin("backup", name, operation -> {
            BackupCreation creation = new BackupCreation(
                    target, spec, progress -> operation.progress(progress.doneBytes(), progress.totalBytes()));
            try (OpenVolumes.Lease lease = open.open(name, false)) {
                return BackupListing.json(creation.run(lease.volume(), snapshot));
            }
        }));
    }

    private static BackupSpec spec(Fields fields) {
        BackupSpec.Builder spec = BackupSpec.builder().labels(fields.texts("labels"));
        fields.optionalText("name").ifPresent(spec::name);
        fields.word("mode", BackupMode.values()).ifPresent(spec::mode);
        fields.word("compression", BackupCompression.values()).ifPresent(spec::compression);
        fields.optionalInt("workers").ifPresent(spec::workers);
        fields.optionalInteger("bytesPerSecond").ifPresent(spec::bytesPerSecond);
        if (fields.truth("largeBlocks")) {
            spec.blockBytes(BackupSpec.BLOCK_BYTES_LARGE);
        }
        return spec.build();
    }

    private Reply restore(ApiRequest request) {
        Fields fields = targetFields(request, "volume", "backup", "name", "sizeBytes", "replicas", "labels");
        BackupTarget target = target(fields);
        String volume = fields.text("volume");
        String backup = fields.text("backup");
        VolumeSpec.Builder builder = VolumeSpec.named(fields.text("name")).labels(fields.texts("labels"));
        fields.optionalInt("replicas").ifPresent(builder::replicas);
        fields.optionalInteger("sizeBytes").ifPresent(builder::sizeBytes);
        VolumeSpec spec = builder.build();
        return Reply.begun(operations.begin("restore", spec.name(), operation -> {
            Backup found = longhorn.findBackup(target, volume, backup)
                    .orElseThrow(() -> new BackupNotFoundException(target.uri().toString(), volume, backup));
            try (Volume restored = longhorn.restore(found, spec, operation::progress)) {
                events.tell("VolumeCreated", restored.name(), Map.of());
                return Map.of("volume", restored.name(), "sizeBytes", restored.sizeBytes());
            }
        }));
    }

    private Reply verify(ApiRequest request) {
        Fields fields = targetFields(request, "volume", "backup");
        BackupTarget target = target(fields);
        Optional<String> volume = fields.optionalText("volume");
        Optional<String> backup = fields.optionalText("backup");
        if (volume.isPresent() != backup.isPresent()) {
            throw ApiException.badRequest("\"volume\" and \"backup\" go together, or neither for all backups");
        }
        return Reply.begun(operations.begin("verify", volume.orElse(""), operation -> {
            try (BackupStore store = BackupStore.open(target)) {
                BackupVerification verification = new BackupVerification(store);
                if (volume.isPresent()) {
                    verification.one(volume.get(), backup.orElseThrow(), operation::progress);
                } else {
                    verification.all(operation::progress);
                }
                return Map.of(
                        "backups", verification.backups(),
                        "blocks", verification.blocks(),
                        "inProgress", verification.inProgress(),
                        "damages",
                                verification.damages().stream()
                                        .map(String::valueOf)
                                        .toList());
            }
        }));
    }

    private Reply delete(ApiRequest request) {
        Fields fields = targetFields(request, "volume", "backup");
        BackupTarget target = target(fields);
        String volume = fields.text("volume");
        String backup = fields.text("backup");
        return Reply.begun(operations.begin("delete-backup", volume, operation -> {
            try (BackupStore store = BackupStore.open(target)) {
                return Map.of("freedBytes", store.delete(volume, backup));
            }
        }));
    }

    private Operations.Operation find(ApiRequest request) {
        String id = request.parameter("operation");
        return operations
                .find(id)
                .orElseThrow(() -> new ApiException(404, "OPERATION_NOT_FOUND", "there is no operation " + id));
    }

    private Reply cancel(ApiRequest request) {
        request.fields();
        Operations.Operation operation = find(request);
        operations.cancel(operation);
        return Reply.ok(operation.json());
    }
}
