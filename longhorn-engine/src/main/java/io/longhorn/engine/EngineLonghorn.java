package io.longhorn.engine;

import io.longhorn.DataPathSettings;
import io.longhorn.DiskFailedException;
import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.HeldSnapshot;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.OpenMode;
import io.longhorn.RebuildSettings;
import io.longhorn.RegistryUnavailableException;
import io.longhorn.ReplicaUnreachableException;
import io.longhorn.SalvageRefusedException;
import io.longhorn.SalvageReport;
import io.longhorn.SalvageSpec;
import io.longhorn.Snapshot;
import io.longhorn.TimeLimits;
import io.longhorn.Tls;
import io.longhorn.TooFewReplicasException;
import io.longhorn.Volume;
import io.longhorn.VolumeDescription;
import io.longhorn.VolumeExistsException;
import io.longhorn.VolumeInUseException;
import io.longhorn.VolumeIncompleteException;
import io.longhorn.VolumeNotFoundException;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.ReplicaServer;
import io.longhorn.replica.disk.PathDirectory;
import io.longhorn.replica.transport.InProcessTransport;
import io.longhorn.replica.transport.NioLoop;
import io.longhorn.replica.transport.NioTransport;
import io.longhorn.replica.transport.TlsEngines;
import io.longhorn.replica.transport.TransportLimits;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.Message;
import io.longhorn.spi.VolumeFilling;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The entry of a program: opens volumes whose engines run on one loop of this process.
 */
final class EngineLonghorn implements Longhorn, VolumeFilling, Placement {
    private static final Logger LOG = LoggerFactory.getLogger(EngineLonghorn.class);
    private static final String LOOP_NAME = "longhorn-engine";
    private static final int EMBEDDED_REPLICAS = 3;
    private static final int CLONE_PIECE_BYTES = 1 << 20;

    private final boolean inProcess;
    private final NioLoop loop;
    private final Connection.Connector connector;
    private final Registry registry;
    private final String registryName;
    private final List<String> servers;
    private final EngineSettings settings;
    private final TimeLimits limits;
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();
    private final Map<String, EngineVolume> open = new ConcurrentHashMap<>();
    private final ControlLocks locks = new ControlLocks();
    private final AtomicInteger nextServer = new AtomicInteger();

    private EngineLonghorn(
            boolean inProcess,
            NioLoop loop,
            Connection.Connector connector,
            Path registryDirectory,
            List<String> servers,
            EngineSettings settings,
            TimeLimits limits) {
        this.inProcess = inProcess;
        this.loop = loop;
        this.connector = connector;
        this.registryName = registryDirectory.toString();
        this.registry = FileRegistry.open(registryDirectory, HostIdentity.current());
        this.servers = List.copyOf(servers);
        this.settings = settings;
        this.limits = limits;
    }

    static EngineLonghorn connect(LonghornConfig config) {
        NioLoop loop = new NioLoop(LOOP_NAME);
        try {
            TransportLimits defaults = TransportLimits.DEFAULTS;
            TransportLimits transport = new TransportLimits(
                    config.timeLimits().connect(),
                    defaults.firstFrame(),
                    defaults.firstFrameBytesMax(),
                    defaults.strangersMax(),
                    defaults.outputBytesMax());
            return new EngineLonghorn(
                    false,
                    loop,
                    transport(transport, config.tls()),
                    config.registry(),
                    config.replicaServers().stream().map(HostPort::toString).toList(),
                    EngineSettings.of(
                            config.timeLimits(),
                            config.dataPath(),
                            config.rebuild(),
                            config.token().orElse("")),
                    config.timeLimits());
        } catch (RuntimeException e) {
            loop.close();
            throw e;
        }
    }

    private static NioTransport transport(TransportLimits limits, Optional<Tls> tls) {
        if (tls.isEmpty()) {
            return new NioTransport(limits);
        }
        try {
            return new NioTransport(limits, TlsEngines.load(tls.get()));
        } catch (IOException e) {
            throw new IllegalArgumentException("TLS cannot be used: " + e.getMessage(), e);
        }
    }

