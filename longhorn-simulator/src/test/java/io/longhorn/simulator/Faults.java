package io.longhorn.simulator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Breaks things at random, within what the design promises to survive:
 *
 * <ul>
 *   <li>any process dies at any moment and comes back, any number of times;
 *   <li>any hosts, all of them too, lose power and come back: what was flushed is there, what was confirmed and not flushed is there unless every
 *       replica of the view lost power;
 *   <li>a replica's disk is lost for ever, as long as another replica of the view did not lose power since it took part and does not until the
 *       view has changed;
 *   <li>power is lost everywhere, engines included, and all disks of the view but one are lost with it: an operator salvages, and what was flushed is there;
 *   <li>connections are cut, hosts are cut off from each other in one or both directions, messages are late and overtake those of other connections;
 *   <li>engines are paused for longer than their lease, hosts are suspended;
 *   <li>wall clocks jump; but not back on an engine's host that is also suspended, which no lease can survive;
 *   <li>monotonic clocks run up to 1 % fast or slow;
 *   <li>registry calls fail with their outcome unknown;
 *   <li>two engines want the volume at once;
 *   <li>bits flip on the wire;
 *   <li>a server dies, or its host loses power, in the middle of any file operation;
 *   <li>syncs and writes fail on any disk: what that replica had not made durable may be gone;
 *   <li>bits flip, and sectors become unreadable, in the data files of layers and in the journal of one replica, as long as another one is in the view and within reach; not in
 *       block maps, where damage to a page that the journal still has records for cannot be told from a torn write;
 *   <li>disks run full, and have room again in the end;
 *   <li>disks are slow;
 *   <li>any of these at the very moment at which it hurts most ({@link Ambushes}).
 * </ul>
 *
 * Faults end when the callers are through; then everything is healed.
 */
final class Faults {
    private static final long MILLI = 1_000_000L;

    private final SimulatedCluster cluster;
    private final SimRandom random;
    private final SimScheduler scheduler;
    private final List<Runnable> kinds = new ArrayList<>();
    private final boolean faultless;
    private final boolean suspendsEngines;
    private final Ambushes ambushes;
    private long meanPause;
    /** The replica whose disk may be damaged, the only one in this run. */
    private int damaged = -1;
    /** It was alone in the view, so that nobody could repair it, or it was the source of others. */
    private boolean damageMayStay;
    /** The replica that was left when all others were lost at once, or -1. */
    private int survivor = -1;

    private boolean over;
    /** Replicas of the view that lost their disk for ever. */
    private int wiped;
    /** Replicas that lost power since they last were known to hold everything. */
    private int unsure;
    /** Replicas whose disk was lost for ever. */
    private final Set<UUID> destroyed = new LinkedHashSet<>();

    Faults(SimulatedCluster cluster, SimRandom random, ClusterShape shape) {
        this.faultless = shape.faults() == ClusterShape.FaultKinds.NONE;
        this.cluster = cluster;
        this.random = random;
        this.scheduler = cluster.scheduler;
        this.suspendsEngines = random.coin();
        this.ambushes = new Ambushes(cluster, random, this);
        choose(shape.only());
    }

    /** Each run has a few kinds of faults only, some often: rare combinations come up when little else happens. */
    private void choose(String only) {
        Map<String, Runnable> all = all();
        List<String> names = only.isEmpty() ? List.copyOf(all.keySet()) : List.of(only.split(",", -1));
        int count = faultless ? 0 : only.isEmpty() ? random.between(0, 6) : names.size();
        for (int i = 0; i < count; i++) {
            String name = only.isEmpty() ? names.get(random.below(names.size())) : names.get(i);
            Runnable kind = all.getOrDefault(name, ambushes.beyondPromise().get(name));
            if (kind == null) {
                throw new IllegalArgumentException(
                        "no kind of fault is called " + name + "; there are " + all.keySet());
            }
            kinds.add(kind);
        }
        meanPause = random.between(100, 4000) * MILLI;
    }

