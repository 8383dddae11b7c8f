package io.longhorn.frontend.nbd;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** The devices that a server serves, by name. Any thread. */
final class Exports {

    private final Map<String, Export> byName = new ConcurrentSkipListMap<>();

    void add(Export export) {
        if (byName.putIfAbsent(export.name(), export) != null) {
            throw new ExportExistsException(export.name());
        }
    }

    @Nullable
    Export remove(String name) {
        return byName.remove(name);
    }

    @Nullable
    Export get(String name) {
        return byName.get(name);
    }

    /** What a client gets that asks for a name: no name stands for the only export, if there is just one. */
    @Nullable
    Export find(String name) {
        if (name.isEmpty()) {
            Collection<Export> exports = all();
            return exports.size() == 1 ? exports.iterator().next() : null;
        }
        return get(name);
    }

    /** In the order of their names. */
    Collection<Export> all() {
        return List.copyOf(byName.values());
    }
}