    static EngineLonghorn embedded(Path directory) {
        // On its own thread, since the replicas use their files on it.
        NioLoop loop = NioLoop.onOwnThread(LOOP_NAME);
        InProcessTransport transport = new InProcessTransport(TransportLimits.DEFAULTS);
        List<String> names = new ArrayList<>();
        Deque<AutoCloseable> started = new ArrayDeque<>();
        try {
            PathDirectory.make(directory);
            for (int i = 1; i <= EMBEDDED_REPLICAS; i++) {
                String name = "replica-" + i;
                ReplicaServer server = ReplicaServer.builder()
                        .directory(directory.resolve(name))
                        .loop(loop)
                        .start();
                started.push(server);
                started.push(transport.listen(loop, name, server.host()));
                names.add(name);
            }
            EngineLonghorn longhorn = new EngineLonghorn(
                    true,
                    loop,
                    transport,
                    directory.resolve("registry"),
                    names,
                    EngineSettings.of(TimeLimits.DEFAULTS, DataPathSettings.DEFAULTS, RebuildSettings.DEFAULTS, ""),
                    TimeLimits.DEFAULTS);
            longhorn.owned.addAll(started);
            return longhorn;
        } catch (IOException | RuntimeException e) {
            closeAll(started);
            loop.close();
            if (e instanceof RuntimeException runtime) {
                throw runtime;
            }
            throw new DiskFailedException(directory, "opening", e);
        }
    }

    private static void closeAll(Deque<AutoCloseable> resources) {
        while (!resources.isEmpty()) {
            try {
                resources.pop().close();
            } catch (Exception e) {
                LOG.warn("a part could not be closed", e);
            }
        }
    }

    private <T> T ask(CompletionStage<T> stage, String what) {
        try {
            return Calls.await(loop, stage, "registry " + registryName, what, limits.operation());
        } catch (IllegalStateException e) {
            if (e.getCause() instanceof IOException io) {
                throw new RegistryUnavailableException(registryName, String.valueOf(io.getMessage()), io);
            }
            throw e;
        }
    }

    // ------------------------------------------------------------------ making

    @Override
    public boolean isInProcess() {
        return inProcess;
    }

    @Override
    public List<String> candidates(List<String> taken) {
        List<String> found = new ArrayList<>();
        int first = nextServer.get();
        List<String> known = servers.isEmpty() ? serversOfVolumes() : servers;
        for (int i = 0; i < known.size(); i++) {
            String server = known.get(Math.floorMod(first + i, known.size()));
            if (!taken.contains(server)) {
                found.add(server);
            }
        }
        return found;
    }

    /** Who was told of no servers finds those that are in use. */
    private List<String> serversOfVolumes() {
        SortedSet<String> found = new TreeSet<>();
        for (String volume : ask(registry.list(), "servers")) {
            ask(registry.read(volume), "servers")
                    .ifPresent(record -> record.replicas().forEach(replica -> found.add(replica.endpoint())));
        }
        return List.copyOf(found);
    }

    @Override
    public Volume create(VolumeSpec spec) {
        return locks.about(spec.name(), () -> createLocked(spec, Optional.empty()));
    }

    @Override
    public Volume createFilling(VolumeSpec spec, String source) {
        return locks.about(spec.name(), () -> createLocked(spec, Optional.of(checkedSource(source))));
    }

    private static String checkedSource(String source) {
        if (source.getBytes(StandardCharsets.UTF_8).length > SOURCE_BYTES_MAX) {
            throw new IllegalArgumentException("a source has at most " + SOURCE_BYTES_MAX + " bytes: " + source);
        }
        return source;
    }

