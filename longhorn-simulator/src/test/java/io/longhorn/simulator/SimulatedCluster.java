package io.longhorn.simulator;

import io.longhorn.engine.EngineDoor;
import io.longhorn.engine.ReplicaRecord;
import io.longhorn.engine.VolumeRecord;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.simulator.history.BlockContents;
import io.longhorn.simulator.history.History;
import io.longhorn.simulator.history.Operation;
import io.longhorn.simulator.history.Violation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One run: hosts with replica servers, hosts with engines, a registry, callers, and faults, all from one seed; then everything is healed, the
 * volume has to become whole again, and what callers and replicas say is judged.
 */
final class SimulatedCluster {
    static final String VOLUME = "vol";
    private static final int BLOCK = BlockContents.BLOCK_BYTES;
    private static final long MILLI = 1_000_000L;
    private static final long SECOND = 1000 * MILLI;
    /** Virtual time for which callers go on at most. */
    private static final long LOAD_NANOS = 100 * SECOND;
    /** Virtual time within which a healed cluster must be whole. */
    private static final long HEAL_LIMIT = 300 * SECOND;

    final SimScheduler scheduler;
    final SimRandom random;
    final SimNetwork network;
    final SimRegistry registry;
    final History history;
    final Workload workload;
    final List<SimHost> replicaHosts = new ArrayList<>();
    final List<SimHost> engineHosts = new ArrayList<>();
    final List<ReplicaServerPort> servers = new ArrayList<>();
    final @Nullable SimProcess[] serverProcesses;
    final List<Session> sessions = new ArrayList<>();
    private final SimMemory memory;
    private final UUID volumeId;
    private final int blocks;
    private final EngineDoor.Times times;
    private final Inspector inspector;
    private final Faults faults;
    private boolean supervised = true;
    private boolean salvageNeeded;
    private @Nullable RuntimeException failure;

    /** One engine in a process of its own. */
    final class Session {
        final SimProcess process;
        final SimLoop loop;
        final EngineDoor door;
        boolean opened;
        boolean retired;

        Session(SimHost host) {
            process = host.start("engine-" + (sessions.size() + 1));
            loop = process.newLoop("engine");
            door = new EngineDoor(
                    loop,
                    network.connector(process),
                    registry.client(process),
                    times,
                    VOLUME,
                    new UUID(scheduler.random().nextLong(), scheduler.random().nextLong()));
            process.atDeath(this::died);
            loop.execute(() -> door.open(this::openingOver));
        }

        private void openingOver(@Nullable Throwable cause) {
            if (cause != null) {
                scheduler.note(
                        process.name(), "opening failed: " + cause.getClass().getSimpleName(), 0, 0);
                loop.process().at(scheduler.now() + MILLI, process::kill);
                return;
            }
            opened = true;
            scheduler.note(process.name(), "open, epoch", door.epoch(), 0);
            history.opened(number());
            workload.attach(number(), door, loop);
        }

        int number() {
            return (int) door.epoch();
        }

        private void died() {
            if (opened) {
                history.died(number());
            }
        }

        boolean isUsable() {
            return process.isAlive() && !retired && !door.isOver();
        }
    }

