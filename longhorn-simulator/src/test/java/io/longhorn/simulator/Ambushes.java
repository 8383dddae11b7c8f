package io.longhorn.simulator;

import io.longhorn.simulator.SimulatedCluster.Session;
import io.longhorn.simulator.history.Operation;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Faults that are prepared and strike at the one moment at which a rule of the design has to hold: chance alone would hit these moments once in a million runs. They promise no
 * less than {@link Faults}: each is a sequence of faults that might have come by chance.
 */
final class Ambushes {
    private static final long MILLI = 1_000_000L;
    private static final int NOBODY = -1;

    private final SimulatedCluster cluster;
    private final SimRandom random;
    private final SimScheduler scheduler;
    private final Faults faults;
    private int view;
    /** Who shall be the only one left when it has joined. */
    private int joining = NOBODY;
    /** Who shall be the only one left when something durable was confirmed. */
    private int slowest = NOBODY;
    /** Whose next answer finds its engine asleep. */
    private @Nullable Session freezing;

    Ambushes(SimulatedCluster cluster, SimRandom random, Faults faults) {
        this.cluster = cluster;
        this.random = random;
        this.scheduler = cluster.scheduler;
        this.faults = faults;
    }

    Map<String, Runnable> all() {
        Map<String, Runnable> all = new LinkedHashMap<>();
        all.put("loseAllButWhoJoins", this::loseAllButWhoJoins);
        all.put("loseAllButTheSlowest", this::loseAllButTheSlowest);
        all.put("tearLayer", this::tearLayer);
        all.put("rebuildFromSlowDisks", this::rebuildFromSlowDisks);
        all.put("raceUnseen", this::raceUnseen);
        all.put("freezeEngine", this::freezeEngine);
        all.put("splitWrites", this::splitWrites);
        return all;
    }

    /**
     * Goes beyond what is promised: a flipped bit in the very last record, which nothing behind it calls durable yet, cannot be told from a torn write. With the others out of
     * reach that loses it. Only for those who look for something by name.
     */
    Map<String, Runnable> beyondPromise() {
        return Map.of("damageJournalAndHideOthers", this::damageJournalAndHideOthers);
    }

    // ------------------------------------------------------------------ all replicas but one are lost

    /** A replica goes and comes back to a slow disk; as soon as it counts as a member again, it is the only one left, and its host had no power. */
    private void loseAllButWhoJoins() {
        int replica = faults.replica();
        SimDisk files = faults.files(replica);
        SimProcess process = cluster.serverProcess(replica);
        if (files == null || process == null) {
            return;
        }
        if (random.oneIn(3)) {
            faults.wipe(replica);
        } else if (random.coin()) {
            process.kill();
        } else {
            faults.isolate(cluster.replicaHosts.get(replica), random.between(500, 3000) * MILLI, 0);
        }
        slowDown(replica, random.between(10, 300), 20_000 * MILLI);
        joining = replica;
    }

    void viewChanged(int replicas) {
        int before = view;
        view = replicas;
        if (joining != NOBODY && (before & 1 << joining) == 0 && (view & 1 << joining) != 0) {
            int joined = joining;
            joining = NOBODY;
            scheduler.after(random.oneIn(3) ? random.below(MILLI) : 0, () -> loseAllBut(joined));
        }
    }

    private void loseAllBut(int replica) {
        if (faults.mayLoseAllBut(replica)) {
            faults.loseAllBut(replica);
        }
        speedUp(replica);
    }

    /** One disk is slow; when a flush or a forced write is confirmed, its replica is the only one left. */
    private void loseAllButTheSlowest() {
        int replica = faults.replica();
        slowDown(replica, random.between(20, 400), 3000 * MILLI);
        slowest = replica;
    }

    void confirmed(Operation operation) {
        boolean durable = operation.kind() == Operation.Kind.FLUSH || operation.isForced();
        if (slowest != NOBODY && durable) {
            int replica = slowest;
            slowest = NOBODY;
            scheduler.after(0, () -> loseAllBut(replica));
        }
    }

    /** Power is lost everywhere while a replica writes to a layer, its journal's syncs being late, and this replica is the only one left. */
    private void tearLayer() {
        int replica = faults.replica();
        SimDisk files = faults.files(replica);
        if (files == null) {
            return;
        }
        files.syncSlowness(random.between(1, 1000));
        scheduler.after(3000 * MILLI, () -> files.syncSlowness(1));
        files.armCrashInWrite(".data", () -> {
            loseAllBut(replica);
            files.syncSlowness(1);
            SimProcess running = cluster.serverProcess(replica);
            if (running != null) {
                running.kill();
            }
        });
    }

