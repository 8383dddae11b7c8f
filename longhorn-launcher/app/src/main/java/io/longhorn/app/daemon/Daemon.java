package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import io.longhorn.InsecureListenException;
import io.longhorn.Longhorn;
import io.longhorn.app.CommandFailure;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node daemon: volumes of one directory, shown to other programs by frontends, under the orders of an HTTP API. What was attached when it ended, in whatever way, is attached
 * again when it starts. Any thread; {@link #close} returns when everything confirmed is where it belongs.
 */
public final class Daemon implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

    /** Opened last, closed first. */
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private final CountDownLatch restored = new CountDownLatch(1);
    private final Routes routes;
    private final ApiServer api;
    private boolean closed;

    private Daemon(DaemonSettings settings) throws IOException {
        try {
            InetSocketAddress listen = listenAddress(settings.api());
            requireSecured(settings, listen);
            ApiTokens tokens = settings.tokenFile().isPresent()
                    ? ApiTokens.of(settings.tokenFile().get())
                    : ApiTokens.none();
            NodeStore store = opened(NodeStore.open(settings));
            EventLog events = new EventLog();
            Longhorn longhorn = store.longhorn();
            OpenVolumes open = new OpenVolumes(longhorn, events::tell);
            Attachments attachments =
                    opened(new Attachments(open, Frontends.of(settings), store.attachments(), events));
            Operations operations = opened(new Operations(events));
            routes = new Routes();
            new VolumeRoutes(longhorn, open, attachments, operations, events).addTo(routes);
            new BackupRoutes(longhorn, open, operations, events).addTo(routes);
            addOwn(routes, attachments, new Metrics(longhorn, open, attachments, operations));
            api = opened(ApiServer.start(listen, routes, tokens, settings.apiTls(), events));
            attachments.restore(restored::countDown);
        } catch (IOException | RuntimeException e) {
            closeParts();
            throw e;
        }
    }

    /**
     * Starts one.
     *
     * @throws InsecureListenException if the API would listen beyond loopback without a token, and without asking for certificates
     * @throws IOException if a file cannot be used, or an address not be listened on
     * @throws io.longhorn.DiskLockedException if another daemon uses the directory
     */
    public static Daemon start(DaemonSettings settings) throws IOException {
        return new Daemon(settings);
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    private static InetSocketAddress listenAddress(HostPort address) throws UnknownHostException {
        InetSocketAddress resolved = new InetSocketAddress(address.host(), address.port());
        if (resolved.isUnresolved()) {
            throw new UnknownHostException("unknown host " + address.host());
        }
        return resolved;
    }

    private static void requireSecured(DaemonSettings settings, InetSocketAddress listen) {
        boolean provesClients = settings.tokenFile().isPresent()
                || settings.apiTls().flatMap(ApiTls::authority).isPresent();
        if (listen.getAddress().isLoopbackAddress() || provesClients) {
            return;
        }
        if (settings.apiTls().isPresent()) {
            throw new CommandFailure("listening on " + settings.api()
                    + " with TLS alone lets everybody in; add --api-token-file or --api-tls-ca");
        }
        throw new InsecureListenException(settings.api().toString());
    }

    private static void addOwn(Routes routes, Attachments attachments, Metrics metrics) {
        byte[] description = resource("openapi.json");
        routes.addOpen("GET", "/healthz", request -> Reply.ok(Map.of("status", "ok")))
                .addOpen("GET", "/readyz", request -> readiness(attachments))
                .add("GET", "/metrics", request -> Reply.text(MetricsText.CONTENT_TYPE, metrics.text()))
                .add(
                        "GET",
                        "/openapi.json",
                        request -> Reply.text("application/json", new String(description, StandardCharsets.UTF_8)));
    }

    /** Not ready as long as something that was attached before a restart has not been tried. What failed then is told by its volume. */
    private static Reply readiness(Attachments attachments) {
        boolean ready = attachments.isRestored();
        List<String> missing = attachments.all().stream()
                .filter(state -> !state.isShown())
                .map(state -> state.attachment().key())
                .toList();
        return Reply.json(ready ? 200 : 503, Map.of("status", ready ? "ready" : "starting", "notAttached", missing));
    }

    static byte[] resource(String name) {
        try (InputStream input = Objects.requireNonNull(Daemon.class.getResourceAsStream(name), name)) {
            return input.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException("the jar is damaged: " + name, e);
        }
    }

    /** Where the API listens. */
    public HostPort address() {
        return api.address();
    }

    /** What the API can do. */
    Routes routes() {
        return routes;
    }

    /** Waits until all that was attached before was tried once; false if that takes longer. */
    public boolean awaitRestored(long limit, TimeUnit unit) throws InterruptedException {
        return restored.await(limit, unit);
    }

    /** Takes no more orders, ends what runs, and closes frontends and volumes; the next start attaches them again. Does nothing the second time. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            closeParts();
        }
    }

    private void closeParts() {
        while (!parts.isEmpty()) {
            AutoCloseable part = parts.pop();
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("not closed in order: {}", part.getClass().getSimpleName(), e);
            }
        }
    }
}
