package io.longhorn.app.daemon;

import java.nio.file.Path;
import java.util.List;

/** The frontends of a daemon. */
final class Frontends {

    private Frontends() {}

    static List<Frontend> of(DaemonSettings settings) {
        ListenRule rule = new ListenRule(settings.trustedNetwork());
        Path directory = settings.directory();
        return List.of(
                new NoFrontend(),
                new NbdFrontend(settings.nbd(), rule),
                new IscsiFrontend(settings.iscsi(), directory.resolve("reservations"), rule),
                DeviceFrontend.open(directory.resolve("devices"), settings.deviceMechanism()));
    }
}
