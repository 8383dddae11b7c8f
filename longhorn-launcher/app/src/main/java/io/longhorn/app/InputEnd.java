package io.longhorn.app;

import java.io.IOException;
import java.io.InputStream;

/** Notices that whoever started this process is gone: then our standard input ends. */
public final class InputEnd {

    private InputEnd() {}

    /** Runs the action on a thread of its own when standard input ends. What is typed there is ignored. */
    public static void watch(Runnable action) {
        Thread thread = new Thread(
                () -> {
                    awaitEnd(System.in);
                    action.run();
                },
                "longhorn-input-end");
        thread.setDaemon(true);
        thread.start();
    }

    private static void awaitEnd(InputStream input) {
        byte[] ignored = new byte[256];
        try {
            int count;
            do {
                count = input.read(ignored);
            } while (count >= 0);
        } catch (IOException e) {
            // An input that cannot be read any more has ended as well.
            return;
        }
    }
}
