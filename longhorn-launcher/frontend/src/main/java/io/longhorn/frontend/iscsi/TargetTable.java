package io.longhorn.frontend.iscsi;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/** The targets of a portal by name. Any thread. */
final class TargetTable {

    private final Map<String, ServedTarget> targets = new ConcurrentSkipListMap<>();

    Optional<ServedTarget> find(String iqn) {
        return Optional.ofNullable(targets.get(iqn));
    }

    /** Returns whether the name was free. */
    boolean add(ServedTarget target) {
        return targets.putIfAbsent(target.spec().iqn(), target) == null;
    }

    Optional<ServedTarget> remove(String iqn) {
        return Optional.ofNullable(targets.remove(iqn));
    }

    /** In the order of their names. */
    List<ServedTarget> all() {
        return List.copyOf(targets.values());
    }
}
