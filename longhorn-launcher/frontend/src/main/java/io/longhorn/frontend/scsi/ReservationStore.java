package io.longhorn.frontend.scsi;

import java.io.IOException;
import java.util.Optional;

/**
 * Keeps the persistent reservations of targets over a restart (APTPL, SPC-4 5.12.5). Blocks; called on a worker of the target. What is kept is bytes with a version, and
 * replaced only by who knows the version, so two programs that serve one target do not undo each other's reservations.
 */
public interface ReservationStore {

    /** Keeps nothing: reservations are gone when the target is closed, and a request to keep them is refused. */
    ReservationStore NONE = new ReservationStore() {
        @Override
        public Optional<Kept> load(String target) {
            return Optional.empty();
        }

        @Override
        public boolean save(String target, long expectedVersion, byte[] content) {
            return false;
        }
    };

    /** What is kept, and its version, 1 or more. */
    record Kept(long version, byte[] content) {}

    /**
     * What is kept of the target of that name; empty if nothing is.
     *
     * @throws IOException if it cannot be read, or is damaged
     */
    Optional<Kept> load(String target) throws IOException;

    /**
     * Replaces what is kept; durable on return. The new version is the expected one plus one.
     *
     * @param expectedVersion the version that is kept now, 0 for none
     * @return whether that was so; if not, nothing is done
     * @throws IOException if it may not have been kept
     */
    boolean save(String target, long expectedVersion, byte[] content) throws IOException;
}