    private Volume createLocked(VolumeSpec spec, Optional<String> source) {
        long size = spec.sizeBytes()
                .orElseThrow(
                        () -> new IllegalArgumentException("volume " + spec.name() + " needs a size to be created"));
        if (ask(registry.read(spec.name()), "create").isPresent()) {
            throw new VolumeExistsException(spec.name());
        }
        UUID volumeId = UUID.randomUUID();
        List<ReplicaRecord> made = new ArrayList<>();
        VolumeRecord plan = record(spec, volumeId, size, made);
        List<ReplicaUnreachableException> troubles = new ArrayList<>();
        for (String server : candidates(List.of())) {
            if (made.size() == spec.replicas()) {
                break;
            }
            ReplicaRecord replica = new ReplicaRecord(UUID.randomUUID(), server);
            try {
                makeReplica(plan, replica);
                made.add(replica);
            } catch (ReplicaUnreachableException e) {
                troubles.add(e);
            }
        }
        nextServer.incrementAndGet();
        if (made.isEmpty() || (made.size() < spec.replicas() && !spec.allowDegraded())) {
            undo(plan, made);
            TooFewReplicasException tooFew = new TooFewReplicasException(spec.name(), spec.replicas(), made.size());
            troubles.forEach(tooFew::addSuppressed);
            throw tooFew;
        }
        VolumeRecord record = record(spec, volumeId, size, made).filledFrom(source);
        if (!ask(registry.compareAndSet(record), "create").swapped()) {
            undo(plan, made);
            throw new VolumeExistsException(spec.name());
        }
        return openLocked(spec.name(), OpenMode.READ_WRITE, true);
    }

    @Override
    public void makeReplica(VolumeRecord record, ReplicaRecord replica) {
        String trouble = Calls.await(
                loop,
                ReplicaMaking.make(loop, connector, registry, settings.token(), record, replica, makingLimits()),
                "server " + replica.endpoint(),
                "create replica",
                limits.operation().plus(EngineVolume.GRACE));
        if (!trouble.isEmpty()) {
            throw new ReplicaUnreachableException(replica.endpoint(), trouble);
        }
    }

    private ReplicaMaking.Limits makingLimits() {
        return new ReplicaMaking.Limits(
                limits.connect().toNanos(), limits.operation().toNanos());
    }

    private static VolumeRecord record(VolumeSpec spec, UUID id, long size, List<ReplicaRecord> replicas) {
        return new VolumeRecord(
                1,
                spec.name(),
                id,
                size,
                spec.durability(),
                spec.replicas(),
                spec.minInSync(),
                spec.limits(),
                spec.labels(),
                System.currentTimeMillis(),
                0,
                VolumeRecord.NO_ENGINE,
                replicas,
                replicas.stream().map(ReplicaRecord::replicaId).toList(),
                Optional.empty());
    }

    private void undo(VolumeRecord plan, List<ReplicaRecord> made) {
        for (ReplicaRecord replica : made) {
            deleteReplica(plan, replica);
        }
    }

    @Override
    public void deleteReplica(VolumeRecord record, ReplicaRecord replica) {
        String trouble = Calls.await(
                loop,
                ReplicaMaking.delete(loop, connector, registry, settings.token(), record, replica, makingLimits()),
                "server " + replica.endpoint(),
                "delete replica",
                limits.operation().plus(EngineVolume.GRACE));
        if (!trouble.isEmpty()) {
            LOG.warn(
                    "replica stays behind on its server: volume={} replica={} cause={}",
                    record.name(),
                    replica,
                    trouble);
        }
    }

    // ------------------------------------------------------------------ opening

    @Override
    public Volume open(String name, OpenMode mode) {
        return locks.about(checked(name), () -> openLocked(name, mode, false));
    }

    @Override
    public Volume openFilling(String volume) {
        return locks.about(checked(volume), () -> openLocked(volume, OpenMode.READ_WRITE, true));
    }

    @Override
    public Optional<String> source(String volume) {
        return locks.about(
                checked(volume),
                () -> ask(registry.read(volume), "source")
                        .orElseThrow(() -> new VolumeNotFoundException(volume))
                        .source());
    }

    @Override
    public void source(Volume volume, Optional<String> source) {
        source.ifPresent(EngineLonghorn::checkedSource);
        if (!(volume instanceof EngineVolume own) || !equals(own.placement())) {
            throw new IllegalArgumentException("volume " + volume.name() + " was not opened here");
        }
        own.source(source);
    }

