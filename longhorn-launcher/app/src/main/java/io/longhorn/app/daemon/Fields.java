package io.longhorn.app.daemon;

import io.longhorn.app.JsonReader;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The fields of a request's body, checked: whatever is wrong is refused by name. A field that is null counts as left out. */
final class Fields {

    private final Map<String, Object> values;

    private Fields(Map<String, Object> values) {
        this.values = values;
    }

    /**
     * Reads a body; an empty one has no fields.
     *
     * @param known the names that it may have
     * @throws ApiException if it is no JSON object, or has other fields too
     */
    static Fields of(String body, String... known) {
        return checked(body.isBlank() ? Map.of() : parse(body), known);
    }

    private static Fields checked(Map<String, Object> values, String... known) {
        List<String> names = Arrays.asList(known);
        for (String name : values.keySet()) {
            if (!names.contains(name)) {
                throw ApiException.badRequest("unknown field \"" + name + "\"; "
                        + (names.isEmpty() ? "there are none" : "known are " + String.join(", ", names)));
            }
        }
        return new Fields(values);
    }

    private static Map<String, Object> parse(String body) {
        try {
            return JsonReader.readObject(body);
        } catch (IllegalArgumentException e) {
            throw ApiException.badRequest("the body is " + e.getMessage());
        }
    }

    String text(String name) {
        return optionalText(name).orElseThrow(() -> ApiException.badRequest("field \"" + name + "\" is missing"));
    }

    Optional<String> optionalText(String name) {
        Object value = values.get(name);
        if (value == null || value instanceof String) {
            return Optional.ofNullable((String) value);
        }
        throw wrong(name, "a text", value);
    }

    long integer(String name) {
        return optionalInteger(name).orElseThrow(() -> ApiException.badRequest("field \"" + name + "\" is missing"));
    }

    OptionalLong optionalInteger(String name) {
        Object value = values.get(name);
        if (value == null) {
            return OptionalLong.empty();
        }
        if (value instanceof Long number) {
            return OptionalLong.of(number);
        }
        throw wrong(name, "an integer", value);
    }

    OptionalInt optionalInt(String name) {
        OptionalLong value = optionalInteger(name);
        if (value.isEmpty()) {
            return OptionalInt.empty();
        }
        if (value.getAsLong() != (int) value.getAsLong()) {
            throw ApiException.badRequest("field \"" + name + "\" is out of range: " + value.getAsLong());
        }
        return OptionalInt.of((int) value.getAsLong());
    }

    /** False if it is left out. */
    boolean truth(String name) {
        Object value = values.get(name);
        if (value == null) {
            return false;
        }
        if (value instanceof Boolean truth) {
            return truth;
        }
        throw wrong(name, "true or false", value);
    }

    /** An object whose values are texts; empty if it is left out. */
    Map<String, String> texts(String name) {
        Object value = values.get(name);
        if (value == null) {
            return Map.of();
        }
        if (!(value instanceof Map<?, ?> object)) {
            throw wrong(name, "an object", value);
        }
        Map<String, String> texts = new TreeMap<>();
        object.forEach((key, one) -> {
            if (!(one instanceof String text)) {
                throw wrong(name + "." + key, "a text", one);
            }
            texts.put(String.valueOf(key), text);
        });
        return texts;
    }

    /** An object with fields of its own, which its reader checks. */
    Optional<Fields> object(String name, String... known) {
        Object value = values.get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof Map<?, ?> object)) {
            throw wrong(name, "an object", value);
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        object.forEach((key, one) -> fields.put(String.valueOf(key), one));
        return Optional.of(checked(fields, known));
    }

    /** One of the constants, by its word. */
    <E extends Enum<E>> Optional<E> word(String name, E[] constants) {
        return optionalText(name)
                .map(word -> Arrays.stream(constants)
                        .filter(constant -> Words.of(constant).equals(word))
                        .findFirst()
                        .orElseThrow(() -> ApiException.badRequest("field \"" + name + "\" must be one of "
                                + String.join(
                                        ", ",
                                        Arrays.stream(constants).map(Words::of).toList())
                                + ", was \"" + word + "\"")));
    }

    private static ApiException wrong(String name, String wanted, @Nullable Object found) {
        return ApiException.badRequest("field \"" + name + "\" must be " + wanted + ", was " + kind(found));
    }

    /** Not the value itself: it may be a secret that slipped into the wrong field. */
    private static String kind(@Nullable Object value) {
        if (value == null) {
            return "null";
        }
        if (value instanceof String) {
            return "a text";
        }
        if (value instanceof Boolean) {
            return "a truth value";
        }
        if (value instanceof Long) {
            return "an integer";
        }
        if (value instanceof Double) {
            return "a number that is no integer of 64 bits";
        }
        return value instanceof List<?> ? "an array" : "an object";
    }
}
