package io.longhorn.frontend.device;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/** A lock for each name: what is done with one device waits for what is being done with it, and not for other devices. */
final class NameLocks {

    private final Set<String> locked = new HashSet<>();

    <T> T hold(String name, Work<T> work) throws IOException, InterruptedException {
        lock(name);
        try {
            return work.run();
        } finally {
            unlock(name);
        }
    }

    private synchronized void lock(String name) throws InterruptedException {
        while (!locked.add(name)) {
            wait();
        }
    }

    private synchronized void unlock(String name) {
        locked.remove(name);
        notifyAll();
    }

    interface Work<T> {
        T run() throws IOException, InterruptedException;
    }
}
