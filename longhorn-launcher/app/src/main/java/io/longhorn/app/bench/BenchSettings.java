package io.longhorn.app.bench;

import io.longhorn.HostPort;
import io.longhorn.app.ConnectionOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Bench} shall measure, and where.
 *
 * @param endpoints replica servers that run already; empty to start three
 * @param registry where volumes of those servers are registered
 * @param connection how to prove who we are to them
 * @param directory an existing one for disks and files of the bench itself
 * @param runs how often everything is measured; the table shows medians
 * @param duration of each measurement
 * @param sizeBytes of each volume, all of which is in use
 */
record BenchSettings(
        List<HostPort> endpoints,
        Path registry,
        @Nullable ConnectionOptions connection,
        Path directory,
        int runs,
        Duration duration,
        long sizeBytes) {}
