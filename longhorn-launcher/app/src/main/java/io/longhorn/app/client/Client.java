package io.longhorn.app.client;

import io.longhorn.app.Console;
import io.longhorn.app.DaemonAccess;
import io.longhorn.app.DaemonClient;
import io.longhorn.app.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What every command that talks to a daemon has. */
final class Client {

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    @Mixin
    private DaemonAccess access = new DaemonAccess();

    DaemonClient daemon() {
        return access.client();
    }

    void line(String text) {
        Console.of(spec).line(text);
    }

    Console console() {
        return Console.of(spec);
    }

    /** An object, or an array of them. */
    void json(Object value) {
        line(Json.of(value).strip());
    }

    /** Wrong usage that the parser cannot see. */
    ParameterException wrong(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    /** The path of a volume, and of what is below it. */
    static String volume(String name, String... below) {
        StringBuilder path = new StringBuilder("/v1/volumes/").append(DaemonClient.part(name));
        for (String part : below) {
            path.append('/').append(DaemonClient.part(part));
        }
        return path.toString();
    }

    /** A field as text; empty if it is not there. */
    static String text(Map<String, Object> fields, String name) {
        Object value = fields.get(name);
        return value == null ? "" : value.toString();
    }

    static long number(Map<String, Object> fields, String name) {
        return fields.get(name) instanceof Long number ? number : 0;
    }

    /** A field that is an array of objects. */
    static List<Map<String, Object>> objects(Map<String, Object> fields, String name) {
        if (fields.get(name) instanceof List<?> values) {
            return values.stream().map(Client::object).toList();
        }
        return List.of();
    }

    private static Map<String, Object> object(@Nullable Object value) {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (value instanceof Map<?, ?> object) {
            object.forEach((name, one) -> fields.put(String.valueOf(name), one));
        }
        return fields;
    }

    /** Where a parent command was called without one of its own. */
    static ParameterException missing(@Nullable CommandSpec spec) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), "a command is missing");
    }
}
