package io.longhorn.frontend.scsi;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who is registered with a unit and who has reserved it (SPC-4 5.12), at one moment. Never changes; a change makes the next one.
 *
 * @param generation counts the changes of registrations, wraps
 * @param persistent whether the unit keeps it over a restart (APTPL)
 * @param registrations by port, in the order in which they came
 * @param reservation null if there is none
 */
record Reservations(
        int generation,
        boolean persistent,
        Map<InitiatorPort, Registration> registrations,
        @Nullable Reservation reservation) {

    static final Reservations NONE = new Reservations(0, false, Map.of(), null);

    /** How many ports may be registered. */
    static final int REGISTRATIONS_MAX = 256;

    /**
     * A registered port.
     *
     * @param key not 0
     * @param allTargetPorts whether it was registered for all target ports, of which there is one
     */
    record Registration(InitiatorPort port, long key, boolean allTargetPorts) {}

    /**
     * A reservation of the unit.
     *
     * @param holder who reserved; where all registrants hold it that has no meaning any more
     */
    record Reservation(ReservationType type, InitiatorPort holder) {}

    Reservations {
        registrations = Collections.unmodifiableMap(new LinkedHashMap<>(registrations));
    }

    Optional<Registration> registration(InitiatorPort port) {
        return Optional.ofNullable(registrations.get(port));
    }

    boolean isRegistered(InitiatorPort port) {
        return registrations.containsKey(port);
    }

    boolean holds(InitiatorPort port) {
        if (reservation == null) {
            return false;
        }
        return reservation.type().isHeldByAll()
                ? isRegistered(port)
                : reservation.holder().equals(port);
    }

    /** Whether a command of that kind by that port has to be refused. */
    boolean conflict(InitiatorPort port, Access access) {
        if (reservation == null || !reservation.type().forbids(access)) {
            return false;
        }
        boolean admitted = reservation.type().admitsRegistrants() && isRegistered(port);
        return !admitted && !holds(port);
    }

    List<Registration> withKey(long key) {
        List<Registration> found = new ArrayList<>();
        for (Registration registration : registrations.values()) {
            if (registration.key() == key) {
                found.add(registration);
            }
        }
        return found;
    }

    Reservations withRegistration(Registration registration) {
        Map<InitiatorPort, Registration> next = new LinkedHashMap<>(registrations);
        next.put(registration.port(), registration);
        return new Reservations(generation, persistent, next, reservation);
    }

    /** Without that registration, and without the reservation if nobody holds it then. */
    Reservations without(InitiatorPort port) {
        Map<InitiatorPort, Registration> next = new LinkedHashMap<>(registrations);
        next.remove(port);
        boolean ends = reservation != null
                && (reservation.type().isHeldByAll()
                        ? next.isEmpty()
                        : reservation.holder().equals(port));
        return new Reservations(generation, persistent, next, ends ? null : reservation);
    }

    Reservations withReservation(@Nullable Reservation next) {
        return new Reservations(generation, persistent, registrations, next);
    }

    Reservations withPersistence(boolean next) {
        return new Reservations(generation, next, registrations, reservation);
    }

    Reservations nextGeneration() {
        return new Reservations(generation + 1, persistent, registrations, reservation);
    }
}
