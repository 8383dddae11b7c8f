package io.longhorn.replica;

import io.longhorn.replica.wire.LayerId;
import java.util.HashMap;
import java.util.Map;

/** Layers that long readers hold, by pin number; bound to one connection, gone with it. Loop only. */
final class Pins {
    /** Pins of one connection at most; an engine needs one for each backup, export or rebuild that runs. */
    static final int PINS_MAX = 1024;

    private final Map<Integer, LayerId> held = new HashMap<>();

    /** False if there are too many. */
    boolean pin(int pin, LayerId layer) {
        if (held.size() >= PINS_MAX && !held.containsKey(pin)) {
            return false;
        }
        held.put(pin, layer);
        return true;
    }

    void unpin(int pin) {
        held.remove(pin);
    }

    void clear() {
        held.clear();
    }

    /** The rule for pinned layers: nothing of them goes. {@link LayerId#LIVE} pins every layer. */
    boolean holds(LayerId layer) {
        return !held.isEmpty() && (held.containsValue(layer) || held.containsValue(LayerId.LIVE));
    }

    /** Whether that pin covers that layer. */
    boolean isHeldBy(int pin, LayerId layer) {
        LayerId pinned = held.get(pin);
        return pinned != null && (pinned.isLive() || pinned.equals(layer));
    }
}
