package io.longhorn.app.daemon;

import java.util.List;

/** The frontends of a daemon. */
final class Frontends {

    private Frontends() {}

    static List<Frontend> of(DaemonSettings settings) {
        return List.of(new NoFrontend());
    }
}
