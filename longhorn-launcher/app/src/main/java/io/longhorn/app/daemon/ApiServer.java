package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import io.longhorn.app.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.server.handler.MinimumDataRateHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.URIUtil;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings HTTP requests to their {@link Routes}. Each runs on a thread of a small pool, which it may block; whoever finds none free waits in the socket. What clients send is
 * bounded here, and who they are is checked, before a route sees it.
 */
final class ApiServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);

    /** Larger than any request of ours: labels and credentials. */
    static final int BODY_BYTES_MAX = 64 << 10;

    /** A client that is told so while it still sends may lose the answer, so that much is taken and dropped first. */
    private static final long DROPPED_BYTES_MAX = 1 << 20;

    /** Each event stream takes a thread. */
    static final int STREAMS_MAX = 16;

    private static final int THREADS_MAX = 48;
    private static final int THREADS_MIN = 4;
    private static final int CONNECTIONS_MAX = 512;

    /** A client that sends or takes nothing for so long is disconnected; event streams say something more often. */
    private static final Duration IDLE_LIMIT = Duration.ofSeconds(30);

    private static final Duration HEARTBEAT = Duration.ofSeconds(10);

    /** Against bodies that come byte by byte. */
    private static final long REQUEST_BYTES_PER_SECOND_MIN = 128;

    private static final Pattern ADDRESS_OR_LOCALHOST =
            Pattern.compile("(localhost|[0-9.]+|\\[[0-9a-fA-F:.%]+\\])(:[0-9]+)?", Pattern.CASE_INSENSITIVE);

    private final Routes routes;
    private final ApiTokens tokens;
    private final EventLog events;
    private final Semaphore streams = new Semaphore(STREAMS_MAX);
    private final Server server;
    private final ServerConnector connector;

    private ApiServer(InetSocketAddress listen, Routes routes, ApiTokens tokens, Optional<ApiTls> tls, EventLog events)
            throws IOException {
        this.routes = routes;
        this.tokens = tokens;
        this.events = events;
        QueuedThreadPool threads = new QueuedThreadPool(THREADS_MAX, THREADS_MIN);
        threads.setName("longhorn-api");
        threads.setDaemon(true);
        server = new Server(threads);
        HttpConfiguration configuration = new HttpConfiguration();
        configuration.setSendServerVersion(false);
        HttpConnectionFactory http = new HttpConnectionFactory(configuration);
        connector = tls.isEmpty()
                ? new ServerConnector(server, 1, 1, http)
                : new ServerConnector(
                        server, 1, 1, new SslConnectionFactory(tls.get().factory(), http.getProtocol()), http);
        connector.setHost(listen.getAddress().getHostAddress());
        connector.setPort(listen.getPort());
        connector.setIdleTimeout(IDLE_LIMIT.toMillis());
        server.addConnector(connector);
        server.addBean(new NetworkConnectionLimit(CONNECTIONS_MAX, connector));
        server.setHandler(new MinimumDataRateHandler(new Dispatch(), REQUEST_BYTES_PER_SECOND_MIN, 0));
        server.setErrorHandler(new Refusals());
        server.setStopTimeout(0);
    }

    /** Listens. The address must have been looked up. */
    static ApiServer start(
            InetSocketAddress listen, Routes routes, ApiTokens tokens, Optional<ApiTls> tls, EventLog events)
            throws IOException {
        ApiServer api = new ApiServer(listen, routes, tokens, tls, events);
        try {
            api.server.start();
            return api;
        } catch (Exception e) {
            api.close();
            if (e instanceof BindException || e.getCause() instanceof BindException) {
                throw new IOException(
                        "cannot listen on " + new HostPort(listen.getAddress().getHostAddress(), listen.getPort())
                                + ": the address is in use or not of this machine",
                        e);
            }
            throw e instanceof IOException io ? io : new IOException("the API does not start: " + e.getMessage(), e);
        }
    }

    HostPort address() {
        return new HostPort(connector.getHost(), connector.getLocalPort());
    }

    /** Ends event streams and the requests that run; they must have been given reason to end. */
    @Override
    public void close() {
        events.close();
        try {
            server.stop();
        } catch (Exception e) {
            LOG.warn("the API did not stop in order: {}", e.toString());
        }
    }

    private final class Dispatch extends Handler.Abstract {

        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            try {
                Reply reply = answer(request);
                if (reply instanceof Reply.Events wanted) {
                    stream(response, wanted);
                    callback.succeeded();
                } else {
                    send(response, (Reply.Document) reply, callback);
                }
            } catch (IOException | UncheckedIOException e) {
                callback.failed(e);
            }
            return true;
        }
    }

    private Reply answer(Request request) throws IOException {
        try {
            requireFriendly(request);
            List<String> path = path(request);
            String method = request.getMethod().equals("HEAD") ? "GET" : request.getMethod();
            Routes.Found found = routes.find(method, path).orElse(null);
            if (!(found != null && found.route().open())
                    && !tokens.allow(request.getHeaders().get(HttpHeader.AUTHORIZATION))) {
                return Reply.problem(
                        Problem.of(new ApiException(
                                401, "UNAUTHORIZED", "a bearer token that the daemon knows is needed")),
                        Map.of("WWW-Authenticate", "Bearer"));
            }
            if (found == null) {
                return notFound(request, path);
            }
            if (request.getHttpURI().getQuery() != null) {
                throw ApiException.badRequest("there are no query parameters");
            }
            return found.route().action().answer(new ApiRequest(found.parameters(), body(request), lastEvent(request)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Reply.problem(Problem.of(new ApiException(503, "STOPPING", "the daemon stops")));
        } catch (RuntimeException e) {
            return Reply.problem(Problem.of(e));
        }
    }

    private Reply notFound(Request request, List<String> path) {
        String asked = request.getHttpURI().getPath();
        Set<String> methods = routes.methods(path);
        if (methods.isEmpty()) {
            return Reply.problem(Problem.of(new ApiException(404, "NO_SUCH_PATH", "there is nothing at " + asked)));
        }
        String allowed = String.join(", ", methods);
        return Reply.problem(
                Problem.of(new ApiException(
                        405,
                        "METHOD_NOT_ALLOWED",
                        request.getMethod() + " is not for " + asked + "; that knows " + allowed)),
                Map.of("Allow", allowed));
    }

    /** Web pages of others must not use the browser of somebody on this machine to talk to us. */
    private void requireFriendly(Request request) {
        String host = request.getHeaders().get(HttpHeader.HOST);
        if (!tokens.areRequired()
                && host != null
                && !ADDRESS_OR_LOCALHOST.matcher(host).matches()) {
            throw new ApiException(
                    403, "FORBIDDEN", "without a token the API answers only to an IP address or localhost");
        }
        String origin = request.getHeaders().get(HttpHeader.ORIGIN);
        if (origin != null && !origin.endsWith("://" + host)) {
            throw new ApiException(403, "FORBIDDEN", "requests of other web pages are refused");
        }
    }

    private static List<String> path(Request request) {
        List<String> parts = new ArrayList<>();
        for (String part : Route.parts(request.getHttpURI().getCanonicalPath())) {
            parts.add(URIUtil.decodePath(part));
        }
        return parts;
    }

    private static OptionalLong lastEvent(Request request) {
        String id = request.getHeaders().get("Last-Event-ID");
        if (id == null) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(Long.parseLong(id));
        } catch (NumberFormatException e) {
            throw ApiException.badRequest("Last-Event-ID must be the number of an event, was \"" + id + "\"");
        }
    }

    private static String body(Request request) throws IOException {
        InputStream body = Request.asInputStream(request);
        byte[] bytes = body.readNBytes(BODY_BYTES_MAX + 1);
        if (bytes.length > BODY_BYTES_MAX) {
            drop(body);
            throw new ApiException(413, "BODY_TOO_LARGE", "a body has at most " + BODY_BYTES_MAX + " bytes");
        }
        if (bytes.length > 0) {
            String type = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
            if (type == null || !type.toLowerCase(Locale.ROOT).startsWith("application/json")) {
                throw new ApiException(415, "UNSUPPORTED_MEDIA_TYPE", "a body must be application/json");
            }
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static void drop(InputStream body) throws IOException {
        byte[] piece = new byte[BODY_BYTES_MAX];
        long dropped = 0;
        int count = 0;
        while (count >= 0 && dropped < DROPPED_BYTES_MAX) {
            count = body.read(piece);
            dropped += count;
        }
    }

    private static void send(Response response, Reply.Document document, Callback callback) {
        HttpFields.Mutable headers = response.getHeaders();
        response.setStatus(document.status());
        if (!document.contentType().isEmpty()) {
            headers.put(HttpHeader.CONTENT_TYPE, document.contentType());
        }
        document.headers().forEach(headers::put);
        headers.put(HttpHeader.CACHE_CONTROL, "no-store");
        response.write(true, ByteBuffer.wrap(document.content()), callback);
    }

    /** Until the client or the daemon goes. */
    private void stream(Response response, Reply.Events wanted) throws IOException {
        if (!streams.tryAcquire()) {
            Content.Sink.write(response, true, refusal(response));
            return;
        }
        try {
            response.setStatus(200);
            response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/event-stream");
            response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
            Content.Sink.write(response, false, bytes(": events follow\n\n"));
            long seen = wanted.after();
            while (!events.isClosed()) {
                List<EventLog.Entry> entries = events.after(seen, HEARTBEAT);
                StringBuilder text = new StringBuilder();
                for (EventLog.Entry entry : entries) {
                    seen = entry.number();
                    if (wanted.volume().isEmpty() || wanted.volume().equals(entry.volume())) {
                        text.append("id: ").append(entry.number()).append('\n');
                        text.append("event: ").append(entry.kind()).append('\n');
                        text.append("data: ").append(oneLine(entry)).append("\n\n");
                    }
                }
                Content.Sink.write(response, false, bytes(text.isEmpty() ? ":\n\n" : text.toString()));
            }
            Content.Sink.write(response, true, ByteBuffer.allocate(0));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            streams.release();
        }
    }

    private static ByteBuffer refusal(Response response) {
        Problem problem = Problem.of(
                new ApiException(503, "TOO_MANY_STREAMS", "there are " + STREAMS_MAX + " event streams already"));
        response.setStatus(problem.status());
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE);
        return bytes(Json.of(problem.json()));
    }

    private static String oneLine(EventLog.Entry entry) {
        return Json.line(entry.fields());
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Requests that are no HTTP, or beyond the limits of it, never get to a route. */
    private static final class Refusals extends ErrorHandler {

        @Override
        protected void generateResponse(
                Request request,
                Response response,
                int status,
                @Nullable String message,
                @Nullable Throwable cause,
                Callback callback) {
            send(response, (Reply.Document) Reply.problem(problem(status, message)), callback);
        }

        private static Problem problem(int status, @Nullable String reason) {
            return status < 500
                    ? new Problem(status, "BAD_REQUEST", 0, "FIX_ARGUMENT", reason == null ? "not HTTP" : reason)
                    : new Problem(status, "INTERNAL", 0, "FIX_SETUP", "the daemon failed; its log has more");
        }
    }
}
