package io.longhorn.engine;

import io.longhorn.LonghornException;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Snapshots that long readers hold. Every member of the view is told at once, ahead of any later deletion, and so is each that joins or connects again: its pins ended with its
 * connection. One that gave a deleted snapshot back meanwhile refuses, and readers go to another. Engine loop only.
 */
final class SnapshotPins {
    /** As many as there may be; a replica takes a few more, those of rebuilds. */
    private static final int PINS_MAX = 1000;

    /** Above those of rebuilds. */
    private static final int FIRST = 16;

    private final EngineCore core;
    private final Map<Integer, Held> held = new LinkedHashMap<>();
    private int next = FIRST;

    /** A pin, and how many readers hold by it. */
    private static final class Held {
        private final LayerId snapshot;
        private int readers = 1;

        Held(LayerId snapshot) {
            this.snapshot = snapshot;
        }
    }

    SnapshotPins(EngineCore core) {
        this.core = core;
    }

    /**
     * Holds a snapshot.
     *
     * @return the number that reads name
     * @throws SnapshotNotFoundException if there is none of that id
     */
    int hold(LayerId snapshot) {
        LonghornException over = core.refusal();
        if (over != null) {
            throw over;
        }
        if (core.tree.find(snapshot).isEmpty()) {
            throw new SnapshotNotFoundException(core.volumeName(), snapshot.toString());
        }
        if (held.size() >= PINS_MAX) {
            throw new IllegalStateException(
                    "volume " + core.volumeName() + " has " + PINS_MAX + " held snapshots; close some of them");
        }
        int pin = unused();
        held.put(pin, new Held(snapshot));
        for (ReplicaLink link : core.view.members()) {
            tell(link, pin, snapshot);
        }
        return pin;
    }

    /** Holds once more what is held by a pin, also when the snapshot was deleted since; as {@link #hold} if the pin was released. */
    int holdAgain(int pin, LayerId snapshot) {
        Held present = held.get(pin);
        if (present == null || !present.snapshot.equals(snapshot)) {
            return hold(snapshot);
        }
        present.readers++;
        return pin;
    }

    private int unused() {
        while (held.containsKey(next)) {
            next = following(next);
        }
        int pin = next;
        next = following(pin);
        return pin;
    }

    private static int following(int pin) {
        return pin == Integer.MAX_VALUE ? FIRST : pin + 1;
    }

    /** Ends one reader's holding; with the last one the snapshot's blocks may go if it was deleted. */
    void release(int pin) {
        Held present = held.get(pin);
        if (present == null || --present.readers > 0) {
            return;
        }
        held.remove(pin);
        for (ReplicaLink link : core.view.members()) {
            if (link.isReady()) {
                link.request(new Message.Unpin(pin), Replies.ignored());
            }
        }
    }

    /** A member is connected, again or for the first time. */
    void tell(ReplicaLink link) {
        held.forEach((pin, present) -> tell(link, pin, present.snapshot));
    }

    private static void tell(ReplicaLink link, int pin, LayerId snapshot) {
        if (link.isReady()) {
            link.request(new Message.Pin(pin, snapshot), Replies.ignored());
        }
    }
}
