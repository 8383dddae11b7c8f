package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.JsonReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The description of the API beside what it does. */
class OpenApiTest {

    @TempDir
    private Path directory;

    private DaemonFixture api;
    private Map<String, Object> document;

    @BeforeEach
    void start() throws Exception {
        api = DaemonFixture.in(directory);
        document = JsonReader.readObject(new String(Daemon.resource("openapi.json"), StandardCharsets.UTF_8));
    }

    @AfterEach
    void stop() {
        api.close();
    }

    private static Map<?, ?> map(Object value) {
        return (Map<?, ?>) value;
    }

    @Test
    void itNamesEveryRouteAndNoOther() throws Exception {
        Set<String> described = new TreeSet<>();
        map(document.get("paths"))
                .forEach((path, methods) -> map(methods).forEach((method, operation) -> {
                    described.add(method.toString().toUpperCase(Locale.ROOT) + " " + path);
                    boolean open = List.of().equals(map(operation).get("security"));
                    assertThat(api.daemon().routes().all())
                            .filteredOn(route -> route.template().equals(path)
                                    && route.method().equalsIgnoreCase(method.toString()))
                            .allMatch(route -> route.open() == open);
                }));
        Set<String> routed = new TreeSet<>();
        api.daemon().routes().all().forEach(route -> routed.add(route.method() + " " + route.template()));
        assertThat(described).isEqualTo(routed);
        assertThat(api.get("/openapi.json").body())
                .isEqualTo(new String(Daemon.resource("openapi.json"), StandardCharsets.UTF_8));
    }

    /** A field that nobody knows has the API tell those that it knows. */
    @Test
    void itNamesEveryFieldOfEveryBody() throws Exception {
        Map<String, Object> wanted = new TreeMap<>();
        Map<String, Object> found = new TreeMap<>();
        for (Route route : api.daemon().routes().all()) {
            Map<?, ?> operation = map(map(map(document.get("paths")).get(route.template()))
                    .get(route.method().toLowerCase(Locale.ROOT)));
            if (operation.get("requestBody") instanceof Map<?, ?> body) {
                Map<?, ?> schema = map(
                        map(map(body.get("content")).get("application/json")).get("schema"));
                wanted.put(
                        route.template(),
                        new TreeSet<>(map(schema.get("properties")).keySet()));
                String path = route.template().replaceAll("\\{[a-z]+}", "nobody");
                HttpResponse<String> refused = api.send(route.method(), path, "{\"no such field\": 1}");
                String detail = (String) DaemonFixture.object(refused).get("detail");
                assertThat(detail).startsWith("unknown field");
                found.put(
                        route.template(),
                        detail.contains("known are ")
                                ? new TreeSet<>(Arrays.asList(detail.substring(detail.indexOf("known are ") + 10)
                                        .split(", ", -1)))
                                : new TreeSet<>());
            } else {
                assertThat(route.method()).isIn("GET", "DELETE");
            }
        }
        assertThat(found).isEqualTo(wanted).isNotEmpty();
    }

    @Test
    void theVolumesThatAreToldFitTheirSchema() throws Exception {
        api.post("/v1/volumes", Map.of("name", "orders", "sizeBytes", 4096));
        api.post("/v1/volumes/orders/snapshots", Map.of("name", "first"));
        api.post("/v1/volumes/orders/attach", Map.of("frontend", "none"));
        api.post("/v1/volumes/orders/attach", Map.of("frontend", "none", "snapshot", "first"));
        assertFits("Volume", DaemonFixture.object(api.get("/v1/volumes/orders")));
        assertFits("Snapshot", DaemonFixture.object(api.get("/v1/volumes/orders/snapshots/first")));
        assertFits("Problem", DaemonFixture.object(api.get("/v1/volumes/nobody")));
        assertFits("Frontend", (Map<?, ?>)
                ((List<?>) JsonReader.read(api.get("/v1/frontends").body())).get(0));
        assertFits("Replica", (Map<?, ?>) ((List<?>)
                        JsonReader.read(api.get("/v1/volumes/orders/replicas").body()))
                .get(0));
    }

    private void assertFits(String name, Map<?, ?> object) {
        Map<?, ?> schema =
                map(map(map(document.get("components")).get("schemas")).get(name));
        Map<?, ?> properties = map(schema.get("properties"));
        assertThat(properties.keySet()).as(name).containsAll(cast(object.keySet()));
        assertThat(object.keySet()).as(name).containsAll(cast((List<?>) schema.get("required")));
        object.forEach((field, value) -> {
            if (map(properties.get(field)).get("enum") instanceof List<?> words) {
                assertThat(words.contains(value))
                        .as("%s is one of %s", value, words)
                        .isTrue();
            }
        });
    }

    @SuppressWarnings("unchecked")
    private static <T> Iterable<T> cast(Iterable<?> values) {
        return (Iterable<T>) values;
    }
}
