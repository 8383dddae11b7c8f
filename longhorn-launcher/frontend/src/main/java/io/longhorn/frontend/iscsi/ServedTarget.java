package io.longhorn.frontend.iscsi;

import io.longhorn.frontend.scsi.ScsiTarget;
import io.longhorn.frontend.scsi.ScsiTargetSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** A target with its sessions. Any thread. */
final class ServedTarget {

    private final IscsiTargetSpec spec;
    private final ScsiTarget scsi;
    private final Set<IscsiConnection> connections = new HashSet<>();
    private final Set<FullFeature> sessions = new HashSet<>();
    private boolean withdrawn;

    ServedTarget(IscsiTargetSpec spec) {
        this.spec = spec;
        scsi = new ScsiTarget(new ScsiTargetSpec(
                spec.iqn(),
                spec.lun(),
                spec.device(),
                spec.reservations(),
                ScsiTargetSpec.PHYSICAL_BLOCK_BYTES_DEFAULT));
    }

    IscsiTargetSpec spec() {
        return spec;
    }

    ScsiTarget scsi() {
        return scsi;
    }

    /** A session is about to begin on this connection; false if the target is served no longer. */
    synchronized boolean attach(IscsiConnection connection) {
        if (withdrawn) {
            return false;
        }
        connections.add(connection);
        return true;
    }

    synchronized void opened(FullFeature session) {
        sessions.add(session);
    }

    /** The session has ended, and so has all it had in flight. */
    synchronized void detach(FullFeature session, IscsiConnection connection) {
        sessions.remove(session);
        connections.remove(connection);
    }

    synchronized List<FullFeature> sessions() {
        return new ArrayList<>(sessions);
    }

    /** No session begins any more. Returns the connections of those that there are. */
    synchronized List<IscsiConnection> withdraw() {
        withdrawn = true;
        return new ArrayList<>(connections);
    }

    /** Aborts commands of all sessions. The listener runs on the event loop of any of them. */
    void abortEverywhere(Predicate<Task> kind, Runnable whenEnded) {
        Countdown countdown = new Countdown(whenEnded);
        for (FullFeature session : sessions()) {
            countdown.add();
            session.onLoop(() -> {
                session.tasks().abortAll(kind, countdown);
                countdown.done();
            });
        }
        countdown.done();
    }
}
