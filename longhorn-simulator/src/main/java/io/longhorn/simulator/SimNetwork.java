package io.longhorn.simulator;

import io.longhorn.replica.wire.Connection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Connections between processes. Within a connection everything arrives in order; between connections nothing is ordered. A path between
 * two hosts can be blocked in one direction or both: what is under way then waits, as with TCP, until the path opens again or the
 * connection is cut.
 */
public final class SimNetwork {
    /** A connect that finds nobody fails after this time. */
    public static final long CONNECT_LIMIT_NANOS = 2_000_000_000L;

    private final SimScheduler scheduler;
    private final SimMemory memory;
    private final Map<String, Listener> listeners = new HashMap<>();
    private final Set<Path> blocked = new HashSet<>();
    private final List<SimConnection> connections = new ArrayList<>();
    private Delays delays = new Delays(20_000, 300_000, 20_000_000, 5);
    private int flipsPerMillion;
    private Tap tap = (from, to, buffer, offset, length) -> {};
    private int flipped;

    public SimNetwork(SimScheduler scheduler, SimMemory memory) {
        this.scheduler = scheduler;
        this.memory = memory;
    }

    /**
     * How long frames take.
     *
     * @param low at least, in nanoseconds
     * @param high usually at most
     * @param spike now and then at most
     * @param spikePermille how often that is
     */
    public record Delays(long low, long high, long spike, int spikePermille) {}

    /** Sees each frame as it arrives at a host, before the receiver does. */
    public interface Tap {
        void frame(SimProcess from, SimProcess to, java.nio.ByteBuffer buffer, int offset, int length);
    }

    private record Path(SimHost from, SimHost to) {}

    private record Listener(SimProcess process, SimLoop loop, Connection.Acceptor acceptor) {}

    public void delays(Delays now) {
        delays = now;
    }

    /** Flips one bit in so many of a million deliveries. */
    public void flipsPerMillion(int rate) {
        flipsPerMillion = rate;
    }

    public void tap(Tap watcher) {
        tap = watcher;
    }

    /** Bits flipped so far. */
    public int flipped() {
        return flipped;
    }

    SimScheduler scheduler() {
        return scheduler;
    }

    SimMemory memory() {
        return memory;
    }

    Tap tap() {
        return tap;
    }

    /** Connections accepted at {@code endpoint} belong to {@code loop}. The endpoint is free again when the loop's process dies. */
    public void listen(SimLoop loop, String endpoint, Connection.Acceptor acceptor) {
        SimProcess process = loop.process();
        Listener listener = new Listener(process, loop, acceptor);
        Listener before = listeners.put(endpoint, listener);
        if (before != null && before.process.isAlive()) {
            throw new IllegalStateException(endpoint + " is already in use by " + before.process.name());
        }
        process.atDeath(() -> listeners.remove(endpoint, listener));
    }

    /** Connects from any loop of {@code process}. */
    public Connection.Connector connector(SimProcess process) {
        return (loop, endpoint, result) -> {
            if (!(loop instanceof SimLoop simLoop) || simLoop.process() != process) {
                throw new IllegalArgumentException("not a loop of " + process.name());
            }
            connect(simLoop, endpoint, result);
        };
    }

    private void connect(SimLoop loop, String endpoint, Connection.Connector.Result result) {
        scheduler.at(scheduler.now() + loop.busyNanos() + delay(), () -> {
            Listener listener = listeners.get(endpoint);
            if (listener == null
                    || isBlocked(loop.process().host(), listener.process.host())
                    || isBlocked(listener.process.host(), loop.process().host())) {
                // A dead process on a host that is up refuses at once; a dead or cut-off host says nothing.
                boolean refused = listener == null && scheduler.random().coin();
                tellLater(
                        loop,
                        refused ? delay() : CONNECT_LIMIT_NANOS,
                        () -> result.onFailed((refused ? "refused by " : "no answer from ") + endpoint));
                return;
            }
            SimConnection near = new SimConnection(this, loop, endpoint);
            SimConnection far =
                    new SimConnection(this, listener.loop, loop.process().name());
            near.join(far);
            connections.add(near);
            connections.add(far);
            scheduler.note(loop.process().name(), "connected", near.number(), far.number());
            // The kernel accepts even while the listening process is paused.
            listener.loop.input(() -> far.begin(listener.acceptor.onAccepted(far)));
            tellLater(loop, delay(), () -> near.begin(result.onConnected(near)));
        });
    }

    private void tellLater(SimLoop loop, long delay, Runnable news) {
        scheduler.after(delay, () -> loop.input(news));
    }

    /** A random delay of one message. */
    long delay() {
        SimRandom random = scheduler.random();
        return random.permille(delays.spikePermille)
                ? random.between(delays.high, delays.spike)
                : random.between(delays.low, delays.high);
    }

    /** Which bit of the next delivery of {@code bits} bits to flip, or -1. */
    long flip(long bits) {
        if (flipsPerMillion == 0 || scheduler.random().below(1_000_000) >= flipsPerMillion) {
            return -1;
        }
        flipped++;
        scheduler.note("network", "flips a bit", flipped, 0);
        return scheduler.random().below(bits);
    }

    boolean isBlocked(SimHost from, SimHost to) {
        return !blocked.isEmpty() && blocked.contains(new Path(from, to));
    }

    /** Nothing gets from {@code from} to {@code to} until {@link #unblock}. */
    public void block(SimHost from, SimHost to) {
        scheduler.note(from.name(), "blocked to", to.name().hashCode(), 0);
        blocked.add(new Path(from, to));
    }

    public void unblock(SimHost from, SimHost to) {
        if (blocked.remove(new Path(from, to))) {
            scheduler.note(from.name(), "unblocked to", to.name().hashCode(), 0);
            resume();
        }
    }

    /** Opens every path. */
    public void unblockAll() {
        blocked.clear();
        resume();
    }

    private void resume() {
        for (SimConnection connection : new ArrayList<>(connections)) {
            connection.resumeArrivals();
        }
    }

    /** Cuts every connection between the two hosts; each end hears of it after a delay of its own, or not by itself. */
    public void cut(SimHost a, SimHost b) {
        for (SimConnection connection : new ArrayList<>(connections)) {
            SimHost near = connection.host();
            SimHost far = connection.peerHost();
            if ((near == a && far == b) || (near == b && far == a)) {
                connection.cut(scheduler.random().oneIn(4));
            }
        }
    }

    /** A random open connection, or null. */
    public @Nullable SimConnection anyConnection() {
        return connections.isEmpty() ? null : connections.get(scheduler.random().below(connections.size()));
    }

    void forget(SimConnection connection) {
        connections.remove(connection);
    }

    /** Connection ends that exist. */
    public int connectionEnds() {
        return connections.size();
    }

    /** Returns the memory of all connections at the end of a run. */
    public void close() {
        for (SimConnection connection : new ArrayList<>(connections)) {
            connection.vanish();
        }
    }
}