    SimulatedCluster(long seed, SimMemory memory, ClusterShape shape) {
        this.memory = memory;
        memory.freshPool();
        scheduler = new SimScheduler(seed, new SimTrace(shape.traceLines()));
        if (shape.echo() != null) {
            scheduler.trace().echo(shape.echo());
        }
        random = scheduler.random().split();
        network = new SimNetwork(scheduler, memory);
        registry = new SimRegistry(scheduler);
        blocks = random.oneIn(8) ? 300 : random.between(4, 80);
        Workload.Shape load = Workload.Shape.random(random, blocks);
        history = new History(blocks, load.firstBlocks());
        workload = new Workload(scheduler, history, load);
        volumeId = new UUID(random.nextLong(), random.nextLong());
        times = new EngineDoor.Times(
                random.between(200, 800) * MILLI,
                random.between(1000, 3000) * MILLI,
                20 * SECOND,
                20 * SECOND,
                random.oneIn(3) ? 0 : random.between(1, 64));
        int replicas = random.oneIn(4) ? 2 : 3;
        for (int i = 0; i < replicas; i++) {
            SimHost host = new SimHost(scheduler, "replica-" + i);
            replicaHosts.add(host);
            servers.add(shape.servers().make(host, endpoint(i), random));
        }
        serverProcesses = new @Nullable SimProcess[replicas];
        for (int i = 0; i < 2; i++) {
            boolean shared = random.oneIn(4);
            engineHosts.add(shared ? replicaHosts.get(i) : new SimHost(scheduler, "engine-host-" + i));
        }
        for (SimHost host : allHosts()) {
            host.drift(random.between(-10_000, 10_000));
        }
        inspector = new Inspector(scheduler, network, new SimHost(scheduler, "inspector"), registry.clusterId());
        registry.watch(this::recordChanged);
        network.tap(this::frameArrives);
        faults = new Faults(this, random.split(), shape);
        workload.watch(faults.ambushes()::confirmed);
        for (int i = 0; i < replicas; i++) {
            int replica = i;
            SimDisk files = servers.get(i).files();
            if (files != null) {
                files.whenSyncFails(() -> faults.syncFailed(replica));
            }
        }
        makeVolume(load);
    }

    List<SimHost> allHosts() {
        List<SimHost> all = new ArrayList<>(replicaHosts);
        for (SimHost host : engineHosts) {
            if (!all.contains(host)) {
                all.add(host);
            }
        }
        return all;
    }

    static String endpoint(int replica) {
        return "replica-" + replica + ":9500";
    }

    private void makeVolume(Workload.Shape load) {
        long sizeBytes = (long) load.firstBlocks() * BLOCK;
        List<ReplicaRecord> replicas = new ArrayList<>();
        for (int i = 0; i < replicaHosts.size(); i++) {
            startServer(i);
            scheduler.runUntil(scheduler.now() + 50 * MILLI);
            ReplicaRecord replica = new ReplicaRecord(new UUID(random.nextLong(), random.nextLong()), endpoint(i));
            replicas.add(replica);
            inspector.create(replica, volumeId, VOLUME, sizeBytes);
        }
        registry.put(EngineDoor.firstRecord(VOLUME, volumeId, sizeBytes, load.writeThrough(), replicas));
    }

    private void frameArrives(SimProcess from, SimProcess to, ByteBuffer frame, int at, int length) {
        FrameType type = FrameType.of(FrameLayout.type(frame, at));
        String what = type == null ? "unknown frame" : type.name();
        scheduler.note(to.name(), what, FrameLayout.number(frame, at), FrameLayout.epoch(frame, at));
        if (type == FrameType.ACK || type == FrameType.PONG) {
            faults.ambushes().answerArrived(to);
        }
    }

    private void recordChanged(VolumeRecord record) {
        int view = viewOf(record);
        scheduler.note("registry", "view", view, record.version());
        history.view(view);
        faults.viewChanged(view);
        faults.ambushes().viewChanged(view);
    }

    private static int viewOf(VolumeRecord record) {
        int view = 0;
        for (ReplicaRecord replica : record.replicas()) {
            if (record.view().contains(replica.replicaId())) {
                view |= 1 << indexOf(replica);
            }
        }
        return view;
    }

    private static int indexOf(ReplicaRecord replica) {
        return replica.endpoint().charAt("replica-".length()) - '0';
    }

    /** On which host the replica is. */
    int indexOf(UUID replicaId) {
        return record().replicas().stream()
                .filter(r -> r.replicaId().equals(replicaId))
                .mapToInt(SimulatedCluster::indexOf)
                .findFirst()
                .orElseThrow();
    }

    /** The replica on a host. */
    UUID replicaId(int replica) {
        return record().replicas().stream()
                .filter(r -> indexOf(r) == replica)
                .map(ReplicaRecord::replicaId)
                .findFirst()
                .orElseThrow();
    }

    VolumeRecord record() {
        return registry.record(VOLUME).orElseThrow();
    }

    int view() {
        return viewOf(record());
    }

