package io.longhorn.app.daemon;

import io.longhorn.ReplicaStatus;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeDescription;
import io.longhorn.VolumeHealth;
import io.longhorn.VolumeLimits;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Volumes, snapshots and replicas as the API describes them; the fields are part of the interface. */
final class VolumeJson {

    private VolumeJson() {}

    /**
     * A volume.
     *
     * @param open empty if this daemon does not have it open
     * @param attached its attachments, those of its snapshots among them
     * @param clients of the volume itself
     */
    static Map<String, Object> of(
            VolumeDescription known, Optional<Volume> open, List<Attachments.State> attached, int clients) {
        Map<String, Object> json = new LinkedHashMap<>();
        Optional<Attachments.State> own = attached.stream()
                .filter(state -> state.attachment().snapshot().isEmpty())
                .findFirst();
        Optional<VolumeHealth> health = open.map(Volume::health);
        json.put("name", known.name());
        json.put("id", known.id().toString());
        json.put("sizeBytes", open.map(Volume::sizeBytes).orElse(known.sizeBytes()));
        json.put("state", state(known, own));
        json.put("health", health.map(found -> Words.of(found.state())).orElse("unknown"));
        json.put("replicas", health.map(VolumeHealth::replicasWanted).orElse(known.replicasWanted()));
        health.ifPresent(found -> json.put("replicasInSync", found.replicasInSync()));
        json.put("minInSync", known.minInSync());
        json.put("durability", Words.of(known.durability()));
        json.put("labels", known.labels());
        json.put("limits", of(open.map(Volume::limits).orElse(known.limits())));
        json.put("createdAt", known.createdAt().toString());
        own.ifPresent(state -> {
            json.putAll(attachment(state));
            json.put("clients", clients);
        });
        List<Map<String, Object>> snapshots = attached.stream()
                .filter(state -> state.attachment().snapshot().isPresent())
                .map(VolumeJson::attachment)
                .toList();
        if (!snapshots.isEmpty()) {
            json.put("attachedSnapshots", snapshots);
        }
        known.source().ifPresent(source -> json.put("filledFrom", source));
        return json;
    }

    /** What a volume is to this daemon; how well it does is its health. */
    private static String state(VolumeDescription known, Optional<Attachments.State> own) {
        if (own.isPresent()) {
            return own.get().isShown() ? "attached" : "attaching";
        }
        return known.source().isPresent() ? "restoring" : "detached";
    }

    static Map<String, Object> attachment(Attachments.State state) {
        Map<String, Object> json = new LinkedHashMap<>();
        Attachment attachment = state.attachment();
        attachment.snapshot().ifPresent(snapshot -> json.put("snapshot", snapshot));
        json.put("frontend", attachment.kind().word());
        if (!attachment.listen().isEmpty()) {
            json.put("listen", attachment.listen());
        }
        json.put("endpoint", state.endpoint().isEmpty() ? null : state.endpoint());
        state.problem().ifPresent(problem -> json.put("problem", problem));
        return json;
    }

    static Map<String, Object> of(VolumeLimits limits) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("operationsPerSecond", limits.operationsPerSecond());
        json.put("operationsBurst", limits.operationsBurst());
        json.put("bytesPerSecond", limits.bytesPerSecond());
        json.put("bytesBurst", limits.bytesBurst());
        return json;
    }

    static Map<String, Object> of(Snapshot snapshot) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", snapshot.name());
        json.put("volume", snapshot.volume().name());
        json.put("createdAt", snapshot.createdAt().toString());
        json.put("sizeBytes", snapshot.sizeBytes());
        json.put("actualBytes", snapshot.actualBytes());
        json.put("parent", snapshot.parent().map(Snapshot::name).orElse(null));
        json.put("userMade", snapshot.userMade());
        json.put("labels", snapshot.labels());
        return json;
    }

    static Map<String, Object> of(ReplicaStatus replica) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", replica.id().toString());
        json.put("location", replica.location());
        json.put("state", Words.of(replica.state()));
        json.put("rebuiltBytes", replica.rebuiltBytes());
        json.put("rebuildTotalBytes", replica.rebuildTotalBytes());
        return json;
    }
}
