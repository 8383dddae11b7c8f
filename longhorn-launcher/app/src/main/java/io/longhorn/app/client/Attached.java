package io.longhorn.app.client;

import java.util.Map;
import java.util.Optional;

/** A volume or a snapshot of it, as it is named to be attached: {@code VOLUME} or {@code VOLUME@SNAPSHOT}. */
record Attached(String volume, Optional<String> snapshot) {

    static Attached parse(String text) {
        int at = text.indexOf('@');
        return at < 0
                ? new Attached(text, Optional.empty())
                : new Attached(text.substring(0, at), Optional.of(text.substring(at + 1)));
    }

    void addTo(Map<String, Object> body) {
        snapshot.ifPresent(name -> body.put("snapshot", name));
    }

    /** Where it is shown, by the daemon's description of the volume; empty if nowhere. */
    String endpoint(Map<String, Object> described) {
        if (snapshot.isEmpty()) {
            return Client.text(described, "endpoint");
        }
        return Client.objects(described, "attachedSnapshots").stream()
                .filter(one -> snapshot.get().equals(one.get("snapshot")))
                .map(one -> Client.text(one, "endpoint"))
                .findFirst()
                .orElse("");
    }
}
