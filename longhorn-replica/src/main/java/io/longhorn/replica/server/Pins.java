package io.longhorn.replica.server;

import io.longhorn.replica.wire.LayerId;
import java.util.HashMap;
import java.util.Map;

/** Layers that long readers hold, by pin number; bound to one connection, gone with it. Loop only. */
final class Pins {
    private final Map<Integer, LayerId> held = new HashMap<>();

    void pin(int pin, LayerId layer) {
        held.put(pin, layer);
    }

    void unpin(int pin) {
        held.remove(pin);
    }

    void clear() {
        held.clear();
    }

    /** Whether nothing of that layer may go. {@link LayerId#LIVE} pins everything. */
    boolean holds(LayerId layer) {
        return held.containsValue(layer) || held.containsValue(LayerId.LIVE);
    }

    boolean holdsAnything() {
        return !held.isEmpty();
    }

    /** Whether that pin covers that layer. */
    boolean isHeldBy(int pin, LayerId layer) {
        LayerId pinned = held.get(pin);
        return pinned != null && (pinned.isLive() || pinned.equals(layer));
    }
}
