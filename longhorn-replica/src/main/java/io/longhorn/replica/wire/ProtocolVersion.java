package io.longhorn.replica.wire;

import io.longhorn.VersionMismatchException;
import java.util.UUID;

/**
 * What both sides of a connection speak, agreed on with its first two messages. The version decides layouts; a feature
 * is something that one side may leave out, one bit each. See {@code docs/format/wire.md}, section 11.
 *
 * @param version the newest that both know
 * @param features bits that both set
 */
public record ProtocolVersion(int version, long features) {
    /** The newest version this build speaks. */
    public static final int CURRENT = 1;
    /** The oldest it still speaks: one before {@link #CURRENT}, once there is one, so that a fleet can be upgraded host by host. */
    public static final int OLDEST = 1;
    /** Features of this build. Version 1 has none. */
    public static final long FEATURES = 0;

    /** The first message of an engine. */
    public static Message.Hello hello(UUID engineId, UUID clusterId, String token) {
        return new Message.Hello(OLDEST, CURRENT, FEATURES, engineId, clusterId, token);
    }

    /**
     * The server's side: what it and the sender of {@code hello} speak.
     *
     * @param peer the sender's address, for the error
     * @throws VersionMismatchException if they share no version; {@link FailureMapping} turns it into the answer
     * @throws io.longhorn.ProtocolException if the sender's range is none
     */
    public static ProtocolVersion negotiate(Message.Hello hello, String peer) {
        return negotiate(OLDEST, CURRENT, FEATURES, hello, peer);
    }

    static ProtocolVersion negotiate(int ourOldest, int ourNewest, long ourFeatures, Message.Hello hello, String peer) {
        if (hello.versionMin() < 1 || hello.versionMax() < hello.versionMin()) {
            throw WireErrors.refused(
                    "version range " + hello.versionMin() + " to " + hello.versionMax() + " is not a range from 1 on");
        }
        int version = Math.min(ourNewest, hello.versionMax());
        if (version < Math.max(ourOldest, hello.versionMin())) {
            throw new VersionMismatchException(peer, ourOldest, ourNewest, hello.versionMin(), hello.versionMax());
        }
        return new ProtocolVersion(version, ourFeatures & hello.features());
    }

    /**
     * The engine's side: what the server chose in its answer.
     *
     * @throws io.longhorn.ProtocolException if it chose what {@code hello} did not offer
     */
    public static ProtocolVersion accept(Message.Hello hello, Message.HelloOk answer) {
        if (answer.version() < hello.versionMin() || answer.version() > hello.versionMax()) {
            throw WireErrors.badField(
                    "chosen version", answer.version(), hello.versionMin() + " to " + hello.versionMax());
        }
        if ((answer.features() & ~hello.features()) != 0) {
            throw WireErrors.badField(
                    "features", answer.features(), "only bits of " + Long.toBinaryString(hello.features()));
        }
        return new ProtocolVersion(answer.version(), answer.features());
    }

    /** The server's answer. */
    public Message.HelloOk helloOk(UUID serverId, String bootId, int disks, int replicas, long usableBytes) {
        return new Message.HelloOk(version, features, serverId, bootId, disks, replicas, usableBytes);
    }
}
