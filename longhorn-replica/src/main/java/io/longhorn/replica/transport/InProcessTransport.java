package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.Loop;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections inside one process, between any two loops or on one. Endpoints are names that somebody accepts under. Each frame is copied into
 * the receiver's memory; frames sent in one turn arrive as one batch. Safe for any thread.
 */
public final class InProcessTransport implements Connection.Connector {
    private static final Logger LOG = LoggerFactory.getLogger(InProcessTransport.class);

    private final TransportLimits limits;
    private final Map<String, Door> doors;

    public InProcessTransport(TransportLimits limits) {
        this(limits, new ConcurrentHashMap<>());
    }

    private InProcessTransport(TransportLimits limits, Map<String, Door> doors) {
        this.limits = Objects.requireNonNull(limits, "limits");
        this.doors = doors;
    }

    /** The same names under other limits. */
    public InProcessTransport withLimits(TransportLimits other) {
        return new InProcessTransport(other, doors);
    }

    /**
     * Accepts connections under {@code name}, on {@code loop}, until the result is closed.
     *
     * @throws IllegalStateException if somebody accepts under that name already
     */
    public Registration listen(NioLoop loop, String name, Connection.Acceptor acceptor) {
        Door door = new Door(loop, acceptor);
        if (doors.putIfAbsent(name, door) != null) {
            throw new IllegalStateException("somebody accepts connections under " + name + " already");
        }
        return () -> doors.remove(name, door);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Any thread may call this.
     *
     * @param loop a {@link NioLoop}
     */
    @Override
    public void connect(Loop loop, String endpoint, Result result) {
        if (!(loop instanceof NioLoop near)) {
            throw new IllegalArgumentException("this transport needs a NioLoop, not " + loop);
        }
        near.execute(() -> new Attempt(near, endpoint, result).start());
    }

    /** One connect. Belongs to the connecting side's loop. */
    private final class Attempt {
        private final NioLoop near;
        private final String endpoint;
        private final Result result;
        private boolean decided;

        Attempt(NioLoop near, String endpoint, Result result) {
            this.near = near;
            this.endpoint = endpoint;
            this.result = result;
        }

        void start() {
            Door door = doors.get(endpoint);
            if (door == null) {
                fail("nobody accepts under that name");
                return;
            }
            InProcessConnection client = new InProcessConnection(near, endpoint, limits);
            InProcessConnection server = new InProcessConnection(door.loop, "in process " + endpoint, limits);
            client.join(server);
            Loop.Timer limit = near.schedule(
                    limits.connect().toNanos(),
                    () -> fail("no answer within " + limits.connect().toMillis() + " ms"));
            try {
                door.loop.execute(() -> {
                    server.open(door.acceptor::onAccepted);
                    near.execute(() -> succeed(client, limit));
                });
            } catch (RejectedExecutionException e) {
                LOG.debug("{} is gone", endpoint, e);
                limit.cancel();
                fail("its loop is closed");
            }
        }

        private void succeed(InProcessConnection client, Loop.Timer limit) {
            if (decided) {
                client.close();
                return;
            }
            decided = true;
            limit.cancel();
            client.open(result::onConnected);
        }

        private void fail(String cause) {
            if (!decided) {
                decided = true;
                result.onFailed("cannot connect to " + endpoint + ": " + cause);
            }
        }
    }

    private record Door(NioLoop loop, Connection.Acceptor acceptor) {}

    /** Ends the accepting under a name; connections stay. */
    public interface Registration extends AutoCloseable {
        @Override
        void close();
    }
}