    private Map<String, Runnable> all() {
        Map<String, Runnable> all = new LinkedHashMap<>();
        all.put("killServer", this::killServer);
        all.put("losePower", this::losePower);
        all.put("losePowerEverywhere", this::losePowerEverywhere);
        all.put("killEngine", this::killEngine);
        all.put("killEngineAndHideReplica", this::killEngineAndHideReplica);
        all.put("pauseEngine", this::pauseEngine);
        all.put("pauseServer", this::pauseServer);
        all.put("suspend", this::suspend);
        all.put("jumpClock", this::jumpClock);
        all.put("cutConnection", this::cutConnection);
        all.put("partition", this::partition);
        all.put("raceEngines", this::raceEngines);
        all.put("wipe", this::wipe);
        all.put("loseAllButOne", this::loseAllButOne);
        all.put("registryDown", this::registryDown);
        all.put("isolate", this::isolate);
        all.put("crashInFileOperation", this::crashInFileOperation);
        all.put("failSync", this::failSync);
        all.put("failWrite", this::failWrite);
        all.put("damage", this::damage);
        all.put("fillDisk", this::fillDisk);
        all.put("slowDisk", this::slowDisk);
        all.putAll(ambushes.all());
        return all;
    }

    void begin() {
        if (faultless) {
            return;
        }
        if (random.oneIn(3)) {
            cluster.registry.failPermille(random.between(5, 150));
        }
        if (random.oneIn(5)) {
            cluster.network.flipsPerMillion(random.between(50, 3000));
        }
        if (random.oneIn(3)) {
            long high = random.between(100_000L, 20_000_000L);
            cluster.network.delays(new SimNetwork.Delays(20_000, high, 10 * high, random.between(0, 100)));
        }
        if (!kinds.isEmpty()) {
            next();
        }
    }

    private void next() {
        scheduler.after(random.between(MILLI, 2 * meanPause), () -> {
            if (!over) {
                kinds.get(random.below(kinds.size())).run();
                next();
            }
        });
    }

    void end() {
        over = true;
    }

    Ambushes ambushes() {
        return ambushes;
    }

    boolean areOver() {
        return over;
    }

    void viewChanged(int view) {
        wiped &= view;
        unsure &= view;
        damageMayStay |= damaged >= 0 && view == 1 << damaged;
    }

    /** Whether damage met no replica that could have repaired it, or the last replica of the view was lost. */
    boolean isBeyondHelp() {
        return damageMayStay || (isSalvageNeeded() && salvageable().isEmpty());
    }

    /**
     * Which replicas an operator believes: those of the view that are left, or the one that was left when all others were lost at once, should the engine have taken it out
     * in that moment.
     */
    List<UUID> salvageable() {
        List<UUID> left = new ArrayList<>(cluster.record().view());
        left.removeAll(destroyed);
        return left.isEmpty() && survivor >= 0 ? List.of(cluster.replicaId(survivor)) : left;
    }

    boolean hasDamaged() {
        return damaged >= 0;
    }

    /** Whether blocks on the replica's disk may be wrong, which a read of the replica alone may meet. Those that were made from a damaged one that was alone may lack the same. */
    boolean isDamaged(int replica) {
        return damaged == replica || damageMayStay;
    }

    /**
     * Whether losses met so unhappily that no opener may go on by itself: a replica of the view lost its disk while the engine was taking the others
     * out, or was not yet out when the others lost power. Only salvage helps, as it says.
     */
    boolean isSalvageNeeded() {
        boolean someDestroyed = false;
        for (UUID member : cluster.record().view()) {
            if (destroyed.contains(member)) {
                someDestroyed = true;
            } else if ((unsure & 1 << cluster.indexOf(member)) == 0) {
                return false;
            }
        }
        return someDestroyed;
    }

    int replica() {
        return random.below(cluster.replicaHosts.size());
    }

    private SimHost anyHost() {
        List<SimHost> hosts = cluster.allHosts();
        return hosts.get(random.below(hosts.size()));
    }

    long shortWhile() {
        return random.oneIn(3) ? random.between(MILLI, 50 * MILLI) : random.between(MILLI, 5_000 * MILLI);
    }

    private void killServer() {
        SimProcess process = cluster.serverProcess(replica());
        if (process != null) {
            process.kill();
        }
    }

    private void losePower() {
        lose(anyHost(), shortWhile());
    }

    private void lose(SimHost host, long downFor) {
        int index = cluster.replicaHosts.indexOf(host);
        if (over || !host.isUp() || (index >= 0 && wiped != 0)) {
            return;
        }
        if (index >= 0) {
            unsure |= 1 << index;
        }
        cluster.losePower(host);
        scheduler.after(downFor, () -> {
            cluster.boot(host);
            if (index >= 0) {
                cluster.startServer(index);
            }
        });
    }

