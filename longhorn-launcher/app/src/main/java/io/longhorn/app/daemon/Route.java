package io.longhorn.app.daemon;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One thing that the API can do.
 *
 * @param method of HTTP
 * @param template the path; a part in braces stands for any text and names it
 * @param open whether it is for everybody, also without a token
 */
record Route(String method, String template, boolean open, Action action) {

    /** Blocks as long as it takes, within the limits of the library. */
    interface Action {
        Reply answer(ApiRequest request) throws InterruptedException;
    }

    /** The open parts of a path that fits. */
    Optional<Map<String, String>> match(List<String> path) {
        List<String> parts = parts(template);
        if (parts.size() != path.size()) {
            return Optional.empty();
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        for (int i = 0; i < parts.size(); i++) {
            String part = parts.get(i);
            if (part.startsWith("{")) {
                parameters.put(part.substring(1, part.length() - 1), path.get(i));
            } else if (!part.equals(path.get(i))) {
                return Optional.empty();
            }
        }
        return Optional.of(parameters);
    }

    static List<String> parts(String path) {
        List<String> parts = new ArrayList<>();
        for (String part : path.substring(1).split("/", -1)) {
            parts.add(part);
        }
        return parts;
    }
}
