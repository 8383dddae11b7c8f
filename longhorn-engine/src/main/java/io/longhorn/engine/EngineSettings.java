package io.longhorn.engine;

import io.longhorn.DataPathSettings;
import io.longhorn.RebuildSettings;
import io.longhorn.TimeLimits;

/**
 * What an engine goes by, in the units of its loop.
 *
 * @param silenceNanos a replica leaves the view when, for this long, it said nothing it owed while a peer did; also the lag behind its peers
 *     that a slow one may have
 * @param syncLagNanos the same for syncs, which take longer
 * @param leaseNanos how long after a message acknowledged by the whole view reads may be answered
 * @param openingNanos how long an opening may take
 * @param operationNanos how long operations wait when no replica answers, before they fail
 * @param reconnectNanos scale of the pauses before an absent replica is tried again, see {@link io.longhorn.TimeLimits#reconnect}
 * @param registryCheckNanos how often an engine with traffic re-reads its record
 * @param queueDepthMax operations sequenced and not confirmed
 * @param pendingMax requests that wait for a place among these
 * @param rebuildBytesPerSecond limit of rebuild traffic, 0 for none
 */
record EngineSettings(
        long silenceNanos,
        long syncLagNanos,
        long leaseNanos,
        long openingNanos,
        long operationNanos,
        long reconnectNanos,
        long registryCheckNanos,
        int queueDepthMax,
        int pendingMax,
        long inFlightBytesMax,
        long readCacheBytes,
        long rebuildBytesPerSecond,
        String token) {

    /** Clocks of two hosts may differ in speed by this share of a lease: 1/16, far beyond any real one. */
    static final int DRIFT_SHARE = 16;

    /** How often silence is judged while something is owed. */
    long tickNanos() {
        return Math.max(silenceNanos / 16, 1_000_000);
    }

    static EngineSettings of(TimeLimits limits, DataPathSettings dataPath, RebuildSettings rebuild, String token) {
        return new EngineSettings(
                limits.silenceRemoval().toNanos(),
                limits.silenceRemoval().toNanos() * 12,
                limits.lease().toNanos(),
                limits.opening().toNanos(),
                limits.operation().toNanos(),
                limits.reconnect().toNanos(),
                limits.registryCheck().toNanos(),
                dataPath.queueDepthMax(),
                16 * dataPath.queueDepthMax(),
                dataPath.inFlightBytesMax(),
                dataPath.readCacheBytes(),
                rebuild.bytesPerSecondMax(),
                token);
    }
}
