package io.longhorn.app.daemon;

import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * A request that has found its route.
 *
 * @param parameters the parts of the path that the route leaves open, by name
 * @param body as text; empty without one
 * @param lastEvent the number of the last event that the client has, if it says so
 */
record ApiRequest(Map<String, String> parameters, String body, OptionalLong lastEvent) {

    String parameter(String name) {
        return Objects.requireNonNull(parameters.get(name), name);
    }

    /** See {@link Fields#of}. */
    Fields fields(String... known) {
        return Fields.of(body, known);
    }
}