    void startServer(int replica) {
        SimProcess running = serverProcesses[replica];
        if (replicaHosts.get(replica).isUp() && (running == null || !running.isAlive())) {
            serverProcesses[replica] = servers.get(replica).start(network);
        }
    }

    @Nullable
    SimProcess serverProcess(int replica) {
        return serverProcesses[replica];
    }

    /** Power is lost on a host; what its replica had not made durable may be gone. */
    void losePower(SimHost host) {
        if (!host.isUp()) {
            return;
        }
        host.losePower();
        int replica = replicaHosts.indexOf(host);
        if (replica >= 0) {
            servers.get(replica).losePower();
            history.lost(replica);
        }
    }

    void boot(SimHost host) {
        if (!host.isUp()) {
            host.boot();
        }
    }

    /** The newest engine that may still do something, or null. */
    @Nullable
    Session current() {
        for (int i = sessions.size() - 1; i >= 0; i--) {
            if (sessions.get(i).isUsable()) {
                return sessions.get(i);
            }
        }
        return null;
    }

    /** Starts an engine on a host that is up, whether another runs or not. */
    void startEngine() {
        List<SimHost> up = engineHosts.stream().filter(SimHost::isUp).toList();
        if (!up.isEmpty()) {
            startEngine(up.get(random.below(up.size())));
        }
    }

    void startEngine(SimHost host) {
        sessions.add(new Session(host));
    }

    /** Callers that only read, on a session that is open. */
    void attachReaders(Session session, long pauseNanos) {
        workload.attachReaders(session.number(), session.door, session.loop, pauseNanos);
    }

    EngineDoor.Times times() {
        return times;
    }

    /** Keeps an engine and every server running, as whoever operates a cluster does. */
    private void supervise() {
        if (!supervised) {
            return;
        }
        for (Session session : sessions) {
            if (session.process.isAlive() && session.door.isOver()) {
                session.process.kill();
            }
        }
        if (current() == null) {
            startEngine();
        }
        for (int i = 0; i < servers.size(); i++) {
            SimProcess process = serverProcesses[i];
            if (process != null && process.isAlive() && servers.get(i).gaveUp()) {
                process.kill();
                history.lost(i);
            } else if (process != null && !process.isAlive() && random.oneIn(3)) {
                startServer(i);
            }
        }
        scheduler.after(random.between(10, 400) * MILLI, this::supervise);
    }

    /** Runs to the end. Throws what was found. */
    void run() {
        try {
            supervise();
            faults.begin();
            long end = scheduler.now() + LOAD_NANOS;
            runUntil(() -> isLoadOver() || scheduler.now() > end, 2 * LOAD_NANOS, Violation.Kind.BROKEN, "load");
            workload.stop();
            faults.end();
            heal();
            salvageIfNeeded();
            runUntil(
                    () -> isWhole() || (scheduler.now() > end + HEAL_LIMIT / 2 && faults.isBeyondHelp()),
                    HEAL_LIMIT,
                    Violation.Kind.REBUILD_ENDS,
                    "the healed volume does not become whole");
            if (isWhole()) {
                runUntil(this::isAllAnswered, HEAL_LIMIT, Violation.Kind.BROKEN, "a caller is never answered");
                survey();
                inspect();
            }
            history.check();
        } finally {
            network.close();
        }
    }

    private boolean isLoadOver() {
        return workload.isExhausted() && isAllAnswered();
    }

    private boolean isAllAnswered() {
        for (Operation operation : history.operations()) {
            if (operation.isPending()) {
                return false;
            }
        }
        return true;
    }

    private void runUntil(
            java.util.function.BooleanSupplier condition, long limit, Violation.Kind kind, String otherwise) {
        long end = scheduler.now() + limit;
        while (!condition.getAsBoolean()) {
            if (scheduler.now() > end) {
                throw new Violation(kind, otherwise + ": " + describe());
            }
            scheduler.runUntil(scheduler.now() + 20 * MILLI);
            RuntimeException found = failure;
            if (found != null) {
                throw found;
            }
        }
    }

    private String describe() {
        Session session = current();
        return (session == null ? "no engine" : session.process.name() + " " + session.door.describe()) + ", record "
                + record();
    }