    /** A name that is none must not become part of a path. */
    private static String checked(String name) {
        return VolumeSpec.named(name).build().name();
    }

    /** @param filling whether the caller is who fills the volume, if anybody does */
    private Volume openLocked(String name, OpenMode mode, boolean filling) {
        EngineVolume present = open.get(name);
        if (present != null && !present.isOver()) {
            requireComplete(name, filling ? Optional.empty() : present.source());
            if (present.isReadOnly() != (mode == OpenMode.READ_ONLY)) {
                throw new VolumeInUseException(name, "this program, in the other mode");
            }
            return present;
        }
        VolumeRecord record = ask(registry.read(name), "open").orElseThrow(() -> new VolumeNotFoundException(name));
        requireComplete(name, filling ? Optional.empty() : record.source());
        VolumeEvents events = new VolumeEvents(name);
        EngineCore core = new EngineCore(loop, connector, registry, settings, name, UUID.randomUUID(), events);
        Calls.await(
                loop,
                Calls.<Boolean>onLoop(loop, result -> core.open(Calls.completing(result, true))),
                "volume " + name,
                "open",
                limits.opening().plus(Duration.ofSeconds(2)));
        EngineVolume volume =
                new EngineVolume(core, loop, events, record, mode == OpenMode.READ_ONLY, this, this::forget);
        open.put(name, volume);
        return volume;
    }

    private static void requireComplete(String name, Optional<String> source) {
        if (source.isPresent()) {
            throw new VolumeIncompleteException(name, source.get());
        }
    }

    private void forget(EngineVolume volume) {
        open.remove(volume.name(), volume);
    }

    @Override
    public boolean isInUse(String name) {
        return locks.about(checked(name), () -> {
            EngineVolume present = open.get(name);
            VolumeRecord record =
                    ask(registry.read(name), "isInUse").orElseThrow(() -> new VolumeNotFoundException(name));
            return (present != null && !present.isOver())
                    || record.holder()
                            .filter(holder -> mayBeAlive(holder, "isInUse"))
                            .isPresent();
        });
    }

    @Override
    public VolumeDescription describe(String name) {
        return locks.whileOpen(() -> {
            VolumeRecord record =
                    ask(registry.read(checked(name)), "describe").orElseThrow(() -> new VolumeNotFoundException(name));
            return new VolumeDescription(
                    record.name(),
                    record.volumeId(),
                    record.sizeBytes(),
                    record.replicasWanted(),
                    record.minInSync(),
                    record.durability(),
                    record.limits(),
                    record.labels(),
                    Instant.ofEpochMilli(record.createdAtMillis()),
                    record.replicas().stream().map(ReplicaRecord::endpoint).toList(),
                    record.source());
        });
    }

    @Override
    public List<String> volumes() {
        return locks.whileOpen(() -> ask(registry.list(), "volumes"));
    }

    // ------------------------------------------------------------------ deleting, cloning, salvaging

    @Override
    public void delete(String name) {
        locks.about(checked(name), () -> {
            deleteLocked(name);
            return name;
        });
    }

    private void deleteLocked(String name) {
        EngineVolume present = open.get(name);
        if (present != null && !present.isOver()) {
            throw new VolumeInUseException(name, "this program");
        }
        VolumeRecord record = ask(registry.read(name), "delete").orElseThrow(() -> new VolumeNotFoundException(name));
        LeaseHolder holder = record.holder().orElse(null);
        if (holder != null && mayBeAlive(holder, "delete")) {
            throw new VolumeInUseException(name, "an engine on host " + holder.hostId());
        }
        Registry.Swap removed = ask(registry.remove(name, record.version()), "delete");
        if (!removed.swapped()) {
            throw new VolumeInUseException(name, "somebody who opened it just now");
        }
        for (ReplicaRecord replica : record.replicas()) {
            deleteReplica(record, replica);
        }
    }

    private boolean mayBeAlive(LeaseHolder holder, String what) {
        return !holder.clean() && !ask(registry.provedDead(holder), what);
    }

