package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Servers that each listen on one address and are shared by all who are shown there. A server starts with the first of them and ends after the last, but for the usual one, which
 * keeps its port. Any thread; those who start or end a server wait for each other.
 */
final class SharedServers<S extends AutoCloseable> implements AutoCloseable {

    private static final String FREE_PORT = "127.0.0.1:0";

    private final Function<String, S> starting;
    private final Function<S, String> address;
    private final Map<String, Shared<S>> running = new HashMap<>();

    /** Where to listen if nobody says where: an address that was given, or the first that was found. */
    private @Nullable String usual;

    private boolean closed;

    private static final class Shared<S> {
        private final S server;
        private int users;

        Shared(S server) {
            this.server = server;
        }
    }

    /**
     * @param starting listens at an address
     * @param address where a server listens, with the port that was found for 0
     */
    SharedServers(Optional<HostPort> usual, Function<String, S> starting, Function<S, String> address) {
        this.starting = starting;
        this.address = address;
        this.usual = usual.map(HostPort::toString).orElse(null);
    }

    /**
     * Uses the server at an address.
     *
     * @param listen empty for the usual one
     * @param use given the address as it was found, and the server
     */
    synchronized <T> T use(String listen, BiFunction<String, S, T> use) {
        if (closed) {
            throw new IllegalStateException("the frontend is closed");
        }
        boolean isUsual = listen.isEmpty();
        String wanted = isUsual ? (usual == null ? FREE_PORT : usual) : listen;
        Shared<S> shared = running.get(wanted);
        String found = wanted;
        if (shared == null) {
            shared = new Shared<>(starting.apply(wanted));
            found = address.apply(shared.server);
            running.put(found, shared);
        }
        if (isUsual) {
            usual = found;
        }
        shared.users++;
        boolean used = false;
        try {
            T result = use.apply(found, shared.server);
            used = true;
            return result;
        } finally {
            if (!used) {
                release(found, shared);
            }
        }
    }

    /** Ends a use that {@link #use} began. */
    void leave(String listen, Consumer<S> ending) {
        Shared<S> shared;
        synchronized (this) {
            shared = running.get(listen);
        }
        if (shared == null) {
            return;
        }
        // May wait for clients, so not while others are kept out.
        ending.accept(shared.server);
        synchronized (this) {
            release(listen, shared);
        }
    }

    private void release(String listen, Shared<S> shared) {
        shared.users--;
        if (shared.users == 0 && !listen.equals(usual)) {
            running.remove(listen);
            close(shared.server);
        }
    }

    synchronized Optional<S> find(String listen) {
        return Optional.ofNullable(running.get(listen)).map(shared -> shared.server);
    }

    private void close(S server) {
        try {
            server.close();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        running.values().forEach(shared -> close(shared.server));
        running.clear();
    }
}