    // ------------------------------------------------------------------ copies late

    /** A replica is rebuilt from disks that are so slow that what is copied is old before it arrives. */
    private void rebuildFromSlowDisks() {
        int replica = faults.replica();
        if (faults.wipe(replica)) {
            for (int i = 0; i < cluster.replicaHosts.size(); i++) {
                if (i != replica) {
                    slowDown(i, random.between(20, 300), random.between(2000, 20_000) * MILLI);
                }
            }
        }
    }

    /** The engine dies, and the first replica that answers the next one has a damaged journal. */
    private void damageJournalAndHideOthers() {
        Session session = openSession();
        int replica = faults.replica();
        if (session != null && (cluster.view() & 1 << replica) != 0 && faults.damageJournal(replica)) {
            session.process.kill();
            for (SimHost host : cluster.replicaHosts) {
                if (!host.equals(cluster.replicaHosts.get(replica))) {
                    faults.isolate(host, random.between(1000, 8000) * MILLI, 0);
                }
            }
        }
    }

    private void slowDown(int replica, int factor, long time) {
        SimDisk files = faults.files(replica);
        if (files != null) {
            files.slowness(factor);
            scheduler.after(time, () -> files.slowness(1));
        }
    }

    private void speedUp(int replica) {
        SimDisk files = faults.files(replica);
        if (files != null) {
            files.slowness(1);
        }
    }

    // ------------------------------------------------------------------ two engines

    /** An engine that hears nothing any more goes on answering reads while another one opens the volume. */
    private void raceUnseen() {
        Session old = openSession();
        if (old == null) {
            return;
        }
        cluster.attachReaders(old, random.between(2, 200) * MILLI);
        scheduler.after(random.between(1, 200) * MILLI, () -> {
            if (old.isUsable() && !faults.areOver()) {
                cutOff(old.process.host(), random.between(500, 8000) * MILLI);
                startElsewhere(old);
            }
        });
    }

    /** An engine sleeps longer than its lease, just when answers have come that it has not looked at. */
    private void freezeEngine() {
        freezing = openSession();
    }

    /** Something that may prolong a lease has come to a process. */
    void answerArrived(SimProcess process) {
        Session session = freezing;
        if (session == null || session.process != process || faults.areOver()) {
            return;
        }
        freezing = null;
        long lease = cluster.times().leaseNanos();
        long pause = random.between(lease + lease / 10, 2 * lease);
        process.pause(pause);
        cluster.attachReaders(session, 5 * MILLI);
        scheduler.after(random.between(MILLI, 20 * MILLI), () -> {
            if (!faults.areOver()) {
                cutOff(process.host(), pause + random.between(100, 3000) * MILLI);
                startElsewhere(session);
            }
        });
    }

    /** Writes reach one replica only, and are read from it; then engine and replica are gone. */
    private void splitWrites() {
        Session session = openSession();
        int only = faults.replica();
        if (session == null || (cluster.view() & 1 << only) == 0) {
            return;
        }
        SimHost engine = session.process.host();
        for (int i = 0; i < cluster.replicaHosts.size(); i++) {
            SimHost host = cluster.replicaHosts.get(i);
            if (i != only && !host.equals(engine)) {
                cluster.network.block(engine, host);
            }
        }
        cluster.attachReaders(session, 5 * MILLI);
        scheduler.after(random.between(10 * MILLI, cluster.times().silenceNanos()), () -> {
            cluster.replicaHosts.forEach(host -> cluster.network.unblock(engine, host));
            if (!faults.areOver()) {
                session.process.kill();
                faults.isolate(cluster.replicaHosts.get(only), random.between(2000, 10_000) * MILLI, 0);
            }
        });
    }

    private @Nullable Session openSession() {
        Session session = cluster.current();
        return session != null && session.opened && session.door.isOpen() ? session : null;
    }

    private void cutOff(SimHost host, long time) {
        faults.isolate(host, time, 0);
        cluster.registry.cutOff(host, true);
        scheduler.after(time, () -> cluster.registry.cutOff(host, false));
    }

    private void startElsewhere(Session session) {
        for (SimHost host : cluster.engineHosts) {
            if (host.isUp() && !host.equals(session.process.host())) {
                cluster.startEngine(host);
                return;
            }
        }
    }
}
