package io.longhorn.frontend.nbd;

import io.longhorn.HostPort;
import java.nio.file.Path;
import java.util.Objects;

/** Where a server listens. */
public sealed interface NbdAddress {

    /**
     * A TCP address.
     *
     * @param hostPort port 0 to listen on any free one
     */
    record Tcp(HostPort hostPort) implements NbdAddress {

        public Tcp {
            Objects.requireNonNull(hostPort, "hostPort");
        }

        /** The form that {@link NbdAddress#parse} reads. */
        @Override
        public String toString() {
            return hostPort.toString();
        }
    }

    /**
     * A socket in the file system of this machine; whoever may write to the file may connect.
     *
     * @param path made absolute
     */
    record Unix(Path path) implements NbdAddress {

        public Unix {
            path = path.toAbsolutePath();
        }

        /** The form that {@link NbdAddress#parse} reads. */
        @Override
        public String toString() {
            return UNIX_PREFIX + path;
        }
    }

    /** What the text of a Unix socket begins with. */
    String UNIX_PREFIX = "unix:";

    /**
     * Reads {@code host:port}, {@code [ipv6]:port} or {@code unix:path}.
     *
     * @throws IllegalArgumentException if the text is no such address
     */
    static NbdAddress parse(String text) {
        if (!text.startsWith(UNIX_PREFIX)) {
            return new Tcp(HostPort.parse(text));
        }
        String path = text.substring(UNIX_PREFIX.length());
        if (path.isEmpty()) {
            throw new IllegalArgumentException("the path is missing in \"" + text + "\"");
        }
        return new Unix(Path.of(path));
    }
}
