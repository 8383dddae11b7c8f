package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import io.longhorn.app.Json;
import io.longhorn.app.JsonReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A daemon in this process, and a client of its API. */
public final class DaemonFixture implements AutoCloseable {

    private final Daemon daemon;
    private final HttpClient http = HttpClient.newHttpClient();

    private DaemonFixture(Daemon daemon) {
        this.daemon = daemon;
    }

    public static DaemonFixture in(Path directory) throws Exception {
        return start(settings(directory, Optional.empty()));
    }

    static DaemonFixture start(DaemonSettings settings) throws Exception {
        return new DaemonFixture(Daemon.start(settings));
    }

    static DaemonSettings settings(Path directory, Optional<Path> tokens) {
        return new DaemonSettings(
                directory,
                new HostPort("127.0.0.1", 0),
                tokens,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                FrontendSettings.local());
    }

    Daemon daemon() {
        return daemon;
    }

    public String url() {
        return "http://" + daemon.address();
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url() + path));
    }

    HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send(request(path).GET().build());
    }

    HttpResponse<String> send(String method, String path, String body) throws IOException, InterruptedException {
        return send(request(path)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    HttpResponse<String> post(String path, Map<String, ?> body) throws IOException, InterruptedException {
        return send("POST", path, Json.of(body));
    }

    HttpResponse<String> delete(String path) throws IOException, InterruptedException {
        return send(request(path).DELETE().build());
    }

    static Map<String, Object> object(HttpResponse<String> response) {
        return JsonReader.readObject(response.body());
    }

    @Override
    public void close() {
        daemon.close();
    }
}