    @Override
    public Volume cloneSnapshot(Snapshot snapshot, VolumeSpec spec) {
        long size = spec.sizeBytes().orElse(snapshot.sizeBytes());
        if (size < snapshot.sizeBytes()) {
            throw new IllegalArgumentException("a clone of snapshot " + snapshot.name() + " needs at least "
                    + snapshot.sizeBytes() + " bytes, not " + size);
        }
        try (HeldSnapshot held = snapshot.hold()) {
            Volume clone = create(spec.withSize(size));
            try {
                copy(held, clone);
                clone.flush();
            } catch (RuntimeException e) {
                undo(clone, e);
                throw e;
            }
            return clone;
        }
    }

    /** A volume that holds a part of what it should is of no use to anybody. */
    private void undo(Volume made, RuntimeException failure) {
        try {
            made.close();
            delete(made.name());
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private static void copy(Snapshot snapshot, Volume clone) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(CLONE_PIECE_BYTES);
        long at = 0;
        while (at < snapshot.sizeBytes()) {
            for (Extent extent : snapshot.allocation(at, snapshot.sizeBytes() - at)) {
                if (extent.state() == ExtentState.DATA) {
                    copy(snapshot, clone, buffer, extent.offsetBytes(), extent.endBytes());
                }
                at = extent.endBytes();
            }
        }
    }

    private static void copy(Snapshot from, Volume to, ByteBuffer buffer, long start, long end) {
        for (long at = start; at < end; at += CLONE_PIECE_BYTES) {
            buffer.clear().limit((int) Math.min(CLONE_PIECE_BYTES, end - at));
            from.read(at, buffer);
            to.write(at, buffer.flip());
        }
    }

    @Override
    public SalvageReport salvage(String name, SalvageSpec spec) {
        return locks.about(checked(name), () -> salvageLocked(name, spec));
    }

    private SalvageReport salvageLocked(String name, SalvageSpec spec) {
        EngineVolume present = open.get(name);
        if (present != null && !present.isOver()) {
            throw new SalvageRefusedException(name, "it is open in this program");
        }
        VolumeRecord found = ask(registry.read(name), "salvage").orElseThrow(() -> new VolumeNotFoundException(name));
        LeaseHolder holder = found.holder().orElse(null);
        if (holder != null && !spec.forced() && mayBeAlive(holder, "salvage")) {
            throw new SalvageRefusedException(
                    name,
                    "its last engine, on host " + holder.hostId()
                            + ", may still be alive; make sure that it is not, then allow it with evenIfInUse()");
        }
        VolumeRecord promised = found.promisedTo(UUID.randomUUID());
        if (!ask(registry.compareAndSet(promised), "salvage").swapped()) {
            throw new SalvageRefusedException(name, "somebody opened it just now");
        }
        Map<ReplicaRecord, Message.FenceOk> survey = Calls.await(
                loop,
                Survey.of(loop, connector, registry, settings, promised),
                "volume " + name,
                "salvage",
                limits.opening().plus(Duration.ofSeconds(2)));
        SalvageChoice choice = SalvageChoice.of(promised, survey, spec);
        if (!ask(
                        registry.compareAndSet(
                                promised.withView(List.of(choice.chosen().replicaId()))),
                        "salvage")
                .swapped()) {
            throw new SalvageRefusedException(name, "somebody opened it just now");
        }
        SalvageReport report = choice.report();
        LOG.warn("volume salvaged: {}", report);
        return report;
    }

    // ------------------------------------------------------------------ closing

    @Override
    public void close() {
        if (!locks.close()) {
            return;
        }
        RuntimeException first = null;
        for (EngineVolume volume : List.copyOf(open.values())) {
            try {
                volume.close();
            } catch (RuntimeException e) {
                first = first == null ? e : first;
            }
        }
        closeAll(owned);
        registry.close();
        loop.close();
        if (first != null) {
            throw first;
        }
    }

    /** For messages. */
    @Override
    public String toString() {
        return "Longhorn[" + registryName + ", " + servers + "]";
    }
}
