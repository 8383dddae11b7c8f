package io.longhorn.app;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Talks to a daemon's API. Whatever it refuses becomes a {@link CommandFailure} with the daemon's own words. Any thread. */
public final class DaemonClient {

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);

    /** Longer than the daemon waits for anything. */
    private static final Duration ANSWER_LIMIT = Duration.ofMinutes(2);

    private static final long LOOK_MILLIS = 300;
    private static final int FAILED_FROM = 400;

    private final URI api;
    private final Optional<String> token;
    private final HttpClient http;

    /**
     * Connects to nothing yet.
     *
     * @param tls empty for what Java trusts
     */
    public DaemonClient(URI api, Optional<String> token, Optional<SSLContext> tls) {
        this.api = api;
        this.token = token;
        HttpClient.Builder builder =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_LIMIT);
        tls.ifPresent(builder::sslContext);
        this.http = builder.build();
    }

    /** Part of a path, as it may stand there. */
    public static String part(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** An answer that is one object. */
    public Map<String, Object> get(String path) {
        return object(send("GET", path, null));
    }

    /** An answer that is an array of objects. */
    public List<Map<String, Object>> list(String path) {
        if (send("GET", path, null) instanceof List<?> values) {
            return values.stream().map(DaemonClient::object).toList();
        }
        throw strange(path);
    }

    /** An answer that is one object, empty if there is none. */
    public Map<String, Object> post(String path, Map<String, ?> body) {
        return object(send("POST", path, body));
    }

    public Map<String, Object> put(String path, Map<String, ?> body) {
        return object(send("PUT", path, body));
    }

    public void delete(String path) {
        send("DELETE", path, null);
    }

    /**
     * Begins long work and waits for its end. When we are killed meanwhile, the daemon goes on.
     *
     * @return its result
     * @throws CommandFailure if it fails or is cancelled
     */
    public Map<String, Object> await(String path, Map<String, ?> body, ProgressLine progress)
            throws InterruptedException {
        Map<String, Object> operation = post(path, body);
        String place = "/v1/operations/" + operation.get("id");
        while (isUnderWay(operation)) {
            progress.progress(number(operation, "doneBytes"), number(operation, "totalBytes"));
            Thread.sleep(LOOK_MILLIS);
            operation = get(place);
        }
        if ("done".equals(operation.get("state"))) {
            progress.end();
            return operation.get("result") instanceof Map<?, ?> result ? object(result) : Map.of();
        }
        throw new CommandFailure(
                operation.get("problem") instanceof Map<?, ?> problem
                        ? String.valueOf(problem.get("detail"))
                        : "cancelled at the daemon");
    }

    private static boolean isUnderWay(Map<String, Object> operation) {
        Object state = operation.get("state");
        return "waiting".equals(state) || "running".equals(state);
    }

    /**
     * Follows events until the daemon ends the stream.
     *
     * @param listener told the kind and the data of each
     */
    public void events(String path, BiConsumer<String, Map<String, Object>> listener) {
        HttpRequest request = request(path).GET().build();
        HttpResponse<Stream<String>> response = exchange(request, HttpResponse.BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            if (response.statusCode() >= FAILED_FROM) {
                throw failure(response.statusCode(), String.join("\n", lines.toList()));
            }
            String[] kind = {""};
            lines.forEach(line -> {
                if (line.startsWith("event: ")) {
                    kind[0] = line.substring("event: ".length());
                } else if (line.startsWith("data: ")) {
                    listener.accept(kind[0], JsonReader.readObject(line.substring("data: ".length())));
                }
            });
        }
    }

    private static long number(Map<String, Object> fields, String name) {
        return fields.get(name) instanceof Long number ? number : 0;
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(api.resolve(path));
        token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        return request;
    }

    private @Nullable Object send(String method, String path, @Nullable Map<String, ?> body) {
        HttpRequest.Builder request = request(path).timeout(ANSWER_LIMIT);
        if (body == null) {
            request.method(method, HttpRequest.BodyPublishers.noBody());
        } else {
            request.header("Content-Type", "application/json")
                    .method(method, HttpRequest.BodyPublishers.ofString(Json.of(body)));
        }
        HttpResponse<String> response = exchange(request.build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= FAILED_FROM) {
            throw failure(response.statusCode(), response.body());
        }
        return response.body().isEmpty() ? null : parsed(response.body());
    }

    private Object parsed(String body) {
        try {
            Object value = JsonReader.read(body);
            if (value != null) {
                return value;
            }
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(
                    "what answers at " + api + " is no Longhorn daemon: its answer is " + e.getMessage(), e);
        }
        throw new CommandFailure("what answers at " + api + " is no Longhorn daemon");
    }

    private <T> HttpResponse<T> exchange(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        try {
            return http.send(request, handler);
        } catch (ConnectException e) {
            throw new CommandFailure("no daemon answers at " + api + "; start one with \"longhorn serve\"", e);
        } catch (HttpTimeoutException e) {
            throw new CommandFailure("the daemon at " + api + " did not answer in time", e);
        } catch (IOException e) {
            throw new CommandFailure("the daemon at " + api + " cannot be talked to: " + reason(e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("interrupted", e);
        }
    }

    private static String reason(Throwable failure) {
        return failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    }

    private CommandFailure failure(int status, String body) {
        try {
            Object detail = JsonReader.readObject(body).get("detail");
            return new CommandFailure(detail == null ? "the daemon answers with status " + status : detail.toString());
        } catch (IllegalArgumentException e) {
            return new CommandFailure("what answers at " + api + " is no Longhorn daemon: status " + status, e);
        }
    }

    private static Map<String, Object> object(@Nullable Object value) {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (value instanceof Map<?, ?> object) {
            object.forEach((name, one) -> fields.put(String.valueOf(name), one));
        }
        return fields;
    }

    private CommandFailure strange(String path) {
        return new CommandFailure("what answers at " + api + path + " is no Longhorn daemon");
    }
}
