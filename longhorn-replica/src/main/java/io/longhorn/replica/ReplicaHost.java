package io.longhorn.replica;

import io.longhorn.replica.wire.Connection;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the sessions of one replica server share: its disks, who it is, who may come in. An acceptor for disks that live on the loop which accepts; where they have loops of their
 * own, a {@link Mover} takes connections there.
 *
 * @param serverId identity of this server process
 * @param bootId identity of the host's present boot
 * @param token what engines must show; empty if anybody may come in, or if TLS has decided already
 * @param disks in the order in which they were given
 * @param mover takes a connection to the loop of a disk
 */
public record ReplicaHost(UUID serverId, String bootId, String token, List<ReplicaDisk> disks, Mover mover)
        implements Connection.Acceptor {

    /** Hands a connection to the loop of a disk, where {@code handler} gets the present frame again, then all that follow. */
    public interface Mover {
        void move(Connection connection, ReplicaDisk disk, Connection.Handler handler);
    }

    public ReplicaHost {
        Objects.requireNonNull(serverId, "serverId");
        Objects.requireNonNull(bootId, "bootId");
        Objects.requireNonNull(token, "token");
        Objects.requireNonNull(mover, "mover");
        disks = List.copyOf(disks);
        if (disks.isEmpty()) {
            throw new IllegalArgumentException("a replica server needs at least one disk");
        }
    }

    /** A host whose disks all live on the loop that accepts. */
    public ReplicaHost(UUID serverId, String bootId, String token, List<ReplicaDisk> disks) {
        this(serverId, bootId, token, disks, (connection, disk, handler) -> {
            throw new IllegalStateException("disk " + disk.describe() + " lives on another loop");
        });
    }

    @Override
    public Connection.Handler onAccepted(Connection connection) {
        return new ReplicaSession(this, connection);
    }

    /** The rule for who may come in. Compares in constant time, so that the time of a refusal tells nothing about the token. */
    boolean admits(String shown) {
        return MessageDigest.isEqual(shown.getBytes(StandardCharsets.UTF_8), token.getBytes(StandardCharsets.UTF_8));
    }

    /** The disk that has the replica, or null. Any thread. */
    @Nullable
    ReplicaDisk diskOf(UUID replicaId) {
        for (ReplicaDisk disk : disks) {
            if (disk.hosts(replicaId)) {
                return disk;
            }
        }
        return null;
    }

    /** Where a new replica goes: the disk with most room that works. Any thread. */
    ReplicaDisk roomiest() {
        ReplicaDisk best = disks.get(0);
        for (ReplicaDisk disk : disks) {
            if (best.hasFailed()
                    || (!disk.hasFailed()
                            && disk.space().lastAvailableBytes() > best.space().lastAvailableBytes())) {
                best = disk;
            }
        }
        return best;
    }

    /** All replicas on all disks. Any thread. */
    List<io.longhorn.replica.wire.Message.ReplicaInfo> replicas() {
        List<io.longhorn.replica.wire.Message.ReplicaInfo> all = new ArrayList<>();
        disks.forEach(disk -> all.addAll(disk.published()));
        return all;
    }

    /** Any thread. */
    long usableBytes() {
        long usable = 0;
        for (ReplicaDisk disk : disks) {
            usable += disk.hasFailed() ? 0 : disk.space().lastAvailableBytes();
        }
        return usable;
    }

    /** The token is nobody's business. */
    @Override
    public String toString() {
        return "ReplicaHost[" + serverId + ", disks " + disks.size() + "]";
    }
}