    private void heal() {
        scheduler.note("cluster", "healed", 0, 0);
        network.unblockAll();
        network.flipsPerMillion(0);
        allHosts().forEach(host -> registry.cutOff(host, false));
        registry.down(false);
        registry.failPermille(0);
        for (SimHost host : allHosts()) {
            boot(host);
        }
        for (int i = 0; i < servers.size(); i++) {
            SimDisk files = servers.get(i).files();
            if (files != null) {
                files.heal();
            }
            startServer(i);
        }
    }

    /** What an operator does when losses met so that no engine may go on by itself: says which replicas are to be believed, no engine being alive. */
    private void salvageIfNeeded() {
        salvageNeeded = faults.isSalvageNeeded();
        List<UUID> members = salvageNeeded ? faults.salvageable() : List.of();
        if (!members.isEmpty()) {
            scheduler.note("cluster", "salvaged", members.size(), 0);
            sessions.forEach(session -> session.process.kill());
            registry.put(EngineDoor.salvaged(record(), members));
        }
    }

    private boolean isWhole() {
        Session session = current();
        return session != null
                && session.opened
                && session.door.isOpen()
                && session.door.isHealthy()
                && Integer.bitCount(view()) == servers.size();
    }

    /** Reads everything through the engine, until it is still the one at the end and says too that all replicas are in sync, and closes it. */
    private void survey() {
        // A disk that was replaced just before all was healed, of a volume that nobody writes to, is noticed by the
        // first read after the lease has run out.
        scheduler.runUntil(scheduler.now() + times.leaseNanos());
        long end = scheduler.now() + HEAL_LIMIT;
        Session session;
        do {
            runUntil(this::isWhole, HEAL_LIMIT, Violation.Kind.REBUILD_ENDS, "the healed volume does not become whole");
            session = java.util.Objects.requireNonNull(current());
            boolean[] read = new boolean[1];
            workload.readEverything(session.number(), session.door, session.loop, () -> read[0] = true);
            runUntil(() -> read[0], 60 * SECOND, Violation.Kind.BROKEN, "the last reads are not answered");
        } while (!(isWhole() && current() == session) && scheduler.now() < end);
        if (workload.failedInSurvey() > 0 && isWhole() && !faults.hasDamaged()) {
            throw new Violation(
                    Violation.Kind.BROKEN,
                    workload.failedInSurvey() + " reads of a whole volume failed: " + describe());
        }
        supervised = false;
        boolean[] closed = new boolean[1];
        EngineDoor door = session.door;
        session.loop.execute(() -> door.close(failed -> closed[0] = true));
        runUntil(() -> closed[0], 60 * SECOND, Violation.Kind.BROKEN, "the engine does not close");
        sessions.forEach(each -> each.process.kill());
    }

    /** Reads every replica past the engine: each must hold what the volume holds. */
    private void inspect() {
        VolumeRecord record = record();
        int session = (int) record.epoch() + 1;
        history.opened(session);
        for (ReplicaRecord replica : record.replicas()) {
            if (!record.view().contains(replica.replicaId())) {
                continue;
            }
            Inspector.Found found = inspector.inspect(
                    replica, volumeId, record.epoch() + 1, record.version() + 1, faults.isDamaged(indexOf(replica)));
            if (found == null) {
                continue;
            }
            long bits = 0;
            for (Map.Entry<String, ByteBuffer> content : found.contents().entrySet()) {
                int size = content.getValue().capacity() / BLOCK;
                int[] seen = workload.decode(content.getValue(), 0, size);
                if (content.getKey().isEmpty()) {
                    history.confirmedRead(history.read(session, 0, size), seen);
                } else {
                    int snapshot = Integer.parseInt(content.getKey().substring(1));
                    bits |= 1L << snapshot;
                    history.confirmedRead(history.snapshotRead(session, snapshot, 0, size), seen);
                }
            }
            history.confirmedList(history.snapshotList(session), bits);
        }
    }

    /** Whether the run ended with a volume that only salvage opens, because of what the faults did. */
    boolean isSalvageNeeded() {
        return salvageNeeded;
    }

    long steps() {
        return scheduler.steps();
    }

    SimMemory memory() {
        return memory;
    }
}
