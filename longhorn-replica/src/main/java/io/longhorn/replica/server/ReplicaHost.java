package io.longhorn.replica.server;

import io.longhorn.replica.wire.Connection;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.UUID;

/**
 * What the sessions of one replica server share: its disks, who it is, who may come in.
 *
 * @param serverId identity of this server process
 * @param token what engines must show; empty if anybody may come in, or if TLS has decided already
 * @param disks in the order in which they were given
 */
public record ReplicaHost(UUID serverId, String bootId, String token, List<ReplicaDisk> disks)
        implements Connection.Acceptor {

    public ReplicaHost {
        disks = List.copyOf(disks);
        if (disks.isEmpty()) {
            throw new IllegalArgumentException("a replica server needs at least one disk");
        }
    }

    /** Hands a connection to the loop of a disk; the present frame comes again there. */
    public interface Mover {
        void move(Connection connection, ReplicaDisk disk, Connection.Handler handler);
    }

    /** For hosts whose disks all live on the loop that accepts. */
    @Override
    public Connection.Handler onAccepted(Connection connection) {
        return new ReplicaSession(this, connection, (c, disk, handler) -> {
            throw new IllegalStateException("disk " + disk.describe() + " lives on another loop");
        });
    }

    /** The same where disks have loops of their own. */
    public Connection.Handler accept(Connection connection, Mover mover) {
        return new ReplicaSession(this, connection, mover);
    }

    /** Compares in constant time, so that the time of a refusal tells nothing about the token. */
    boolean admits(String shown) {
        return MessageDigest.isEqual(shown.getBytes(StandardCharsets.UTF_8), token.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String toString() {
        return "ReplicaHost[" + serverId + ", disks " + disks.size() + "]";
    }
}
