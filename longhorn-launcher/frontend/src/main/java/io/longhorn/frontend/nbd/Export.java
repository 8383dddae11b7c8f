package io.longhorn.frontend.nbd;

import io.longhorn.frontend.BlockDevice;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A device that is served, and the connections that use it. Any thread. */
final class Export {

    private final BlockDevice device;
    private final String description;
    private final Set<Transmission> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean withdrawn;

    Export(BlockDevice device, String description) {
        this.device = device;
        this.description = description;
    }

    BlockDevice device() {
        return device;
    }

    String name() {
        return device.name();
    }

    String description() {
        return description;
    }

    /** What the section "Transmission flags" offers for it; what changes data is left out if nothing may be changed. */
    int transmissionFlags(boolean structured) {
        int flags = NbdWire.TRANSMIT_HAS_FLAGS
                | NbdWire.TRANSMIT_SEND_FLUSH
                | NbdWire.TRANSMIT_CAN_MULTI_CONN
                | NbdWire.TRANSMIT_SEND_CACHE;
        flags |= device.isReadOnly()
                ? NbdWire.TRANSMIT_READ_ONLY
                : NbdWire.TRANSMIT_SEND_FUA
                        | NbdWire.TRANSMIT_SEND_TRIM
                        | NbdWire.TRANSMIT_SEND_WRITE_ZEROES
                        | NbdWire.TRANSMIT_SEND_FAST_ZERO;
        return structured ? flags | NbdWire.TRANSMIT_SEND_DF : flags;
    }

    /** False if it is served no longer. Whoever comes in beside {@link #withdraw} either sees that here, or is in the set that it returns. */
    boolean enter(Transmission connection) {
        connections.add(connection);
        if (withdrawn) {
            connections.remove(connection);
            return false;
        }
        return true;
    }

    void leave(Transmission connection) {
        connections.remove(connection);
    }

    Set<Transmission> connections() {
        return connections;
    }

    /** From now on nobody comes in; returns who is in. */
    Set<Transmission> withdraw() {
        withdrawn = true;
        return Set.copyOf(connections);
    }
}
