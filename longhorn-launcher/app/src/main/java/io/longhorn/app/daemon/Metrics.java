package io.longhorn.app.daemon;

import io.longhorn.HealthState;
import io.longhorn.Longhorn;
import io.longhorn.LonghornException;
import io.longhorn.ReplicaState;
import io.longhorn.SpaceUsage;
import io.longhorn.Volume;
import io.longhorn.VolumeHealth;
import io.longhorn.VolumeStatistics;
import io.longhorn.app.VersionCommand;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What {@code /metrics} tells. Health and counters come from memory at each call. The space that volumes take is asked of their replicas, so it may be as old as
 * {@link #SPACE_SECONDS}. Any thread.
 */
final class Metrics {
    private static final Logger LOG = LoggerFactory.getLogger(Metrics.class);

    /** Between two questions to the replicas of a volume: about the interval at which metrics are usually fetched. */
    private static final long SPACE_SECONDS = 30;

    private static final double NANOS_PER_SECOND = 1e9;

    private final Longhorn longhorn;
    private final OpenVolumes open;
    private final Attachments attachments;
    private final Operations operations;
    private final Map<String, Space> spaces = new ConcurrentHashMap<>();

    private record Space(long atNanos, SpaceUsage usage, int snapshots) {}

    private record Counter(String name, String help, ToLongFunction<VolumeStatistics> value) {}

    private static final List<Counter> COUNTERS = List.of(
            new Counter("reads", "Completed reads.", VolumeStatistics::reads),
            new Counter("read_bytes", "Bytes that reads returned.", VolumeStatistics::readBytes),
            new Counter("writes", "Completed writes.", VolumeStatistics::writes),
            new Counter("written_bytes", "Bytes that writes wrote.", VolumeStatistics::writtenBytes),
            new Counter("flushes", "Completed flushes.", VolumeStatistics::flushes),
            new Counter("discards", "Completed discards and writes of zeroes.", VolumeStatistics::discards),
            new Counter("discarded_bytes", "Bytes discarded or written as zeroes.", VolumeStatistics::discardedBytes),
            new Counter("cache_hit_blocks", "Blocks that reads found in the cache.", VolumeStatistics::cacheHitBlocks),
            new Counter(
                    "cache_miss_blocks",
                    "Blocks that reads fetched from a replica.",
                    VolumeStatistics::cacheMissBlocks),
            new Counter(
                    "checksum_mismatches",
                    "Blocks that a replica returned with a wrong checksum.",
                    VolumeStatistics::checksumMismatches),
            new Counter("repaired_blocks", "Blocks rewritten from a good copy.", VolumeStatistics::repairedBlocks),
            new Counter("replicas_lost", "How often a replica left the view.", VolumeStatistics::replicasLost),
            new Counter("rebuilds", "Rebuilds that ended in sync.", VolumeStatistics::rebuilds),
            new Counter("rebuilt_bytes", "Bytes that rebuilds transferred.", VolumeStatistics::rebuiltBytes));

    private static final List<Counter> DURATIONS = List.of(
            new Counter("read_seconds", "Sum of the durations of reads.", VolumeStatistics::readNanos),
            new Counter("write_seconds", "Sum of the durations of writes.", VolumeStatistics::writeNanos),
            new Counter("flush_seconds", "Sum of the durations of flushes.", VolumeStatistics::flushNanos),
            new Counter(
                    "throttled_seconds",
                    "Time that operations waited for the volume's limits.",
                    VolumeStatistics::throttledNanos));

    Metrics(Longhorn longhorn, OpenVolumes open, Attachments attachments, Operations operations) {
        this.longhorn = longhorn;
        this.open = open;
        this.attachments = attachments;
        this.operations = operations;
    }

    String text() {
        MetricsText text = new MetricsText();
        List<String> names = longhorn.volumes();
        List<Volume> volumes = new ArrayList<>();
        names.forEach(name -> open.find(name).ifPresent(volumes::add));
        text.gauge("longhorn_volumes", "Volumes of the registry, open or not.").sample(names.size());
        health(text, volumes);
        statistics(text, volumes);
        space(text, volumes);
        attached(text);
        operations(text);
        process(text);
        return text.toString();
    }

    private static void health(MetricsText text, List<Volume> volumes) {
        Map<String, VolumeHealth> healths = new TreeMap<>();
        volumes.forEach(volume -> healths.put(volume.name(), volume.health()));
        text.gauge("longhorn_volume_size_bytes", "Size of an open volume.");
        volumes.forEach(volume -> text.sample(volume.sizeBytes(), "volume", volume.name()));
        text.gauge("longhorn_volume_health", "1 for the health that an open volume has, 0 for the others.");
        healths.forEach((name, health) -> {
            for (HealthState state : HealthState.values()) {
                text.sample(health.state() == state ? 1 : 0, "volume", name, "health", Words.of(state));
            }
        });
        text.gauge("longhorn_volume_replicas_wanted", "Replicas that should be in sync.");
        healths.forEach((name, health) -> text.sample(health.replicasWanted(), "volume", name));
        text.gauge("longhorn_volume_replicas", "Replicas by their state.");
        healths.forEach((name, health) -> {
            for (ReplicaState state : ReplicaState.values()) {
                long count = health.replicas().stream()
                        .filter(replica -> replica.state() == state)
                        .count();
                text.sample(count, "volume", name, "state", Words.of(state));
            }
        });
    }

    private static void statistics(MetricsText text, List<Volume> volumes) {
        Map<String, VolumeStatistics> all = new TreeMap<>();
        volumes.forEach(volume -> all.put(volume.name(), volume.statistics()));
        for (Counter counter : COUNTERS) {
            text.counter("longhorn_volume_" + counter.name() + "_total", counter.help());
            all.forEach((name, one) -> text.sample(counter.value().applyAsLong(one), "volume", name));
        }
        for (Counter counter : DURATIONS) {
            text.counter("longhorn_volume_" + counter.name() + "_total", counter.help());
            all.forEach(
                    (name, one) -> text.sample(counter.value().applyAsLong(one) / NANOS_PER_SECOND, "volume", name));
        }
    }

    private void space(MetricsText text, List<Volume> volumes) {
        Map<String, Space> found = new TreeMap<>();
        for (Volume volume : volumes) {
            Space space = spaceOf(volume);
            if (space != null) {
                found.put(volume.name(), space);
            }
        }
        spaces.keySet().retainAll(volumes.stream().map(Volume::name).toList());
        text.gauge("longhorn_volume_snapshots", "Snapshots of an open volume.");
        found.forEach((name, space) -> text.sample(space.snapshots(), "volume", name));
        text.gauge("longhorn_volume_space_bytes", "Data of head and snapshots on each replica.");
        found.forEach((name, space) -> text.sample(space.usage().actualBytes(), "volume", name));
        text.gauge("longhorn_volume_head_space_bytes", "The part of it written since the newest snapshot.");
        found.forEach((name, space) -> text.sample(space.usage().headBytes(), "volume", name));
    }

    private @Nullable Space spaceOf(Volume volume) {
        Space known = spaces.get(volume.name());
        long now = System.nanoTime();
        if (known != null && now - known.atNanos() < SPACE_SECONDS * (long) NANOS_PER_SECOND) {
            return known;
        }
        if (volume.health().state() == HealthState.FAULTED) {
            return known;
        }
        try {
            Space fresh = new Space(now, volume.spaceUsage(), volume.snapshots().size());
            spaces.put(volume.name(), fresh);
            return fresh;
        } catch (LonghornException e) {
            LOG.debug("the space of a volume is not known: volume={} cause={}", volume.name(), e.toString());
            return known;
        }
    }

    private void attached(MetricsText text) {
        text.gauge("longhorn_attached", "1 for what is attached and shown, 0 while that fails and is tried again.");
        List<Attachments.State> all = attachments.all();
        all.forEach(state -> text.sample(
                state.isShown() ? 1 : 0,
                "attached",
                state.attachment().key(),
                "frontend",
                state.attachment().kind().word()));
        text.gauge("longhorn_frontend_clients", "Clients that use what is attached.");
        all.forEach(state -> text.sample(
                attachments.clients(state),
                "attached",
                state.attachment().key(),
                "frontend",
                state.attachment().kind().word()));
    }

    private void operations(MetricsText text) {
        text.gauge("longhorn_operations", "Long operations, by their state.");
        List<Operations.Operation> all = operations.all();
        for (Operations.State state : Operations.State.values()) {
            long count = all.stream().filter(one -> one.state() == state).count();
            text.sample(count, "state", Words.of(state));
        }
    }

    private static void process(MetricsText text) {
        text.gauge("longhorn_build_info", "1, with the version.").sample(1, "version", VersionCommand.Version.line());
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        text.gauge("jvm_memory_used_bytes", "Memory in use.");
        sample(text, "heap", memory.getHeapMemoryUsage());
        sample(text, "nonheap", memory.getNonHeapMemoryUsage());
        text.gauge("jvm_buffer_pool_used_bytes", "Memory of buffers outside the heap.");
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            text.sample(pool.getMemoryUsed(), "pool", pool.getName());
        }
        text.gauge("jvm_threads", "Threads of the process.")
                .sample(ManagementFactory.getThreadMXBean().getThreadCount());
        text.counter("jvm_gc_collections_total", "Garbage collections.");
        List<GarbageCollectorMXBean> collectors = ManagementFactory.getGarbageCollectorMXBeans();
        collectors.forEach(one -> text.sample(one.getCollectionCount(), "gc", one.getName()));
        text.counter("jvm_gc_collection_seconds_total", "Time spent in garbage collections.");
        collectors.forEach(one -> text.sample(one.getCollectionTime() / 1000.0, "gc", one.getName()));
        text.gauge("process_start_time_seconds", "When the process began, since 1970.")
                .sample(ManagementFactory.getRuntimeMXBean().getStartTime() / 1000.0);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.UnixOperatingSystemMXBean unix) {
            text.counter("process_cpu_seconds_total", "Time of all cores that the process took.")
                    .sample(unix.getProcessCpuTime() / NANOS_PER_SECOND);
            text.gauge("process_open_fds", "Open file descriptors.").sample(unix.getOpenFileDescriptorCount());
        }
        long resident = residentBytes();
        if (resident > 0) {
            text.gauge("process_resident_memory_bytes", "Memory of the process in RAM.")
                    .sample(resident);
        }
    }

    private static void sample(MetricsText text, String area, MemoryUsage usage) {
        text.sample(usage.getUsed(), "area", area);
    }

    /** From proc(5); 0 where there is none. */
    private static long residentBytes() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            // Another system than Linux.
            return 0;
        }
    }
}