    private void losePowerEverywhere() {
        long spread = random.coin() ? 0 : random.between(MILLI, 500 * MILLI);
        for (SimHost host : cluster.replicaHosts) {
            if (!random.oneIn(8)) {
                scheduler.after(random.below(spread + 1), () -> lose(host, shortWhile()));
            }
        }
    }

    private void killEngine() {
        SimulatedCluster.Session session = cluster.current();
        if (session != null) {
            session.process.kill();
        }
    }

    private void pauseEngine() {
        SimulatedCluster.Session session = cluster.current();
        if (session != null) {
            session.process.pause(shortWhile());
        }
    }

    private void pauseServer() {
        SimProcess process = cluster.serverProcess(replica());
        if (process != null && process.isAlive()) {
            process.pause(shortWhile());
        }
    }

    private void suspend() {
        SimHost host = anyHost();
        if (host.isUp() && (suspendsEngines || !cluster.engineHosts.contains(host))) {
            host.suspend(shortWhile());
        }
    }

    private void jumpClock() {
        SimHost host = anyHost();
        boolean back = !(suspendsEngines && cluster.engineHosts.contains(host)) && random.coin();
        host.jumpWallClock((back ? -1 : 1) * random.between(1L, 7_200_000L));
    }

    private void cutConnection() {
        SimConnection connection = cluster.network.anyConnection();
        if (connection != null) {
            connection.cut(random.oneIn(3));
        }
    }

    private void partition() {
        SimHost a = anyHost();
        SimHost b = anyHost();
        if (!a.equals(b)) {
            block(a, b, random.below(3), shortWhile());
        }
    }

    private void block(SimHost a, SimHost b, int direction, long time) {
        if (direction != 1) {
            cluster.network.block(a, b);
        }
        if (direction != 2) {
            cluster.network.block(b, a);
        }
        if (random.oneIn(3)) {
            cluster.network.cut(a, b);
        }
        scheduler.after(time, () -> {
            cluster.network.unblock(a, b);
            cluster.network.unblock(b, a);
        });
    }

    /** What the engine had sent to one replica only goes with it out of sight. */
    private void killEngineAndHideReplica() {
        isolate(cluster.replicaHosts.get(replica()), random.between(1000 * MILLI, 8000 * MILLI));
        killEngine();
    }

    private void isolate() {
        isolate(anyHost(), shortWhile());
    }

    private void isolate(SimHost host, long time) {
        isolate(host, time, random.below(3));
    }

    /** @param direction 0 both, 1 nothing gets there, 2 nothing comes from there */
    void isolate(SimHost host, long time, int direction) {
        for (SimHost other : cluster.allHosts()) {
            if (!other.equals(host)) {
                block(host, other, direction, time);
            }
        }
    }

    private void raceEngines() {
        SimulatedCluster.Session old = cluster.current();
        if (old == null || !old.opened) {
            return;
        }
        cluster.startEngine();
        if (random.coin()) {
            scheduler.after(shortWhile(), () -> old.process.kill());
        }
    }

    private void wipe() {
        wipe(replica());
    }

    /** Loses a replica's disk for ever, if that is within the promise now, and says whether. */
    boolean wipe(int replica) {
        int view = cluster.view();
        int others = view & ~(1 << replica) & ~wiped & ~unsure;
        if (wiped != 0 || Integer.bitCount(view) < 2 || others == 0 || (view & unsure) != 0) {
            return false;
        }
        SimHost host = cluster.replicaHosts.get(replica);
        SimProcess process = cluster.serverProcess(replica);
        if (!host.isUp() || process == null) {
            return false;
        }
        scheduler.note(host.name(), "disk replaced", 0, 0);
        process.kill();
        destroyed.add(cluster.replicaId(replica));
        cluster.servers.get(replica).wipe();
        cluster.history.lost(replica);
        if ((view & 1 << replica) != 0) {
            wiped |= 1 << replica;
        }
        return true;
    }

    private void loseAllButOne() {
        int left = replica();
        if (random.coin() && mayLoseAllBut(left)) {
            loseAllBut(left);
        }
    }

    /** Whether it is within the promise now. The replica that is left may have lost its disk while it was about to join. */
    boolean mayLoseAllBut(int left) {
        int view = cluster.view();
        return !over
                && wiped == 0
                && damaged < 0
                && (view & unsure) == 0
                && Integer.bitCount(view) >= 2
                && (view & 1 << left) != 0
                && !destroyed.contains(cluster.replicaId(left));
    }

