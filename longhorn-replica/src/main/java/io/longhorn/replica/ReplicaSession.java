package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.LonghornException;
import io.longhorn.ProtocolException;
import io.longhorn.WrongClusterException;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FailureMapping;
import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.WireLimits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server's end of one connection: greets, makes and deletes replicas, binds itself to one replica by a fence, and then passes records and requests on. What is wrong with
 * this connection ends this connection, and disturbs nobody else. Belongs to the loop of its disk; before it has one, to the loop that accepted.
 */
final class ReplicaSession implements Connection.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaSession.class);
    /**
     * Between an ERROR that ends the connection and our closing it. The peer closes when it has read the error; closing at once could make its system throw the error away
     * together with what we had not read.
     */
    private static final long CLOSE_DELAY_NANOS = 500_000_000;

    private enum State {
        NEW,
        GREETED,
        FENCING,
        FENCED,
        OVER
    }

    private final ReplicaHost host;
    private final Connection connection;
    private State state = State.NEW;
    private Message.@Nullable Hello hello;
    /** Where the connection lives; null until it was moved there, or found to be there already. */
    private @Nullable ReplicaDisk disk;

    private @Nullable FencedSession fenced;

    ReplicaSession(ReplicaHost host, Connection connection) {
        this.host = host;
        this.connection = connection;
    }

    /** Goes on where a session on another loop stopped: it greeted, and its next frame names a replica of {@code disk}. */
    private ReplicaSession(ReplicaSession from, ReplicaDisk disk) {
        this(from.host, from.connection);
        this.state = State.GREETED;
        this.hello = from.hello;
        this.disk = disk;
    }

    // ------------------------------------------------------------------ frames

    @Override
    public void onFrame(ByteBuffer b, int at, int length) {
        if (state == State.OVER) {
            return;
        }
        FencedSession bound = fenced;
        try {
            if (state == State.FENCED && bound != null) {
                bound.onFrame(b, at, length);
            } else {
                onEarlyFrame(b, at, length);
            }
        } catch (ReplicaRefusal refusal) {
            send(FrameLayout.number(b, at), refusal.failure());
        } catch (ProtocolException | WrongClusterException e) {
            refuse(FrameLayout.number(b, at), FailureMapping.of(e));
        } catch (LonghornException e) {
            send(FrameLayout.number(b, at), FailureMapping.of(e));
        } catch (IOException e) {
            LOG.warn("request failed: peer={} cause={}", connection.peerName(), e.toString());
            send(FrameLayout.number(b, at), FailureMapping.of(ErrorCode.SERVER_FAILED, String.valueOf(e.getMessage())));
        }
    }

    @Override
    public void onBatchEnd() {
        FencedSession bound = fenced;
        if (state == State.FENCED && bound != null) {
            bound.onBatchEnd();
        }
    }

    @Override
    public void onClosed(String cause) {
        LOG.debug("session ended: peer={} cause={}", connection.peerName(), cause);
        over();
    }

    private void over() {
        state = State.OVER;
        FencedSession bound = fenced;
        fenced = null;
        if (bound != null) {
            bound.ended(this);
        }
    }

    /** Tells the peer and ends the connection: its stream cannot go on. */
    private void refuse(long request, Message.Failure failure) {
        if (state == State.OVER) {
            return;
        }
        LOG.debug("session refused: peer={} cause={}", connection.peerName(), failure.detail());
        send(request, failure);
        over();
        ReplicaDisk here = disk;
        for (int i = 0; here == null && i < host.disks().size(); i++) {
            here = host.disks().get(i).loop().inLoop() ? host.disks().get(i) : null;
        }
        if (here == null) {
            connection.close();
        } else {
            here.loop().schedule(CLOSE_DELAY_NANOS, connection::close);
        }
    }

    /** The record stream, or the server behind it, ends: ERROR with request id 0, then the connection is closed. */
    void end(ErrorCode code, String detail) {
        refuse(0, FailureMapping.of(code, detail));
    }

    void refuseStream(Message.Failure failure) {
        refuse(0, failure);
    }

    void send(long request, Message message) {
        if (state != State.OVER) {
            connection.send(MessageCodec.encode(connection.pool(), promisedEpoch(), request, message));
        }
    }

    /** Scrub found a bad block. */
    void tellDamage(Message.Damage damage) {
        if (state == State.FENCED) {
            send(0, damage);
        }
    }

    void sendReplicas(long request) {
        send(request, new Message.ListReplicasOk(host.replicas()));
    }

    private long promisedEpoch() {
        FencedSession bound = fenced;
        return bound == null ? 0 : bound.epoch();
    }

    boolean isOver() {
        return state == State.OVER;
    }

    /** Whether the engine may be waiting for credit. */
    boolean isStarving() {
        FencedSession bound = fenced;
        return state == State.FENCED && bound != null && bound.isStarving();
    }

    /** The account of the engine that is fenced here; null if none is. */
    SpaceCredit.@Nullable Account account() {
        FencedSession bound = fenced;
        return state == State.FENCED && bound != null ? bound.account() : null;
    }

    /** Credit may have grown, or it is known now that it will not. */
    void feed() {
        FencedSession bound = fenced;
        if (state == State.FENCED && bound != null) {
            bound.feed();
        }
    }

    /** One of the numbers of an ACK grew. */
    void acknowledge() {
        FencedSession bound = fenced;
        if (state == State.FENCED && bound != null) {
            bound.acknowledge();
        }
    }

    // ------------------------------------------------------------------ before the fence

    private void onEarlyFrame(ByteBuffer b, int at, int length) {
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        FrameFault fault = FrameFault.of(b, at, length);
        if (fault != FrameFault.NONE) {
            refuse(
                    0,
                    FailureMapping.of(fault, Math.max(0, FrameLayout.number(b, at)), "a frame was refused: " + fault));
            return;
        }
        if (!mayCome(type, length)) {
            throw new ProtocolException(connection.peerName(), type + " does not belong here, in state " + state);
        }
        Message message = MessageCodec.decode(b, at);
        long request = FrameLayout.number(b, at);
        if (message instanceof Message.Hello greeting) {
            greet(greeting, request);
        } else if (message instanceof Message.CreateReplica create) {
            create(create, request);
        } else if (message instanceof Message.DeleteReplica delete) {
            delete(delete, request);
        } else if (message instanceof Message.Fence fence) {
            fence(fence, request);
        } else if (message instanceof Message.ListReplicas) {
            sendReplicas(request);
        } else if (message instanceof Message.Ping ping) {
            send(request, new Message.Pong(ping.epoch(), ping.sentNanos()));
        }
    }

    private boolean mayCome(@Nullable FrameType type, int length) {
        if (type == null) {
            return false;
        }
        return switch (type) {
            case HELLO -> state == State.NEW && length <= WireLimits.FIRST_FRAME_BYTES_MAX;
            case CREATE_REPLICA, DELETE_REPLICA, FENCE, LIST_REPLICAS -> state == State.GREETED;
            case PING -> state != State.NEW;
            default -> false;
        };
    }

    private void greet(Message.Hello greeting, long request) {
        if (!host.admits(greeting.token())) {
            refuse(request, FailureMapping.of(ErrorCode.AUTHENTICATION_FAILED, "the token is not ours"));
            return;
        }
        ProtocolVersion version;
        try {
            version = ProtocolVersion.negotiate(greeting, connection.peerName());
        } catch (io.longhorn.VersionMismatchException e) {
            refuse(request, FailureMapping.of(e));
            return;
        }
        for (ReplicaDisk each : host.disks()) {
            each.requireCluster(greeting.clusterId());
        }
        hello = greeting;
        state = State.GREETED;
        send(
                request,
                version.helloOk(
                        host.serverId(),
                        host.bootId(),
                        host.disks().size(),
                        host.replicas().size(),
                        host.usableBytes()));
    }

    private UUID clusterId() {
        Message.Hello greeting = hello;
        if (greeting == null) {
            throw new ProtocolException(connection.peerName(), "a request before HELLO");
        }
        return greeting.clusterId();
    }

    /** Goes on with this frame on the disk's loop; false if that is here. */
    private boolean movedTo(ReplicaDisk target) {
        if (target.loop().inLoop()) {
            disk = target;
            return false;
        }
        state = State.OVER;
        host.mover().move(connection, target, new ReplicaSession(this, target));
        return true;
    }

    private static void requireService(ReplicaDisk target) {
        if (target.hasFailed()) {
            throw new ReplicaRefusal(ErrorCode.DISK_FAILED, "disk " + target.describe() + " has failed");
        }
        if (target.isStopping()) {
            throw new ReplicaRefusal(ErrorCode.SERVER_STOPPING, "the server stops");
        }
    }

    private void create(Message.CreateReplica wanted, long request) {
        ReplicaDisk there = host.diskOf(wanted.replicaId());
        ReplicaDisk target = there != null ? there : disk != null ? disk : host.roomiest();
        if (movedTo(target)) {
            return;
        }
        requireService(target);
        target.create(clusterId(), wanted, new ReplicaMaking.Outcome() {
            @Override
            public void done() {
                send(request, new Message.Done());
            }

            @Override
            public void refused(LonghornException cause) {
                send(request, cause instanceof ReplicaRefusal refusal ? refusal.failure() : FailureMapping.of(cause));
            }

            @Override
            public void failed(IOException cause) {
                send(request, FailureMapping.of(ErrorCode.DISK_FAILED, String.valueOf(cause.getMessage())));
            }
        });
    }

    private void delete(Message.DeleteReplica wanted, long request) {
        ReplicaDisk target = host.diskOf(wanted.replicaId());
        if (target == null) {
            send(request, new Message.Done());
            return;
        }
        if (movedTo(target)) {
            return;
        }
        requireService(target);
        target.requireCluster(clusterId());
        ReplicaState victim = target.find(wanted.replicaId());
        if (victim == null) {
            send(request, new Message.Done());
            return;
        }
        if (!victim.meta().volumeId().equals(wanted.volumeId())) {
            throw new ReplicaRefusal(ErrorCode.REPLICA_MISMATCH, "the replica belongs to another volume");
        }
        if (isPromisedBeyond(victim.meta(), wanted.epoch())) {
            throw new ReplicaRefusal(
                    ErrorCode.FENCED,
                    victim.meta().promised().epoch(),
                    wanted.epoch(),
                    "the replica is promised to a newer epoch");
        }
        target.delete(
                victim,
                failure -> send(
                        request,
                        failure == null
                                ? new Message.Done()
                                : FailureMapping.of(ErrorCode.DISK_FAILED, String.valueOf(failure.getMessage()))));
    }

    private static boolean isPromisedBeyond(ReplicaMeta meta, long epoch) {
        return meta.promised().epoch() > epoch;
    }

    // ------------------------------------------------------------------ the fence

    private void fence(Message.Fence fence, long request) {
        ReplicaDisk target = host.diskOf(fence.replicaId());
        if (target != null && movedTo(target)) {
            return;
        }
        ReplicaState wanted = target == null ? null : target.find(fence.replicaId());
        if (target == null || wanted == null) {
            refuse(request, FailureMapping.of(ErrorCode.REPLICA_NOT_FOUND, "there is no replica " + fence.replicaId()));
            return;
        }
        try {
            requireService(target);
            target.requireCluster(fence.clusterId());
        } catch (ReplicaRefusal refusal) {
            refuse(request, refusal.failure());
            return;
        }
        ReplicaMeta meta = wanted.meta();
        if (!meta.volumeId().equals(fence.volumeId())) {
            refuse(request, FailureMapping.of(ErrorCode.REPLICA_MISMATCH, "the replica belongs to another volume"));
        } else if (isOutdated(fence, meta.promised())) {
            refuse(
                    request,
                    FailureMapping.of(
                            ErrorCode.FENCED,
                            meta.promised().epoch(),
                            fence.epoch(),
                            "promised to epoch " + meta.promised().epoch() + " and record version "
                                    + meta.promised().recordVersion()));
        } else {
            promise(target, wanted, fence, request);
        }
    }

    /** The rule for fences: an older epoch, the same one under another name, or an older record than promised is refused. */
    private static boolean isOutdated(Message.Fence fence, ReplicaMeta.Promise promised) {
        return fence.epoch() < promised.epoch()
                || (fence.epoch() == promised.epoch() && !fence.engineId().equals(promised.engineId()))
                || fence.recordVersion() < promised.recordVersion();
    }

    private void promise(ReplicaDisk target, ReplicaState replica, Message.Fence fence, long request) {
        ReplicaSession earlier = replica.session;
        if (earlier != null && earlier != this) {
            earlier.takenOver(fence.epoch());
        }
        FencedSession bound = new FencedSession(this, target, replica, connection, fence.epoch());
        fenced = bound;
        replica.session = this;
        state = State.FENCING;
        replica.keeper.change(replica.keeper
                .wanted()
                .change()
                .promised(fence.epoch(), fence.engineId(), fence.recordVersion())
                .build());
        replica.keeper.store(true, failure -> promised(bound, request, failure));
    }

    /** Another connection has the replica now. What this one sent and we did not read is dropped. */
    private void takenOver(long byEpoch) {
        long mine = promisedEpoch();
        if (byEpoch > mine) {
            refuse(0, FailureMapping.of(ErrorCode.FENCED, byEpoch, mine, "a newer engine took the replica over"));
        } else {
            end(ErrorCode.SUPERSEDED, "a newer connection took the replica over");
        }
    }

    /** The promise is durable, or cannot be made so. Identity is meant: another fence may have come meanwhile. */
    @SuppressWarnings("ReferenceEquality")
    private void promised(FencedSession bound, long request, @Nullable IOException failure) {
        if (fenced != bound || state != State.FENCING) {
            return;
        }
        if (failure != null) {
            refuse(
                    request,
                    FailureMapping.of(ErrorCode.DISK_FAILED, "the promise cannot be stored: " + failure.getMessage()));
            return;
        }
        bound.begin(request, () -> {
            if (fenced == bound && state == State.FENCING) {
                state = State.FENCED;
            }
        });
    }
}
