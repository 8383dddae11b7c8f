package io.longhorn.backup.nfs;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Where a store is, and how the server is to be asked.
 *
 * @param path names of the directories from the pseudo-root of the server to the store
 */
record NfsTarget(String host, int port, List<String> path, NfsOptions options) {
    static final int PORT_DEFAULT = 2049;

    private static final String FORM =
            "an NFS target is written nfs://HOST[:PORT]/export/path?nfsOptions=OPTION,OPTION";
    private static final String PARAMETER = "nfsOptions=";

    NfsTarget {
        path = List.copyOf(path);
    }

    /**
     * Takes the URL of a target apart.
     *
     * @throws IllegalArgumentException if it is none; says what is expected
     */
    static NfsTarget parse(URI uri) {
        String authority = uri.getRawAuthority();
        String path = uri.getRawPath();
        if (authority == null || path == null || !path.startsWith("/") || uri.getRawFragment() != null) {
            throw new IllegalArgumentException(FORM);
        }
        NfsOptions options = NfsOptions.parse(options(uri));
        int colon = authority.lastIndexOf(':');
        // Those of an IPv6 address stand in brackets.
        if (colon < authority.lastIndexOf(']')) {
            colon = -1;
        }
        String host = colon < 0 ? authority : authority.substring(0, colon);
        String port = colon < 0 ? "" : authority.substring(colon + 1);
        if (host.isEmpty() || host.indexOf('@') >= 0) {
            throw new IllegalArgumentException(FORM);
        }
        return new NfsTarget(host, port(port, options), names(path), options);
    }

    private static List<String> options(URI uri) {
        List<String> options = new ArrayList<>();
        String query = uri.getRawQuery();
        for (String parameter : query == null || query.isEmpty() ? new String[0] : query.split("&", -1)) {
            if (!parameter.startsWith(PARAMETER)) {
                throw new IllegalArgumentException(FORM + ", without the parameter '" + parameter + "'");
            }
            String list = URLDecoder.decode(parameter.substring(PARAMETER.length()), StandardCharsets.UTF_8);
            for (String option : list.split(",", -1)) {
                if (!option.isBlank()) {
                    options.add(option.trim());
                }
            }
        }
        return options;
    }

    private static int port(String written, NfsOptions options) {
        if (written.isEmpty()) {
            return options.port() == 0 ? PORT_DEFAULT : options.port();
        }
        int port = NfsOptions.number("the port", written, 1, NfsOptions.PORT_MAX);
        if (options.port() != 0 && options.port() != port) {
            throw new IllegalArgumentException(
                    "the port is " + port + " before the path and " + options.port() + " in the options");
        }
        return port;
    }

    private static List<String> names(String path) {
        List<String> names = new ArrayList<>();
        for (String encoded : path.split("/", -1)) {
            // A plus sign is one; only forms mean a space by it.
            String name = URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8);
            if (".".equals(name) || "..".equals(name) || name.indexOf('/') >= 0 || name.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("the path of an NFS target has names without . and .., was " + path);
            }
            if (!name.isEmpty()) {
                names.add(name);
            }
        }
        return names;
    }

    int uid() {
        return options.uid();
    }

    int gid() {
        return options.gid();
    }

    /** How long an answer is awaited before another connection is tried. */
    long attemptNanos() {
        return TimeUnit.MILLISECONDS.toNanos(100L * options.timeoTenths());
    }

    /** How often that is done. */
    int repetitions() {
        return options.retrans();
    }

    /** How long the first connection is tried; zero for once. */
    long firstContactNanos() {
        return TimeUnit.MINUTES.toNanos(options.retryMinutes());
    }

    /** The server, for messages. */
    String server() {
        return host + ", port " + port;
    }

    /** For messages: like the URL, without options. */
    String describe() {
        return "nfs://" + host + (port == PORT_DEFAULT ? "" : ":" + port) + "/" + String.join("/", path);
    }
}
