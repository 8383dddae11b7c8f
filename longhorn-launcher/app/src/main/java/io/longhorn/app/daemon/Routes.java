package io.longhorn.app.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** All that the API can do; openapi.json beside this class describes it. Immutable once it serves. */
final class Routes {

    private final List<Route> routes = new ArrayList<>();

    /** What a request found. */
    record Found(Route route, Map<String, String> parameters) {}

    Routes add(String method, String template, Route.Action action) {
        routes.add(new Route(method, template, false, action));
        return this;
    }

    /** One for which nobody needs a token. */
    Routes addOpen(String method, String template, Route.Action action) {
        routes.add(new Route(method, template, true, action));
        return this;
    }

    List<Route> all() {
        return List.copyOf(routes);
    }

    /** @param path without query */
    Optional<Found> find(String method, List<String> path) {
        for (Route route : routes) {
            Optional<Map<String, String>> parameters = route.match(path);
            if (parameters.isPresent() && route.method().equals(method)) {
                return Optional.of(new Found(route, parameters.get()));
            }
        }
        return Optional.empty();
    }

    /** The methods that a path has, in order; none if there is no such path. */
    Set<String> methods(List<String> path) {
        Set<String> methods = new TreeSet<>();
        for (Route route : routes) {
            if (route.match(path).isPresent()) {
                methods.add(route.method());
            }
        }
        return methods;
    }
}
