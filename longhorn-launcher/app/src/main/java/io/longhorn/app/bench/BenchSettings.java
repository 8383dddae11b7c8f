package io.longhorn.app.bench;

import io.longhorn.HostPort;
import io.longhorn.app.ConnectionOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Bench} shall measure, and where.
 *
 * @param measures what; not empty
 * @param endpoints replica servers that run already; empty to start three
 * @param registry where volumes of those servers are registered
 * @param connection how to prove who we are to them
 * @param directory an existing one for disks and files of the bench itself
 * @param runs how often everything is measured; the table shows medians
 * @param duration of each measurement
 * @param sizeBytes of the volumes under load; others follow it, so that a small bench is small in all
 */
record BenchSettings(
        Set<Measure> measures,
        List<HostPort> endpoints,
        Path registry,
        @Nullable ConnectionOptions connection,
        Path directory,
        int runs,
        Duration duration,
        long sizeBytes) {}