    /**
     * Every replica's host loses power, and of the view's disks only that one is left. The engines go with them: one that lived on might have heard of the others' end
     * first and confirm by the word of a replica whose disk is gone already, against which no volume is safe.
     */
    void loseAllBut(int left) {
        int view = cluster.view();
        survivor = left;
        cluster.sessions.forEach(session -> session.process.kill());
        for (int i = 0; i < cluster.replicaHosts.size(); i++) {
            lose(cluster.replicaHosts.get(i), shortWhile());
        }
        for (int i = 0; i < cluster.replicaHosts.size(); i++) {
            if (i != survivor && (view & 1 << i) != 0) {
                scheduler.note(cluster.replicaHosts.get(i).name(), "disk lost for ever", 0, 0);
                destroyed.add(cluster.replicaId(i));
                cluster.servers.get(i).wipe();
                wiped |= 1 << i;
            }
        }
    }

    private void registryDown() {
        cluster.registry.down(true);
        scheduler.after(shortWhile(), () -> cluster.registry.down(false));
    }

    @Nullable
    SimDisk files(int replica) {
        return cluster.servers.get(replica).files();
    }

    /** The server dies in one of its next file operations, or its host loses power in it. */
    private void crashInFileOperation() {
        int replica = replica();
        SimDisk files = files(replica);
        SimProcess process = cluster.serverProcess(replica);
        if (files == null || process == null) {
            return;
        }
        boolean power = random.oneIn(3);
        files.armCrash(random.below(random.oneIn(3) ? 300 : 30), () -> {
            if (power) {
                lose(cluster.replicaHosts.get(replica), shortWhile());
            }
            SimProcess running = cluster.serverProcess(replica);
            if (running != null) {
                running.kill();
            }
        });
    }

    private void failSync() {
        SimDisk files = files(replica());
        if (files != null && wiped == 0) {
            files.failSyncs(random.between(1, 2));
        }
    }

    /** A sync of the replica's disk has just failed. */
    void syncFailed(int replica) {
        cluster.history.lost(replica);
    }

    private void failWrite() {
        SimDisk files = files(replica());
        if (files != null) {
            files.failWrites(1);
        }
    }

    private void damage() {
        int replica = damaged < 0 ? replica() : damaged;
        SimDisk files = files(replica);
        int others = cluster.view() & ~(1 << replica);
        if (files == null || wiped != 0 || others == 0) {
            return;
        }
        damaged = replica;
        if (random.oneIn(4)) {
            damageJournal(replica, files);
            return;
        }
        for (int i = random.between(1, 3); i > 0; i--) {
            if (random.oneIn(3)) {
                files.spoilPage("replicas/", ".data");
            } else {
                files.dropCaches();
                files.flipBit("replicas/", ".data");
            }
        }
    }

    /** Damages the journal of a replica, if that is within the promise now, and says whether. */
    boolean damageJournal(int replica) {
        SimDisk files = files(replica);
        int others = cluster.view() & ~(1 << replica);
        if (files == null || wiped != 0 || others == 0 || (damaged >= 0 && damaged != replica)) {
            return false;
        }
        damaged = replica;
        return damageJournal(replica, files);
    }

    /** What a restart finds wrong in the journal the replica has to own up to: the others have it all. */
    private boolean damageJournal(int replica, SimDisk files) {
        SimProcess process = cluster.serverProcess(replica);
        if (process == null || !process.isAlive()) {
            return false;
        }
        process.kill();
        files.dropCaches();
        if (files.flipBit("journal/", "").isEmpty()) {
            return false;
        }
        unsure |= 1 << replica;
        cluster.history.lost(replica);
        return true;
    }

    private void fillDisk() {
        SimDisk files = files(replica());
        if (files != null) {
            files.quotaBytes(files.usedBytes() + random.below(random.oneIn(3) ? 3 << 20 : 300 << 10));
            if (random.coin()) {
                scheduler.after(shortWhile(), () -> files.quotaBytes(1L << 40));
            }
        }
    }

    private void slowDisk() {
        SimDisk files = files(replica());
        if (files != null) {
            files.slowness(random.between(2, 200));
            scheduler.after(shortWhile(), () -> files.slowness(1));
        }
    }
}
