package io.longhorn.app.daemon;

import io.longhorn.EventSubscription;
import io.longhorn.Longhorn;
import io.longhorn.OpenMode;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.VolumeExistsException;
import io.longhorn.VolumeInUseException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The volumes that are open in this daemon. Each is open as long as somebody has a {@link Lease} on it: an attachment, a backup, a single call. Always for writing, so that leases
 * can share it. Any thread; opening and closing block, and calls about one volume wait for each other.
 */
final class OpenVolumes {
    private static final Logger LOG = LoggerFactory.getLogger(OpenVolumes.class);

    private final Longhorn longhorn;
    private final Consumer<? super VolumeEvent> listener;
    private final Map<String, Entry> entries = new ConcurrentHashMap<>();

    OpenVolumes(Longhorn longhorn, Consumer<? super VolumeEvent> listener) {
        this.longhorn = longhorn;
        this.listener = listener;
    }

    /** A volume that stays open until this is closed. */
    final class Lease implements AutoCloseable {
        private final Entry entry;
        private final Volume volume;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Lease(Entry entry, Volume volume) {
            this.entry = entry;
            this.volume = volume;
        }

        Volume volume() {
            return volume;
        }

        /** Closes the volume if nobody else needs it. Does nothing the second time. */
        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                release(entry);
            }
        }
    }

    /** Guarded by itself, but for reading the volume. */
    private static final class Entry {
        private final String name;
        private int leases;
        private volatile @Nullable Volume volume;
        private @Nullable EventSubscription subscription;

        /** Nobody finds it any more: whoever did looks again. */
        private boolean gone;

        private Entry(String name) {
            this.name = name;
        }
    }

    /**
     * Opens a volume, or shares it.
     *
     * @param takeOver whether to take it over from another program that may have it open; else that fails with {@link VolumeInUseException}
     */
    Lease open(String name, boolean takeOver) {
        Supplier<Volume> opening = () -> {
            if (!takeOver && longhorn.isInUse(name)) {
                throw new VolumeInUseException(name, "another program");
            }
            return longhorn.open(name, OpenMode.READ_WRITE);
        };
        return leased(name, opening, false);
    }

    /** Has a new volume made, which must not be here yet, and keeps it open. */
    Lease make(String name, Supplier<Volume> making) {
        return leased(name, making, true);
    }

    private Lease leased(String name, Supplier<Volume> opening, boolean mustBeNew) {
        while (true) {
            Entry entry = entries.computeIfAbsent(name, Entry::new);
            synchronized (entry) {
                if (entry.gone) {
                    continue;
                }
                Volume volume = entry.volume;
                if (volume != null && mustBeNew) {
                    throw new VolumeExistsException(name);
                }
                if (volume == null) {
                    try {
                        volume = opening.get();
                    } finally {
                        if (volume == null) {
                            forget(entry);
                        }
                    }
                    entry.volume = volume;
                    entry.subscription = volume.subscribe(listener);
                }
                entry.leases++;
                return new Lease(entry, volume);
            }
        }
    }

    /** Uses a volume, which is opened for that if it has to be. */
    <T> T with(String name, Function<Volume, T> use) {
        try (Lease lease = open(name, false)) {
            return use.apply(lease.volume());
        }
    }

    /** Does something with a volume that must not be open here, and that nobody opens meanwhile. */
    void whileClosed(String name, Runnable action) {
        while (true) {
            Entry entry = entries.computeIfAbsent(name, Entry::new);
            synchronized (entry) {
                if (entry.gone) {
                    continue;
                }
                if (entry.volume != null) {
                    throw new VolumeInUseException(name, "this daemon");
                }
                try {
                    action.run();
                } finally {
                    forget(entry);
                }
                return;
            }
        }
    }

    /** The volume if it is open. */
    Optional<Volume> find(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            return Optional.empty();
        }
        // Read without waiting for whoever opens or closes it; a volume that is being closed says so itself.
        return Optional.ofNullable(entry.volume);
    }

    private void release(Entry entry) {
        synchronized (entry) {
            entry.leases--;
            if (entry.leases == 0) {
                close(entry);
            }
        }
    }

    private void close(Entry entry) {
        try {
            Volume volume = entry.volume;
            if (volume != null) {
                volume.close();
            }
        } finally {
            if (entry.subscription != null) {
                entry.subscription.close();
            }
            forget(entry);
            LOG.debug("volume closed: volume={}", entry.name);
        }
    }

    private void forget(Entry entry) {
        entry.gone = true;
        entry.volume = null;
        entries.remove(entry.name, entry);
    }
}
