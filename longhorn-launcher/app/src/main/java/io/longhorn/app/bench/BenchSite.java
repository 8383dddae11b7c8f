package io.longhorn.app.bench;

import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Volume;
import io.longhorn.app.CommandFailure;
import io.longhorn.app.ConnectionOptions;
import io.longhorn.app.Console;
import io.longhorn.app.ReplicaServers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** Where a bench measures: replica servers, a connection to them, and volumes made there. Used by one thread. */
final class BenchSite implements AutoCloseable {

    /** Of each volume. */
    static final int REPLICAS = 3;

    /** For what should take a few seconds, or, on a slow machine, some more. */
    static final Duration LIMIT = Duration.ofMinutes(2);

    private final BenchSettings settings;
    private final Console console;
    private final Optional<ReplicaServers> ownServers;
    private final List<HostPort> endpoints;
    private final Longhorn longhorn;
    private final String prefix = "bench-" + UUID.randomUUID().toString().substring(0, 8) + "-";
    private final Set<String> refused = new HashSet<>();
    private int names;

    /**
     * Connects.
     *
     * @param ownServers those that the bench started; empty if the settings name others
     */
    BenchSite(BenchSettings settings, Console console, Optional<ReplicaServers> ownServers) {
        this.settings = settings;
        this.console = console;
        this.ownServers = ownServers;
        endpoints = ownServers.map(ReplicaServers::addresses).orElse(settings.endpoints());
        longhorn = connect(0);
    }

    BenchSettings settings() {
        return settings;
    }

    List<HostPort> endpoints() {
        return endpoints;
    }

    /** Without a read cache. */
    Longhorn longhorn() {
        return longhorn;
    }

    /** One more connection. */
    Longhorn connect(long readCacheBytes) {
        LonghornConfig.Builder config =
                LonghornConfig.builder().registry(settings.registry()).readCacheBytes(readCacheBytes);
        endpoints.forEach(endpoint -> config.replicaServer(endpoint.toString()));
        ConnectionOptions connection = settings.connection();
        if (connection != null) {
            connection.token().ifPresent(config::token);
            connection.tls().ifPresent(tls -> config.tls(tls.certificate(), tls.key(), tls.authority()));
        }
        return Longhorn.connect(config.build());
    }

    /** The servers, for something that kills or stops them; without any of our own, says that it is left out. */
    Optional<ReplicaServers> serversFor(String what) {
        if (ownServers.isEmpty() && refused.add(what)) {
            console.remark("not measured: " + what + ". It kills or stops replica servers, and bench does that only to"
                    + " those it started itself, never to those of --endpoints");
        }
        return ownServers;
    }

    /** Of the engine, in this process, and of our own servers as they run now. */
    CpuMeter cpu() {
        return CpuMeter.ofSelfAnd(ownServers.map(ReplicaServers::pids).orElse(List.of()));
    }

    /** For a volume; no other has it. */
    String newName() {
        names++;
        return prefix + names;
    }

    /** Flushes the volume, and waits until the servers have nothing left to do for it. */
    void settle(Volume volume) {
        volume.flush();
        awaitQuiet();
    }

    /** Waits until engine and servers have nothing to do, for a bounded time. */
    void awaitQuiet() {
        try {
            new Settling(cpu()).awaitQuiet();
            awaitSpace();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("interrupted", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Giving space back takes the disk time, but no processor. */
    private void awaitSpace() throws IOException, InterruptedException {
        long began = System.nanoTime();
        while (ownServers.isPresent()
                && ownServers.get().deletedLeft() > 0
                && System.nanoTime() - began < LIMIT.toNanos()) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    @Override
    public void close() {
        longhorn.close();
    }
}
