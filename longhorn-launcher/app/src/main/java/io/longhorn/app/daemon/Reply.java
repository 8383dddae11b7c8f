package io.longhorn.app.daemon;

import io.longhorn.app.Json;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What a route answers. */
sealed interface Reply {

    /**
     * All of it at once.
     *
     * @param status of HTTP
     * @param headers more of them
     */
    record Document(int status, String contentType, byte[] content, Map<String, String> headers) implements Reply {}

    /**
     * Events as they happen (Server-Sent Events).
     *
     * @param volume only those of this one; empty for all
     * @param after only those after this number
     */
    record Events(String volume, long after) implements Reply {}

    /**
     * A JSON document.
     *
     * @param value as {@link Json} writes it
     */
    static Reply json(int status, Object value) {
        return new Document(status, "application/json", Json.of(value).getBytes(StandardCharsets.UTF_8), Map.of());
    }

    static Reply ok(Object value) {
        return json(200, value);
    }

    static Reply made(String location, Object value) {
        return new Document(
                201, "application/json", Json.of(value).getBytes(StandardCharsets.UTF_8), Map.of("Location", location));
    }

    /** Work has begun. */
    static Reply begun(Operations.Operation operation) {
        return new Document(
                202,
                "application/json",
                Json.of(operation.json()).getBytes(StandardCharsets.UTF_8),
                Map.of("Location", "/v1/operations/" + operation.id()));
    }

    static Reply nothing() {
        return new Document(204, "", new byte[0], Map.of());
    }

    static Reply text(String contentType, String text) {
        return new Document(200, contentType, text.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    static Reply problem(Problem problem) {
        return problem(problem, Map.of());
    }

    static Reply problem(Problem problem, Map<String, String> headers) {
        return new Document(
                problem.status(),
                Problem.CONTENT_TYPE,
                Json.of(problem.json()).getBytes(StandardCharsets.UTF_8),
                headers);
    }
}
