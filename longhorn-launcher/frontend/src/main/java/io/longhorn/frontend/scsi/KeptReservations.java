package io.longhorn.frontend.scsi;

import java.io.IOException;
import java.util.Optional;

/** What the store keeps of a target's reservations. One thread. */
final class KeptReservations {

    private final ScsiTargetSpec spec;

    /** The version that is kept, 0 for none. */
    private long version;

    /** Whether what is kept is more than nothing. */
    private boolean lasting;

    KeptReservations(ScsiTargetSpec spec) {
        this.spec = spec;
    }

    boolean canKeep() {
        return !spec.reservations().equals(ReservationStore.NONE);
    }

    /** What held when the target was served last. */
    Reservations load() {
        try {
            Optional<ReservationStore.Kept> found = spec.reservations().load(spec.name());
            if (found.isEmpty()) {
                return Reservations.NONE;
            }
            Reservations reservations = ReservationsFormat.decode(found.get().content());
            version = found.get().version();
            lasting = reservations.persistent();
            return reservations;
        } catch (IOException e) {
            throw new ReservationsUnreadableException(spec.name(), e);
        }
    }

    /** Durable on return. Reservations that need not last leave nothing, and cost nothing if nothing is there. */
    void keep(Reservations next) throws IOException {
        if (!next.persistent() && !lasting) {
            return;
        }
        Reservations content = next.persistent() ? next : Reservations.NONE;
        if (!spec.reservations().save(spec.name(), version, ReservationsFormat.encode(content))) {
            throw new IOException("somebody else serves target " + spec.name() + " and changed its reservations");
        }
        version++;
        lasting = next.persistent();
    }
}
