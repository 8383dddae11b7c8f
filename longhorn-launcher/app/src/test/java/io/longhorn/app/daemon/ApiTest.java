package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.JsonReader;
import io.longhorn.app.Waiting;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The API of a daemon in this process, over loopback. One daemon for all: each test has a volume of its own. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApiTest {

    @TempDir
    private static Path directory;

    private DaemonFixture api;

    @BeforeAll
    void start() throws Exception {
        api = DaemonFixture.in(directory.resolve("daemon"));
    }

    @AfterAll
    void stop() {
        api.close();
    }

    private void create(String name) throws Exception {
        assertThat(api.post("/v1/volumes", Map.of("name", name, "sizeBytes", 1 << 20, "replicas", 2))
                        .statusCode())
                .isEqualTo(201);
    }

    private static void assertProblem(HttpResponse<String> response, int status, String code, String... detail) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        Map<String, Object> problem = DaemonFixture.object(response);
        assertThat(problem).containsEntry("code", code).containsEntry("status", (long) status);
        for (String words : detail) {
            assertThat((String) problem.get("detail")).contains(words);
        }
        assertThat(problem).containsKeys("type", "title", "remedy");
    }

    @Test
    void aVolumeLivesFromItsCreationToItsDeletion() throws Exception {
        HttpResponse<String> made = api.post(
                "/v1/volumes",
                Map.of(
                        "name",
                        "life",
                        "sizeBytes",
                        1 << 20,
                        "replicas",
                        2,
                        "durability",
                        "write-through",
                        "labels",
                        Map.of("app", "ledger"),
                        "limits",
                        Map.of("operationsPerSecond", 100)));
        assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
        assertThat(made.headers().firstValue("Location")).contains("/v1/volumes/life");
        Map<String, Object> volume = DaemonFixture.object(api.get("/v1/volumes/life"));
        assertThat(volume)
                .containsEntry("name", "life")
                .containsEntry("sizeBytes", 1L << 20)
                .containsEntry("state", "detached")
                .containsEntry("health", "unknown")
                .containsEntry("replicas", 2L)
                .containsEntry("durability", "write-through")
                .containsEntry("labels", Map.of("app", "ledger"))
                .doesNotContainKey("endpoint");
        assertThat(api.get("/v1/volumes/life/limits").body()).contains("\"operationsPerSecond\": 100");

        Map<String, Object> expanded =
                DaemonFixture.object(api.post("/v1/volumes/life/expand", Map.of("sizeBytes", 2 << 20)));
        assertThat(expanded).containsEntry("sizeBytes", 2L << 20);
        assertThat(api.get("/v1/volumes").body()).contains("\"name\": \"life\"");

        assertThat(api.delete("/v1/volumes/life").statusCode()).isEqualTo(204);
        assertProblem(api.get("/v1/volumes/life"), 404, "VOLUME_NOT_FOUND", "life");
        assertProblem(api.delete("/v1/volumes/life"), 404, "VOLUME_NOT_FOUND", "life");
    }

    @Test
    void attachingIsIdempotentAndKeepsTheVolumeOpen() throws Exception {
        create("kept");
        for (int i = 0; i < 2; i++) {
            HttpResponse<String> attached = api.post("/v1/volumes/kept/attach", Map.of("frontend", "none"));
            assertThat(attached.statusCode()).as(attached.body()).isEqualTo(200);
            assertThat(DaemonFixture.object(attached))
                    .containsEntry("state", "attached")
                    .containsEntry("health", "healthy")
                    .containsEntry("replicasInSync", 2L)
                    .containsEntry("frontend", "none")
                    .containsEntry("endpoint", null);
        }
        assertProblem(
                api.post("/v1/volumes/kept/attach", Map.of("frontend", "device")),
                409,
                "VOLUME_ATTACHED",
                "attached by none");
        assertProblem(api.delete("/v1/volumes/kept"), 409, "VOLUME_ATTACHED", "detach it first");
        for (int i = 0; i < 2; i++) {
            HttpResponse<String> detached = api.post("/v1/volumes/kept/detach", Map.of());
            assertThat(DaemonFixture.object(detached)).containsEntry("state", "detached");
        }
        assertProblem(api.post("/v1/volumes/nobody/detach", Map.of()), 404, "VOLUME_NOT_FOUND", "nobody");
        assertProblem(
                api.post("/v1/volumes/kept/attach", Map.of("frontend", "none", "listen", "127.0.0.1:1")),
                400,
                "BAD_REQUEST",
                "listens nowhere");
        assertThat(api.delete("/v1/volumes/kept").statusCode()).isEqualTo(204);
    }

    @Test
    void snapshotsAreTakenOfAttachedAndOfDetachedVolumes() throws Exception {
        create("shots");
        HttpResponse<String> taken =
                api.post("/v1/volumes/shots/snapshots", Map.of("name", "first", "labels", Map.of("why", "test")));
        assertThat(taken.statusCode()).as(taken.body()).isEqualTo(201);
        assertThat(taken.headers().firstValue("Location")).contains("/v1/volumes/shots/snapshots/first");
        api.post("/v1/volumes/shots/attach", Map.of("frontend", "none"));
        Map<String, Object> unnamed = DaemonFixture.object(api.post("/v1/volumes/shots/snapshots", Map.of()));
        assertThat((String) unnamed.get("name")).startsWith("snapshot-2");
        assertThat(unnamed).containsEntry("parent", "first");

        HttpResponse<String> shown =
                api.post("/v1/volumes/shots/attach", Map.of("frontend", "none", "snapshot", "first"));
        assertThat(shown.body()).contains("attachedSnapshots");
        assertProblem(
                api.post("/v1/volumes/shots/attach", Map.of("frontend", "none", "snapshot", "third")),
                404,
                "SNAPSHOT_NOT_FOUND",
                "third");
        assertThat(api.post("/v1/volumes/shots/revert", Map.of("snapshot", "first"))
                        .statusCode())
                .isEqualTo(200);
        assertThat(api.delete("/v1/volumes/shots/snapshots/first").statusCode()).isEqualTo(204);
        assertProblem(api.delete("/v1/volumes/shots/snapshots/first"), 404, "SNAPSHOT_NOT_FOUND", "shots", "first");
        assertProblem(api.get("/v1/volumes/shots/snapshots/first"), 404, "SNAPSHOT_NOT_FOUND");
        assertThat(JsonReader.read(api.get("/v1/volumes/shots/snapshots").body()))
                .asInstanceOf(InstanceOfAssertFactories.LIST)
                .hasSize(1);
        api.post("/v1/volumes/shots/detach", Map.of());
        assertProblem(api.delete("/v1/volumes/shots"), 409, "VOLUME_ATTACHED", "shots@first");
        api.post("/v1/volumes/shots/detach", Map.of("snapshot", "first"));
        assertThat(api.delete("/v1/volumes/shots").statusCode()).isEqualTo(204);
    }

    @Test
    void replicasAreListedRemovedAndAdded() throws Exception {
        create("copies");
        List<?> replicas =
                (List<?>) JsonReader.read(api.get("/v1/volumes/copies/replicas").body());
        assertThat(replicas).hasSize(2);
        Object id = ((Map<?, ?>) replicas.get(0)).get("id");
        assertThat(api.delete("/v1/volumes/copies/replicas/" + id).statusCode()).isEqualTo(204);
        assertProblem(api.delete("/v1/volumes/copies/replicas/" + id), 404, "REPLICA_NOT_FOUND");
        assertProblem(api.delete("/v1/volumes/copies/replicas/x"), 400, "BAD_REQUEST", "UUID");
        HttpResponse<String> added = api.post("/v1/volumes/copies/replicas", Map.of());
        assertThat(added.statusCode()).as(added.body()).isEqualTo(201);
        assertThat(Waiting.until(
                        Duration.ofSeconds(40),
                        () -> api.get("/v1/operations").body().contains("\"kind\": \"rebuild\"")
                                && api.get("/v1/volumes/copies").body().contains("\"health\": \"unknown\"")))
                .as("the volume is kept open until the replica is in sync")
                .isTrue();
        assertProblem(api.post("/v1/volumes/copies/replicas", Map.of("server", "127.0.0.1:1")), 409, "UNSUPPORTED");
    }

    @Test
    void limitsChangeOneByOne() throws Exception {
        create("limited");
        HttpResponse<String> changed =
                api.send("PUT", "/v1/volumes/limited/limits", "{\"bytesPerSecond\": 1000000, \"bytesBurst\": 5}");
        assertThat(DaemonFixture.object(changed))
                .containsEntry("bytesPerSecond", 1_000_000L)
                .containsEntry("bytesBurst", 5L)
                .containsEntry("operationsPerSecond", 0L);
        api.send("PUT", "/v1/volumes/limited/limits", "{\"operationsPerSecond\": 7}");
        assertThat(DaemonFixture.object(api.get("/v1/volumes/limited/limits")))
                .containsEntry("operationsPerSecond", 7L)
                .containsEntry("operationsBurst", 7L)
                .containsEntry("bytesBurst", 5L);
        assertProblem(
                api.send("PUT", "/v1/volumes/limited/limits", "{\"operationsPerSecond\": -1}"), 400, "BAD_REQUEST");
    }

    static Stream<Arguments> wrongBodies() {
        return Stream.of(
                wrong("", "\"name\" is missing"),
                wrong("{\"name\": \"orders\"}", "\"sizeBytes\" is missing"),
                wrong("{\"name\": 1, \"sizeBytes\": 4096}", "\"name\" must be a text, was an integer"),
                wrong(
                        "{\"name\": \"orders\", \"sizeBytes\": \"1GiB\"}",
                        "\"sizeBytes\" must be an integer, was a text"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 1.5}", "\"sizeBytes\" must be an integer"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 99999999999999999999}", "no integer of 64 bits"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 4097}", "multiple of 4096"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": -4096}", "positive"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 4096, \"replicas\": 0}", "replicas must be 1 to 20"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 4096, \"replicas\": 5000000000}", "out of range"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 4096, \"durability\": \"no\"}", "on-flush, write-through"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 4096, \"labels\": [1]}", "\"labels\" must be an object"),
                wrong(
                        "{\"name\": \"orders\", \"sizeBytes\": 4096, \"labels\": {\"a\": 1}}",
                        "\"labels.a\" must be a text"),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 4096, \"limits\": {\"x\": 1}}", "unknown field \"x\""),
                wrong("{\"name\": \"orders\", \"sizeBytes\": 4096, \"allowDegraded\": 1}", "true or false"),
                wrong("{\"name\": \"orders\", \"size\": 4096}", "unknown field \"size\""),
                wrong("{\"name\": \"../orders\", \"sizeBytes\": 4096}", "volume name must be"),
                wrong("{\"name\": \"x\", \"sizeBytes\": 4096}", "volume name must be"),
                wrong("{\"name\": \"orders\", \"name\": \"orders\"}", "not JSON"),
                wrong("[]", "not a JSON object"),
                wrong("{", "not JSON", "line 1"),
                wrong("[".repeat(5000), "not JSON"));
    }

    private static Arguments wrong(String body, String... detail) {
        return Arguments.of(body, detail);
    }

    @ParameterizedTest
    @MethodSource("wrongBodies")
    void whatIsWrongInABodyIsNamed(String body, String[] detail) throws Exception {
        assertProblem(api.send("POST", "/v1/volumes", body), 400, "BAD_REQUEST", detail);
    }

    @Test
    void fewerServersThanReplicasAreRefused() throws Exception {
        assertProblem(
                api.post("/v1/volumes", Map.of("name", "wide", "sizeBytes", 4096, "replicas", 4)),
                503,
                "TOO_FEW_REPLICAS",
                "wide");
        create("twice");
        assertProblem(
                api.post("/v1/volumes", Map.of("name", "twice", "sizeBytes", 4096)), 409, "VOLUME_EXISTS", "twice");
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /, 404, NO_SUCH_PATH",
        "GET, /v1, 404, NO_SUCH_PATH",
        "GET, /v1/volumes/, 404, VOLUME_NOT_FOUND",
        "GET, /v1/volumes/nobody, 404, VOLUME_NOT_FOUND",
        "GET, /v1/volumes/nobody/events, 404, VOLUME_NOT_FOUND",
        "GET, /v1/volumes/nobody/snapshots, 404, VOLUME_NOT_FOUND",
        "GET, /v1/volumes/a%20b, 400, BAD_REQUEST",
        "GET, /v1/volumes/..%2Fetc, 400, BAD_REQUEST",
        "GET, /v1/volumes/../../etc/passwd, 404, NO_SUCH_PATH",
        "GET, /v1/volumes?x=1, 400, BAD_REQUEST",
        "GET, /v1/operations/1, 404, OPERATION_NOT_FOUND",
        "POST, /v1/operations/1/cancel, 404, OPERATION_NOT_FOUND",
        "DELETE, /v1/volumes, 405, METHOD_NOT_ALLOWED",
        "PATCH, /v1/volumes/nobody, 405, METHOD_NOT_ALLOWED",
        "TRACE, /healthz, 405, METHOD_NOT_ALLOWED"
    })
    void whatIsNotThereIsSaidSo(String method, String path, int status, String code) throws Exception {
        if (path.equals("/v1/volumes/") && method.equals("GET")) {
            // An empty name is no name.
            assertProblem(api.get(path), 400, "BAD_REQUEST", "volume name");
            return;
        }
        HttpResponse<String> response = api.send(api.request(path)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build());
        assertProblem(response, status, code);
        if (status == 405) {
            assertThat(response.headers().firstValue("Allow")).isPresent();
        }
    }

    @Test
    void bodiesAreBoundedAndMustBeJson() throws Exception {
        String large = "{\"name\": \"" + "x".repeat(ApiServer.BODY_BYTES_MAX) + "\"}";
        assertProblem(api.send("POST", "/v1/volumes", large), 413, "BODY_TOO_LARGE");
        HttpRequest chunked = api.request("/v1/volumes")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.fromPublisher(HttpRequest.BodyPublishers.ofString(large)))
                .build();
        assertProblem(api.send(chunked), 413, "BODY_TOO_LARGE");
        HttpRequest form = api.request("/v1/volumes")
                .header("Content-Type", "text/plain")
                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                .build();
        assertProblem(api.send(form), 415, "UNSUPPORTED_MEDIA_TYPE");
    }

    @Test
    void webPagesOfOthersAreRefused() throws Exception {
        HttpRequest page = api.request("/v1/volumes")
                .header("Origin", "http://evil.example")
                .build();
        assertProblem(api.send(page), 403, "FORBIDDEN");
        assertThat(raw("GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 403 ");
        assertThat(raw("GET /healthz HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void whatIsNoHttpIsRefusedAndDisturbsNobody() throws Exception {
        assertThat(raw("hello\r\n\r\n")).startsWith("HTTP/1.1 400 ");
        assertThat(raw("GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + "y".repeat(20_000) + "\r\n\r\n"))
                .startsWith("HTTP/1.1 431 ");
        assertThat(
                        raw(
                                "POST /v1/volumes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
        assertThat(api.get("/healthz").statusCode()).isEqualTo(200);
    }

    private String raw(String request) throws IOException {
        try (Socket socket = new Socket(
                InetAddress.getLoopbackAddress(), api.daemon().address().port())) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            InputStream input = socket.getInputStream();
            return new String(input.readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    @Test
    void headAnswersWithoutABody() throws Exception {
        HttpResponse<String> response = api.send(api.request("/healthz")
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEmpty();
    }

    @Test
    void eventsAreToldAsTheyHappen() throws Exception {
        create("watched");
        HttpResponse<Stream<String>> stream = HttpClient.newHttpClient()
                .send(api.request("/v1/volumes/watched/events").build(), HttpResponse.BodyHandlers.ofLines());
        assertThat(stream.headers().firstValue("Content-Type")).contains("text/event-stream");
        CompletableFuture<List<String>> seen = CompletableFuture.supplyAsync(() -> upTo(stream, "Detached"));
        create("unwatched");
        api.post("/v1/volumes/watched/attach", Map.of("frontend", "none"));
        api.post("/v1/volumes/watched/snapshots", Map.of("name", "seen"));
        api.post("/v1/volumes/watched/detach", Map.of());
        List<String> lines = seen.get(30, TimeUnit.SECONDS);
        assertThat(lines)
                .contains("event: Attached", "event: SnapshotCreated", "event: Detached")
                .noneMatch(line -> line.contains("unwatched"))
                .anyMatch(line -> line.startsWith("data: ") && line.contains("\"snapshot\": \"seen\""));

        // A client that comes back gets what it missed.
        long first = lines.stream()
                .filter(line -> line.startsWith("id: "))
                .mapToLong(line -> Long.parseLong(line.substring(4)))
                .findFirst()
                .orElseThrow();
        HttpResponse<Stream<String>> again = HttpClient.newHttpClient()
                .send(
                        api.request("/v1/events")
                                .header("Last-Event-ID", String.valueOf(first))
                                .build(),
                        HttpResponse.BodyHandlers.ofLines());
        assertThat(upTo(again, "Detached")).contains("event: SnapshotCreated").doesNotContain("id: " + first);
        assertProblem(
                api.send(api.request("/v1/events").header("Last-Event-ID", "x").build()),
                400,
                "BAD_REQUEST",
                "Last-Event-ID");
    }

    private static List<String> upTo(HttpResponse<Stream<String>> stream, String kind) {
        List<String> lines = new ArrayList<>();
        try (Stream<String> body = stream.body()) {
            assertThat(body.peek(lines::add).anyMatch(line -> line.equals("event: " + kind)))
                    .isTrue();
        }
        return lines;
    }

    @Test
    void metricsAreWellFormed() throws Exception {
        create("measured");
        api.post("/v1/volumes/measured/attach", Map.of("frontend", "none"));
        HttpResponse<String> response = api.get("/metrics");
        assertThat(response.headers().firstValue("Content-Type")).contains(MetricsText.CONTENT_TYPE);
        String[] lines = response.body().split("\n", -1);
        Pattern sample = Pattern.compile(
                "([a-z_:][a-z0-9_:]*)(\\{[a-z_]+=\"[^\"\\\\]*\"(,[a-z_]+=\"[^\"\\\\]*\")*\\})? -?[0-9.e+-]+");
        TreeSet<String> names = new TreeSet<>();
        String current = "";
        for (int i = 0; i < lines.length - 1; i++) {
            if (lines[i].startsWith("# HELP ")) {
                current = lines[i].split(" ", -1)[2];
                assertThat(names.add(current)).as("%s comes once", current).isTrue();
                assertThat(lines[i + 1]).matches("# TYPE " + current + " (gauge|counter)");
                assertThat(current.endsWith("_total")).isEqualTo(lines[i + 1].endsWith(" counter"));
                i++;
            } else {
                assertThat(lines[i]).matches(sample).startsWith(current);
            }
        }
        assertThat(names)
                .contains(
                        "longhorn_volumes",
                        "longhorn_volume_writes_total",
                        "longhorn_volume_space_bytes",
                        "longhorn_volume_replicas",
                        "longhorn_volume_snapshots",
                        "longhorn_attached",
                        "jvm_memory_used_bytes");
        assertThat(response.body())
                .contains(
                        "longhorn_volume_health{volume=\"measured\",health=\"healthy\"} 1",
                        "longhorn_volume_size_bytes{volume=\"measured\"} 1048576",
                        "longhorn_attached{attached=\"measured\",frontend=\"none\"} 1");
    }

    @Test
    void backupsRunAsOperations() throws Exception {
        create("saved");
        String target = directory.resolve("target").toUri().toString();
        Map<String, Object> begun = DaemonFixture.object(
                api.post("/v1/backups", Map.of("volume", "saved", "target", target, "name", "backup-1")));
        assertThat(begun).containsEntry("kind", "backup");
        Map<String, Object> ended = ended(begun);
        assertThat(ended).as(ended.toString()).containsEntry("state", "done").containsKey("endedAt");
        assertThat((Map<?, ?>) ended.get("result")).extracting("name").isEqualTo("backup-1");
        assertThat(api.post("/v1/backups/list", Map.of("target", target)).body())
                .contains("\"name\": \"backup-1\"");
        Map<String, Object> one = Map.of("target", target, "volume", "saved", "backup", "backup-1");
        assertThat(api.post("/v1/backups/inspect", one).body()).contains("\"blockBytes\": 2097152");
        assertThat(ended(DaemonFixture.object(api.post("/v1/backups/verify", one)))
                        .get("result")
                        .toString())
                .contains("damages=[]");
        Map<String, Object> restore = new HashMap<>(one);
        restore.putAll(Map.of("name", "again", "replicas", 2));
        assertThat(ended(DaemonFixture.object(api.post("/v1/backups/restore", restore))))
                .containsEntry("state", "done");
        assertThat(DaemonFixture.object(api.get("/v1/volumes/again"))).containsEntry("state", "detached");
        assertThat(ended(DaemonFixture.object(api.post("/v1/backups/delete", one))))
                .containsEntry("state", "done");
        Map<String, Object> failed = ended(DaemonFixture.object(api.post("/v1/backups/restore", restore)));
        assertThat(failed).containsEntry("state", "failed");
        assertThat(((Map<?, ?>) failed.get("problem")).get("code")).isEqualTo("BACKUP_NOT_FOUND");
        assertThat(api.get("/v1/operations").body()).contains("\"kind\": \"delete-backup\"");
    }

    private Map<String, Object> ended(Map<String, Object> operation) throws Exception {
        String path = "/v1/operations/" + operation.get("id");
        assertThat(Waiting.until(
                        Duration.ofSeconds(40),
                        () -> DaemonFixture.object(api.get(path)).containsKey("endedAt")))
                .isTrue();
        return DaemonFixture.object(api.get(path));
    }

    @Test
    void targetsAndCredentialsAreChecked() throws Exception {
        create("unsaved");
        assertProblem(
                api.post("/v1/backups/list", Map.of("target", "gopher://x/")), 502, "BACKUP_TARGET_FAILED", "gopher");
        assertProblem(api.post("/v1/backups/list", Map.of("target", "x y")), 400, "BAD_REQUEST");
        HttpResponse<String> unknown = api.post(
                "/v1/backups/list", Map.of("target", "s3://b@r/", "credentials", Map.of("AWS_SECRET", "hush")));
        assertProblem(unknown, 400, "BAD_REQUEST", "AWS_SECRET");
        assertThat(unknown.body()).doesNotContain("hush");
        assertProblem(
                api.post("/v1/backups", Map.of("volume", "nobody", "target", "file:///x/")), 404, "VOLUME_NOT_FOUND");
        assertProblem(
                api.post("/v1/backups/verify", Map.of("target", "file:///x/", "volume", "unsaved")),
                400,
                "BAD_REQUEST",
                "go together");
    }
}
