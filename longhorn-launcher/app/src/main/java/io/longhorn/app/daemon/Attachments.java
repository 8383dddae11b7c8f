package io.longhorn.app.daemon;

import io.longhorn.HeldSnapshot;
import io.longhorn.LonghornException;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.TimeLimitException;
import io.longhorn.Volume;
import io.longhorn.VolumeInUseException;
import io.longhorn.app.FailureLine;
import io.longhorn.frontend.BlockDevice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is attached: keeps the volumes open and the frontends showing them, remembers it in the {@link AttachmentFile}, and brings it back after a restart. Any thread; calls
 * about one volume come one after the other.
 */
final class Attachments implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Attachments.class);

    /** Longer than opening a volume may take. */
    private static final Duration TURN_LIMIT = Duration.ofSeconds(45);

    /** Volumes that are brought back at the same time after a restart: opening one mostly waits. */
    private static final int RESTORE_THREADS = 8;

    private static final long RETRY_SECONDS = 5;

    private final OpenVolumes volumes;
    private final Map<FrontendKind, Frontend> frontends;
    private final AttachmentFile file;
    private final EventLog events;
    private final ConcurrentSkipListMap<String, State> states = new ConcurrentSkipListMap<>();
    private final Map<String, ReentrantLock> turns = new ConcurrentHashMap<>();
    private final ScheduledThreadPoolExecutor restoring;
    private final AtomicInteger notTried = new AtomicInteger();
    private volatile boolean closing;

    /**
     * An attachment, and how it is.
     *
     * @param endpoint what clients are given; empty if there is nothing to give or it is not shown
     * @param problem why it is not shown now, which is tried again; empty if it is shown
     */
    record State(
            Attachment attachment,
            String endpoint,
            Optional<String> problem,
            @Nullable Held held) {
        boolean isShown() {
            return held != null;
        }
    }

    /** What an attachment that is shown holds. */
    record Held(OpenVolumes.Lease lease, Optional<HeldSnapshot> snapshot) {
        void close() {
            try {
                snapshot.ifPresent(HeldSnapshot::close);
            } finally {
                lease.close();
            }
        }
    }

    Attachments(OpenVolumes volumes, Collection<Frontend> frontends, AttachmentFile file, EventLog events) {
        this.volumes = volumes;
        this.frontends = new EnumMap<>(FrontendKind.class);
        frontends.forEach(frontend -> this.frontends.put(frontend.kind(), frontend));
        this.file = file;
        this.events = events;
        AtomicInteger number = new AtomicInteger();
        restoring = new ScheduledThreadPoolExecutor(RESTORE_THREADS, task -> {
            Thread thread = new Thread(task, "longhorn-restore-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        restoring.setKeepAliveTime(RETRY_SECONDS, TimeUnit.SECONDS);
        restoring.allowCoreThreadTimeOut(true);
    }

    /**
     * Begins to bring back what was attached. What cannot be is tried again until it can, or is detached.
     *
     * @param done called when all of it was tried once
     */
    void restore(Runnable done) {
        List<Attachment> remembered = file.read();
        remembered.forEach(attachment -> states.put(
                attachment.key(), new State(attachment, "", Optional.of("not attached yet after a restart"), null)));
        notTried.set(remembered.size());
        if (remembered.isEmpty()) {
            done.run();
        }
        for (Attachment attachment : remembered) {
            restoring.execute(() -> {
                restoreOne(attachment.key());
                if (notTried.decrementAndGet() == 0) {
                    done.run();
                }
            });
        }
    }

    private void restoreOne(String key) {
        State state = states.get(key);
        if (state == null || closing) {
            return;
        }
        boolean again = whileTurn(state.attachment().volume(), () -> {
            State now = states.get(key);
            if (now == null || now.isShown() || closing) {
                return false;
            }
            try {
                states.put(key, show(now.attachment(), false));
                LOG.info("attached again after a restart: {}", key);
                return false;
            } catch (RuntimeException e) {
                String problem = FailureLine.of(e);
                if (!now.problem().equals(Optional.of(problem))) {
                    LOG.warn("cannot attach again yet: {} cause={}", key, problem);
                }
                states.put(key, new State(now.attachment(), "", Optional.of(problem), null));
                return true;
            }
        });
        if (again && !closing) {
            var unused = restoring.schedule(() -> restoreOne(key), RETRY_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** Whether everything that was attached before a restart was tried. */
    boolean isRestored() {
        return notTried.get() == 0;
    }

    /** All attachments, in the order of their keys. */
    List<State> all() {
        return List.copyOf(states.values());
    }

    /** The attachments of a volume and its snapshots. */
    List<State> of(String volume) {
        return states.values().stream()
                .filter(state -> state.attachment().volume().equals(volume))
                .toList();
    }

    Optional<State> find(String volume, Optional<String> snapshot) {
        return Optional.ofNullable(states.get(Attachment.key(volume, snapshot)));
    }

    /** How many clients use what is attached of a volume. */
    int clients(State state) {
        return state.isShown() ? frontend(state.attachment().kind()).clients(state.attachment()) : 0;
    }

    /** What can be attached with, in the order of their kinds. */
    List<Frontend> frontends() {
        return List.copyOf(frontends.values());
    }

    /**
     * Attaches, durably on return. Asked for what is attached already, in the same way, it does nothing.
     *
     * @param wanted its {@code listen} may be empty for the frontend's usual address
     * @param takeOver whether to take the volume over from another program that may have it open
     */
    State attach(Attachment wanted, boolean takeOver) {
        return whileTurn(wanted.volume(), () -> {
            if (closing) {
                throw new ApiException(503, "STOPPING", "the daemon stops");
            }
            State present = states.get(wanted.key());
            if (present != null && !isSame(present.attachment(), wanted)) {
                throw new VolumeAttachedException(wanted.key(), how(present.attachment()));
            }
            if (present != null && present.isShown()) {
                return present;
            }
            State shown = show(present == null ? wanted : present.attachment(), takeOver);
            states.put(wanted.key(), shown);
            try {
                remember();
            } catch (RuntimeException e) {
                undo(shown, e);
                throw e;
            }
            events.tell("Attached", wanted.volume(), details(shown));
            return shown;
        });
    }

    private static boolean isSame(Attachment present, Attachment wanted) {
        return present.kind() == wanted.kind()
                && (wanted.listen().isEmpty()
                        || wanted.listen().equals(present.listen())
                        || isAnyPortOf(wanted, present));
    }

    /** Port 0 is whatever port was found. */
    private static boolean isAnyPortOf(Attachment wanted, Attachment present) {
        String host = wanted.listen().endsWith(":0")
                ? wanted.listen().substring(0, wanted.listen().length() - 1)
                : "";
        return !host.isEmpty() && present.listen().startsWith(host);
    }

    private static String how(Attachment present) {
        return "by " + present.kind().word() + (present.listen().isEmpty() ? "" : " at " + present.listen());
    }

    private static Map<String, Object> details(State state) {
        return Map.of(
                "attached",
                state.attachment().key(),
                "frontend",
                state.attachment().kind().word(),
                "endpoint",
                state.endpoint());
    }

    private State show(Attachment attachment, boolean takeOver) {
        Frontend frontend = frontend(attachment.kind());
        frontend.problem().ifPresent(problem -> {
            throw new FrontendFailedException(attachment.kind(), problem);
        });
        OpenVolumes.Lease lease = volumes.open(attachment.volume(), takeOver);
        Optional<HeldSnapshot> snapshot = Optional.empty();
        try {
            Volume volume = lease.volume();
            snapshot = attachment.snapshot().map(name -> held(volume, name));
            BlockDevice device = snapshot.map(BlockDevice::of).orElseGet(() -> BlockDevice.of(volume));
            Frontend.Shown shown = frontend.show(attachment, device, otherNames(attachment.key()));
            return new State(
                    attachment.at(shown.listen(), shown.name()),
                    shown.endpoint(),
                    Optional.empty(),
                    new Held(lease, snapshot));
        } catch (RuntimeException e) {
            closeAfter(new Held(lease, snapshot), e);
            throw e;
        }
    }

    private Set<String> otherNames(String key) {
        return states.values().stream()
                .map(State::attachment)
                .filter(attachment -> !attachment.key().equals(key))
                .map(Attachment::name)
                .collect(Collectors.toSet());
    }

    private static HeldSnapshot held(Volume volume, String name) {
        Snapshot found =
                volume.findSnapshot(name).orElseThrow(() -> new SnapshotNotFoundException(volume.name(), name));
        return found.hold();
    }

    private static void closeAfter(Held held, RuntimeException failure) {
        try {
            held.close();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private void undo(State shown, RuntimeException failure) {
        states.remove(shown.attachment().key());
        try {
            hide(shown);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private void hide(State shown) {
        frontend(shown.attachment().kind()).withdraw(shown.attachment());
        Held held = shown.held();
        if (held != null) {
            held.close();
        }
    }

    /** Detaches, durably on return; whether it was attached. */
    boolean detach(String volume, Optional<String> snapshot) {
        return whileTurn(volume, () -> {
            String key = Attachment.key(volume, snapshot);
            State present = states.get(key);
            if (present == null) {
                return false;
            }
            RuntimeException late = null;
            if (present.isShown()) {
                frontend(present.attachment().kind()).withdraw(present.attachment());
            }
            states.remove(key);
            Held held = present.held();
            if (held != null) {
                try {
                    held.close();
                } catch (LonghornException e) {
                    // It is detached all the same: a volume that cannot be closed in order is faulted or taken over.
                    late = e;
                }
            }
            remember();
            events.tell("Detached", volume, details(present));
            if (late != null) {
                throw late;
            }
            return true;
        });
    }

    /** Does something with a volume that must not be attached, its snapshots neither, while nobody attaches it. */
    void whileDetached(String volume, Runnable action) {
        whileTurn(volume, () -> {
            of(volume).stream().findFirst().ifPresent(state -> {
                throw new VolumeAttachedException(state.attachment().key(), how(state.attachment()));
            });
            action.run();
            return true;
        });
    }

    /** Refuses to change what clients rely on under their feet. */
    void requireUnused(String volume) {
        find(volume, Optional.empty()).ifPresent(state -> {
            int clients = clients(state);
            if (clients > 0) {
                throw new VolumeInUseException(
                        volume,
                        clients + (clients == 1 ? " client" : " clients") + " of "
                                + state.attachment().kind().word());
            }
        });
    }

    /** Only those that are there now: what is about to be attached is not yet. */
    private synchronized void remember() {
        file.write(
                new ArrayList<>(states.values().stream().map(State::attachment).toList()));
    }

    private Frontend frontend(FrontendKind kind) {
        Frontend frontend = frontends.get(kind);
        if (frontend == null) {
            throw new FrontendFailedException(kind, "this daemon does not have it");
        }
        return frontend;
    }

    private <T> T whileTurn(String volume, Supplier<T> action) {
        ReentrantLock turn = turns.computeIfAbsent(volume, name -> new ReentrantLock());
        boolean locked = false;
        try {
            locked = turn.tryLock(TURN_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!locked) {
            throw new TimeLimitException("volume " + volume, "waiting for another attach or detach", TURN_LIMIT);
        }
        try {
            return action.get();
        } finally {
            turn.unlock();
        }
    }

    /** Closes frontends and volumes, and keeps in the file what was attached, for the next start. */
    @Override
    public void close() {
        closing = true;
        restoring.shutdownNow();
        frontends.values().forEach(frontend -> {
            try {
                frontend.close();
            } catch (RuntimeException e) {
                LOG.warn("frontend not closed in order: {} cause={}", frontend.kind(), e.toString());
            }
        });
        for (State state : all()) {
            whileTurn(state.attachment().volume(), () -> {
                State now = states.remove(state.attachment().key());
                if (now != null && now.held() != null) {
                    close(now.attachment(), now.held());
                }
                return true;
            });
        }
    }

    private static void close(Attachment attachment, Held held) {
        try {
            held.close();
        } catch (RuntimeException e) {
            LOG.warn("volume not closed in order: {} cause={}", attachment.key(), e.toString());
        }
    }
}
