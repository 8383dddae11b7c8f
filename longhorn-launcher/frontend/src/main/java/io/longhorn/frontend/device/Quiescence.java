package io.longhorn.frontend.device;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Waits a moment for those who only look at a device. Each change of a device makes udev open it, and others follow. */
final class Quiescence {

    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final long STEP_MILLIS = 20;

    private final DeviceUsers users;

    Quiescence(DeviceUsers users) {
        this.users = users;
    }

    /** Returns when nobody uses the device; {@link DeviceBusyException} if somebody goes on. */
    void await(String name, Path device) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        Optional<DeviceUsers.User> user = users.find(device);
        while (user.isPresent()) {
            if (user.get().lasting() || System.nanoTime() - begin > LIMIT_NANOS) {
                throw new DeviceBusyException(name, user.get().who());
            }
            Thread.sleep(STEP_MILLIS);
            user = users.find(device);
        }
    }

    /** Whether the condition came true in that time. */
    static boolean await(Condition condition) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        while (!condition.holds()) {
            if (System.nanoTime() - begin > LIMIT_NANOS) {
                return false;
            }
            Thread.sleep(STEP_MILLIS);
        }
        return true;
    }

    /** Who uses it now, for people. */
    String user(Path device) throws IOException {
        return users.find(device).map(DeviceUsers.User::who).orElse("open in another program");
    }

    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }
}
