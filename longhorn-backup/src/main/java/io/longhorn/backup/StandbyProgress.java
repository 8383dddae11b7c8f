package io.longhorn.backup;

import io.longhorn.StandbyVolume;
import java.time.Instant;
import java.util.Optional;

/** What a standby volume says of itself. Safe for any thread. */
final class StandbyProgress {
    private Optional<String> applied = Optional.empty();
    private Optional<String> applying = Optional.empty();
    private long doneBytes;
    private long totalBytes;
    private Optional<Instant> lookedAt = Optional.empty();
    private Optional<String> failure = Optional.empty();

    synchronized void source(VolumeSource source) {
        applied = source.applied();
        applying = source.next();
        if (applying.isEmpty()) {
            doneBytes = 0;
            totalBytes = 0;
        }
    }

    synchronized void begin(long bytes) {
        doneBytes = 0;
        totalBytes = bytes;
    }

    synchronized void done(long bytes) {
        doneBytes += bytes;
    }

    synchronized void looked(Instant at) {
        lookedAt = Optional.of(at);
        failure = Optional.empty();
    }

    synchronized void failed(String reason) {
        failure = Optional.of(reason);
    }

    synchronized StandbyVolume.Status now() {
        return new StandbyVolume.Status(applied, applying, doneBytes, totalBytes, lookedAt, failure);
    }
}
