package io.longhorn.app.daemon;

import io.longhorn.Durability;
import io.longhorn.Longhorn;
import io.longhorn.ReplicaStatus;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.SnapshotSpec;
import io.longhorn.TimeLimitException;
import io.longhorn.Volume;
import io.longhorn.VolumeDescription;
import io.longhorn.VolumeLimits;
import io.longhorn.VolumeNotFoundException;
import io.longhorn.VolumeSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The routes of volumes, and of what belongs to one. */
final class VolumeRoutes {

    private static final Logger LOG = LoggerFactory.getLogger(VolumeRoutes.class);

    private static final String[] LIMITS = {"operationsPerSecond", "operationsBurst", "bytesPerSecond", "bytesBurst"};

    private static final DateTimeFormatter SNAPSHOT_NAME = DateTimeFormatter.ofPattern(
                    "'snapshot-'yyyyMMdd-HHmmss-SSS", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    /** Some tens of terabytes; a replica that cannot be reached at all shall not keep a volume open for ever. */
    private static final Duration REBUILD_LIMIT = Duration.ofHours(24);

    private static final Duration REBUILD_LOOK = Duration.ofMillis(500);

    private final Longhorn longhorn;
    private final OpenVolumes open;
    private final Attachments attachments;
    private final Operations operations;
    private final EventLog events;

    VolumeRoutes(Longhorn longhorn, OpenVolumes open, Attachments attachments, Operations operations, EventLog events) {
        this.longhorn = longhorn;
        this.open = open;
        this.attachments = attachments;
        this.operations = operations;
        this.events = events;
    }

    void addTo(Routes routes) {
        routes.add("GET", "/v1/volumes", request -> Reply.ok(list()))
                .add("POST", "/v1/volumes", this::create)
                .add("GET", "/v1/volumes/{volume}", request -> Reply.ok(describe(request.parameter("volume"))))
                .add("DELETE", "/v1/volumes/{volume}", this::delete)
                .add("POST", "/v1/volumes/{volume}/attach", this::attach)
                .add("POST", "/v1/volumes/{volume}/detach", this::detach)
                .add("POST", "/v1/volumes/{volume}/expand", this::expand)
                .add("GET", "/v1/volumes/{volume}/limits", this::limits)
                .add("PUT", "/v1/volumes/{volume}/limits", this::changeLimits)
                .add("GET", "/v1/volumes/{volume}/snapshots", this::snapshots)
                .add("POST", "/v1/volumes/{volume}/snapshots", this::takeSnapshot)
                .add("GET", "/v1/volumes/{volume}/snapshots/{snapshot}", this::snapshot)
                .add("DELETE", "/v1/volumes/{volume}/snapshots/{snapshot}", this::deleteSnapshot)
                .add("POST", "/v1/volumes/{volume}/revert", this::revert)
                .add("GET", "/v1/volumes/{volume}/replicas", this::replicas)
                .add("POST", "/v1/volumes/{volume}/replicas", this::addReplica)
                .add("DELETE", "/v1/volumes/{volume}/replicas/{replica}", this::removeReplica)
                .add("GET", "/v1/volumes/{volume}/events", this::volumeEvents)
                .add("GET", "/v1/events", request -> events(request, ""))
                .add("GET", "/v1/frontends", request -> Reply.ok(frontends()));
    }

    private List<Map<String, Object>> list() {
        List<Map<String, Object>> found = new ArrayList<>();
        for (String name : longhorn.volumes()) {
            try {
                found.add(describe(name));
            } catch (VolumeNotFoundException e) {
                LOG.debug("deleted since its name was listed: volume={}", name, e);
            }
        }
        return found;
    }

    private Map<String, Object> describe(String name) {
        VolumeDescription known = longhorn.describe(name);
        List<Attachments.State> attached = attachments.of(name);
        int clients = attachments
                .find(name, Optional.empty())
                .map(attachments::clients)
                .orElse(0);
        return VolumeJson.of(known, open.find(name), attached, clients);
    }

    private Reply create(ApiRequest request) {
        Fields fields = request.fields(
                "name", "sizeBytes", "replicas", "minInSync", "durability", "allowDegraded", "labels", "limits");
        VolumeSpec.Builder spec = VolumeSpec.named(fields.text("name")).sizeBytes(fields.integer("sizeBytes"));
        fields.optionalInt("replicas").ifPresent(spec::replicas);
        fields.optionalInt("minInSync").ifPresent(spec::minInSync);
        fields.word("durability", Durability.values()).ifPresent(spec::durability);
        spec.allowDegraded(fields.truth("allowDegraded"));
        spec.labels(fields.texts("labels"));
        fields.object("limits", LIMITS).ifPresent(given -> spec.limits(limits(VolumeLimits.NONE, given)));
        VolumeSpec wanted = spec.build();
        open.make(wanted.name(), () -> longhorn.create(wanted)).close();
        events.tell("VolumeCreated", wanted.name(), Map.of());
        return Reply.made("/v1/volumes/" + wanted.name(), describe(wanted.name()));
    }

    private Reply delete(ApiRequest request) {
        String name = request.parameter("volume");
        attachments.whileDetached(name, () -> open.whileClosed(name, () -> longhorn.delete(name)));
        events.tell("VolumeDeleted", name, Map.of());
        return Reply.nothing();
    }

    private Reply attach(ApiRequest request) {
        String name = request.parameter("volume");
        Fields fields = request.fields("frontend", "listen", "snapshot", "takeOver");
        FrontendKind kind = fields.word("frontend", FrontendKind.values())
                .orElseThrow(() -> ApiException.badRequest("field \"frontend\" is missing"));
        // Says that there is no such volume before anything else.
        VolumeDescription known = longhorn.describe(name);
        attachments.attach(
                new Attachment(
                        known.name(),
                        fields.optionalText("snapshot"),
                        kind,
                        fields.optionalText("listen").orElse(""),
                        ""),
                fields.truth("takeOver"));
        return Reply.ok(describe(name));
    }

    private Reply detach(ApiRequest request) {
        String name = request.parameter("volume");
        Optional<String> snapshot = request.fields("snapshot").optionalText("snapshot");
        if (!attachments.detach(name, snapshot)) {
            // Nothing to do; but a name that is wrong altogether is said so.
            longhorn.describe(name);
        }
        return Reply.ok(describe(name));
    }

    private Reply expand(ApiRequest request) {
        String name = request.parameter("volume");
        long sizeBytes = request.fields("sizeBytes").integer("sizeBytes");
        return with(name, volume -> {
            volume.expandTo(sizeBytes);
            return describe(name);
        });
    }

    private Reply limits(ApiRequest request) {
        String name = request.parameter("volume");
        return Reply.ok(VolumeJson.of(open.find(name)
                .map(Volume::limits)
                .orElseGet(() -> longhorn.describe(name).limits())));
    }

    private Reply changeLimits(ApiRequest request) {
        Fields fields = request.fields(LIMITS);
        return with(request.parameter("volume"), volume -> {
            volume.limits(limits(volume.limits(), fields));
            return VolumeJson.of(volume.limits());
        });
    }

    /** What is left out stays; a burst that is left out is a second's worth of a rate that is given. */
    private static VolumeLimits limits(VolumeLimits present, Fields changed) {
        VolumeLimits limits = present;
        OptionalLong operations = changed.optionalInteger("operationsPerSecond");
        OptionalLong operationsBurst = changed.optionalInteger("operationsBurst");
        OptionalLong bytes = changed.optionalInteger("bytesPerSecond");
        OptionalLong bytesBurst = changed.optionalInteger("bytesBurst");
        if (operations.isPresent() || operationsBurst.isPresent()) {
            long rate = operations.orElse(limits.operationsPerSecond());
            limits = limits.withOperationsPerSecond(rate, operationsBurst.orElse(rate));
        }
        if (bytes.isPresent() || bytesBurst.isPresent()) {
            long rate = bytes.orElse(limits.bytesPerSecond());
            limits = limits.withBytesPerSecond(rate, bytesBurst.orElse(rate));
        }
        return limits;
    }

    private Reply snapshots(ApiRequest request) {
        return with(
                request.parameter("volume"),
                volume -> volume.snapshots().stream().map(VolumeJson::of).toList());
    }

    private Reply takeSnapshot(ApiRequest request) {
        String name = request.parameter("volume");
        Fields fields = request.fields("name", "labels");
        SnapshotSpec spec = SnapshotSpec.named(
                        fields.optionalText("name").orElseGet(() -> SNAPSHOT_NAME.format(Instant.now())))
                .labels(fields.texts("labels"))
                .build();
        Map<String, Object> taken = open.with(name, volume -> VolumeJson.of(volume.snapshot(spec)));
        return Reply.made("/v1/volumes/" + name + "/snapshots/" + spec.name(), taken);
    }

    private Reply snapshot(ApiRequest request) {
        return with(request.parameter("volume"), volume -> VolumeJson.of(find(volume, request.parameter("snapshot"))));
    }

    private Reply deleteSnapshot(ApiRequest request) {
        String snapshot = request.parameter("snapshot");
        open.with(request.parameter("volume"), volume -> {
            find(volume, snapshot).delete();
            return snapshot;
        });
        return Reply.nothing();
    }

    private Reply revert(ApiRequest request) {
        String name = request.parameter("volume");
        Fields fields = request.fields("snapshot", "force");
        String snapshot = fields.text("snapshot");
        if (!fields.truth("force")) {
            attachments.requireUnused(name);
        }
        return with(name, volume -> {
            volume.revertTo(find(volume, snapshot));
            return describe(name);
        });
    }

    private static Snapshot find(Volume volume, String snapshot) {
        return volume.findSnapshot(snapshot).orElseThrow(() -> new SnapshotNotFoundException(volume.name(), snapshot));
    }

    private Reply replicas(ApiRequest request) {
        return with(
                request.parameter("volume"),
                volume -> volume.replicas().list().stream().map(VolumeJson::of).toList());
    }

    private Reply addReplica(ApiRequest request) {
        String name = request.parameter("volume");
        Optional<String> server = request.fields("server").optionalText("server");
        ReplicaStatus replica =
                open.with(name, volume -> server.map(volume.replicas()::add).orElseGet(volume.replicas()::add));
        if (attachments.find(name, Optional.empty()).isEmpty()) {
            Operations.Operation unused = operations.begin("rebuild", name, operation -> rebuild(name, operation));
        }
        Map<String, Object> added = VolumeJson.of(replica);
        return Reply.made("/v1/volumes/" + name + "/replicas/" + added.get("id"), added);
    }

    /** Keeps a volume open that nobody else does, until its replicas are in sync. */
    private Map<String, Object> rebuild(String name, Operations.Operation operation) throws InterruptedException {
        try (OpenVolumes.Lease lease = open.open(name, false)) {
            Volume volume = lease.volume();
            long deadline = System.nanoTime() + REBUILD_LIMIT.toNanos();
            while (!volume.awaitHealthy(REBUILD_LOOK)) {
                List<ReplicaStatus> replicas = volume.replicas().list();
                operation.progress(
                        replicas.stream().mapToLong(ReplicaStatus::rebuiltBytes).sum(),
                        replicas.stream()
                                .mapToLong(ReplicaStatus::rebuildTotalBytes)
                                .sum());
                if (System.nanoTime() - deadline > 0) {
                    throw new TimeLimitException("volume " + name, "rebuild", REBUILD_LIMIT);
                }
            }
            return Map.of("volume", name);
        }
    }

    private Reply removeReplica(ApiRequest request) {
        UUID id = id(request.parameter("replica"));
        open.with(request.parameter("volume"), volume -> {
            volume.replicas().remove(id);
            return id;
        });
        return Reply.nothing();
    }

    private static UUID id(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw ApiException.badRequest("the id of a replica is a UUID, not \"" + text + "\"");
        }
    }

    private Reply volumeEvents(ApiRequest request) {
        String name = request.parameter("volume");
        longhorn.describe(name);
        return events(request, name);
    }

    private Reply events(ApiRequest request, String volume) {
        return new Reply.Events(volume, request.lastEvent().orElseGet(events::last));
    }

    private List<Map<String, Object>> frontends() {
        List<Attachments.State> attached = attachments.all();
        return attachments.frontends().stream()
                .map(frontend -> FrontendJson.of(frontend, attached))
                .toList();
    }

    /** Does it with the volume open, and answers what comes of it. */
    private Reply with(String name, Function<Volume, Object> use) {
        return Reply.ok(open.with(name, use));
    }
}
