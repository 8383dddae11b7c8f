package io.longhorn.frontend.iscsi;

import io.longhorn.frontend.scsi.InitiatorPort;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The normal sessions of a portal. An initiator has at most one per target and ISID; another login of the same kind takes the place of the earlier one (RFC 7143 6.3.5). Any
 * thread.
 */
final class SessionTable {

    private static final int TSIH_MAX = 0xffff;

    private final Map<Nexus, Entry> sessions = new HashMap<>();
    private final Set<Integer> tsihs = new HashSet<>();
    private int lastTsih;

    /** The names of both ends of a session. */
    record Nexus(InitiatorPort port, String target) {}

    /**
     * Whether a session may begin.
     *
     * @param tsih the handle of the session, if it may
     * @param previous what must be closed, and have ended, before
     */
    record Admission(LoginStatus status, int tsih, @Nullable IscsiConnection previous) {}

    private record Entry(int tsih, int connectionId, IscsiConnection connection) {}

    /**
     * Enters a session.
     *
     * @param tsih as the initiator gave it: 0 for a new session, else that of a session whose only connection this one replaces (6.3.4)
     */
    synchronized Admission admit(Nexus nexus, int tsih, int connectionId, IscsiConnection connection) {
        Entry present = sessions.get(nexus);
        if (tsih != 0) {
            if (present == null || present.tsih != tsih) {
                return refused(LoginStatus.SESSION_DOES_NOT_EXIST);
            }
            if (present.connectionId != connectionId) {
                return refused(LoginStatus.TOO_MANY_CONNECTIONS);
            }
            sessions.put(nexus, new Entry(tsih, connectionId, connection));
            return new Admission(LoginStatus.SUCCESS, tsih, present.connection);
        }
        if (tsihs.size() == TSIH_MAX) {
            return refused(LoginStatus.OUT_OF_RESOURCES);
        }
        if (present != null) {
            tsihs.remove(present.tsih);
        }
        int given = freeTsih();
        tsihs.add(given);
        sessions.put(nexus, new Entry(given, connectionId, connection));
        return new Admission(LoginStatus.SUCCESS, given, present == null ? null : present.connection);
    }

    /** The session of the connection is over. */
    synchronized void leave(Nexus nexus, IscsiConnection connection) {
        Entry present = sessions.get(nexus);
        if (present != null && present.connection == connection) {
            sessions.remove(nexus);
            tsihs.remove(present.tsih);
        }
    }

    /** The handle of a discovery session, which nothing else refers to. */
    synchronized int discoveryTsih() {
        return freeTsih();
    }

    private int freeTsih() {
        do {
            lastTsih = lastTsih % TSIH_MAX + 1;
        } while (tsihs.contains(lastTsih));
        return lastTsih;
    }

    private static Admission refused(LoginStatus status) {
        return new Admission(status, 0, null);
    }
}
