package io.longhorn.app.daemon;

import java.nio.file.Path;
import java.util.List;

/** The frontends of a daemon. */
final class Frontends {

    private Frontends() {}

    static List<Frontend> of(DaemonSettings settings) {
        FrontendSettings how = settings.frontends();
        Path directory = settings.directory();
        return List.of(
                new NoFrontend(),
                new NbdFrontend(how),
                new IscsiFrontend(how, directory.resolve("reservations")),
                DeviceFrontend.open(directory.resolve("devices"), how.deviceMechanism()));
    }
}
