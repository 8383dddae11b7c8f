package io.longhorn.replica;

import io.longhorn.replica.wire.LayerId;
import java.util.HashSet;
import java.util.Set;

/** Blocks of a replica that were found damaged and not yet repaired, so that each is counted once. Loop only. */
final class DamageNotes {
    /** More than this is not kept apart; a replica with so much damage is rebuilt. */
    private static final int NOTES_MAX = 4096;

    private record Place(LayerId layer, long block) {}

    private final Set<Place> places = new HashSet<>();

    /** True if it is news. */
    boolean add(LayerId layer, long block) {
        return places.size() < NOTES_MAX && places.add(new Place(layer, block));
    }

    void repaired(LayerId layer, long block) {
        if (!places.isEmpty()) {
            places.remove(new Place(layer, block));
        }
    }

    int count() {
        return places.size();
    }

    void clear() {
        places.clear();
    }
}
