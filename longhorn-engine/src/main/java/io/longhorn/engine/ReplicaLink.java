package io.longhorn.engine;

import io.longhorn.ErrorCode;
import io.longhorn.ProtocolException;
import io.longhorn.replica.wire.AckLayout;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.ReadLayout;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.SequenceLayout;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The engine's end of the one connection to one replica: connects, greets, fences, connects again after a loss, carries records and
 * requests, and keeps what the replica acknowledged. Decides nothing: {@link Owner} does. Engine loop only.
 */
final class ReplicaLink implements Connection.Handler, Connection.Connector.Result {

    /** The state machine that the link reports to. */
    interface Owner {
        /** A connection is there and the greeting under way: who wants it to end in bounded time calls {@link #watch}. */
        default void onGreeting(ReplicaLink link) {}

        /** The replica promised our epoch; records and requests may follow. */
        void onFenced(ReplicaLink link, Message.FenceOk state);

        /** The replica is gone; see {@link #deleteInstead}. */
        default void onDeleted(ReplicaLink link) {}

        /** Acknowledged numbers or credit grew. */
        void onAcknowledged(ReplicaLink link);

        /** The replica, or its server, refused our greeting, fence or record stream. The connection is being closed. */
        void onRefused(ReplicaLink link, Message.Failure failure);

        /** An attempt to connect failed; another follows. */
        void onUnreachable(ReplicaLink link, String cause);

        /** A connection that had been fenced is gone; another attempt follows. */
        void onLost(ReplicaLink link, String cause);

        /** A record that we asked for with RECORDS. */
        void onRecord(ReplicaLink link, ByteBuffer b, int at);

        void onDamage(ReplicaLink link, Message.Damage damage);
    }

    /** Who the engine is and which volume it speaks of. */
    record Identity(UUID engineId, UUID clusterId, UUID volumeId, String token) {}

    private enum State {
        IDLE,
        CONNECTING,
        GREETING,
        CREATING,
        DELETING,
        FENCING,
        READY,
        STOPPED
    }

    private record Creation(String volumeName, long sizeBytes) {}

    /** The pause between attempts is this part of the time that the replica has been away: who restarts is seen soon, who stays away costs little. */
    private static final int PAUSE_PART = 8;
    /** Its bounds, against {@link EngineSettings#reconnectNanos}: so many times less, and so many times more. */
    private static final int PAUSE_RANGE = 16;

    private final Loop loop;
    private final Connection.Connector connector;
    private final Owner owner;
    private final Identity identity;
    private final long reconnectNanos;
    private final RequestTable requests = new RequestTable();
    final ReplicaRecord replica;

    private State state = State.IDLE;
    private long epoch;
    private long recordVersion;
    private @Nullable Connection connection;
    private Loop.@Nullable Timer retry;
    private int failedAttempts;
    /** When the first of the failed attempts ended. */
    private long awayNanos;

    private @Nullable Creation creation;
    private boolean deletes;
    private Message.@Nullable Hello greeting;

    private Message.@Nullable FenceOk fenceState;
    private long journaled;
    private long durable;
    private long creditBytes;
    private long creditUsedBytes;
    private boolean diskFull;
    private long serverUsableBytes;
    /** Records that wait for older ones; null if they are sent at once. */
    private @Nullable ArrayDeque<FrameBuffer> held;

    private long heldFrom;
    private long heldBytes;
    private long heldCreditBytes;

    /** Whether sequenced records go to this link: it is in the view, or joining. Set by the owner. */
    boolean takesRecords;
    /** Time that passed on the running loop since the replica last said anything, while it owed something. */
    long silentNanos;

    private long greetingNanos;
    /** Time since the replica fell behind {@link #lagMark}, likewise. */
    long lagNanos;

    long lagMark;
    /** The same for syncs. */
    long syncLagNanos;

    long syncLagMark;
    /** Send time of the newest ping it answered. */
    private long pongSentNanos = Long.MIN_VALUE;
    /** Checksum refusals in a row. */
    int refusals;
    /** Bytes of reads outstanding, for the choice of a replica to read from. */
    long readBytesOutstanding;

    ReplicaLink(
            Loop loop,
            Connection.Connector connector,
            Owner owner,
            Identity identity,
            ReplicaRecord replica,
            long reconnectNanos) {
        this.loop = loop;
        this.connector = connector;
        this.owner = owner;
        this.identity = identity;
        this.replica = replica;
        this.reconnectNanos = reconnectNanos;
    }

    UUID id() {
        return replica.replicaId();
    }

    boolean isReady() {
        return state == State.READY;
    }

    boolean isStopped() {
        return state == State.STOPPED;
    }

    long journaled() {
        return journaled;
    }

    long durable() {
        return durable;
    }

    boolean diskFull() {
        return diskFull;
    }

    long serverUsableBytes() {
        return serverUsableBytes;
    }

    /** Attempts in a row that did not reach the replica. */
    int failedAttempts() {
        return failedAttempts;
    }

    /** What it said when it was fenced last. */
    Message.FenceOk fenceState() {
        Message.FenceOk found = fenceState;
        if (found == null) {
            throw new IllegalStateException("replica " + replica + " was never fenced");
        }
        return found;
    }

    int queuedBytes() {
        return connection == null ? 0 : connection.queuedBytes();
    }

    RequestTable requests() {
        return requests;
    }

    /** Bytes of records it may still be sent. */
    long creditLeft() {
        return creditBytes - creditUsedBytes;
    }

    /** Has the server make the replica, empty, before it is fenced for the first time. */
    void createFirst(String volumeName, long sizeBytes) {
        creation = new Creation(volumeName, sizeBytes);
    }

    /** Has the server delete the replica, whoever has it under an older epoch than ours, instead of fencing it. */
    void deleteInstead() {
        deletes = true;
    }

    /** Starts connecting, and goes on until {@link #stop}; fences with the given epoch. */
    void start(long fenceEpoch, long version) {
        epoch = fenceEpoch;
        recordVersion = version;
        if (state == State.IDLE && retry == null) {
            connect();
        }
    }

    /** The registry's record changed; later fences show its version. */
    void recordVersion(long version) {
        recordVersion = version;
    }

    /** Ends the connection for good. */
    void stop() {
        if (state == State.STOPPED) {
            return;
        }
        state = State.STOPPED;
        if (retry != null) {
            retry.cancel();
            retry = null;
        }
        Connection open = connection;
        connection = null;
        dropHeld();
        if (open != null) {
            open.close();
        }
        requests.loseAll(this);
    }

    /** Whether a connection exists, or is being made, whose other end has not yet promised our epoch. */
    boolean isGreeting() {
        return state == State.GREETING || state == State.CREATING || state == State.DELETING || state == State.FENCING;
    }

    /** Whether the server at the other end has greeted back, whatever it is doing for us since. */
    boolean isGreeted() {
        return isReady() || (isGreeting() && state != State.GREETING);
    }

    /**
     * Gives up a connection whose other end says nothing: a host that lost power leaves connections behind that look open for ever.
     *
     * @param ran time for which the loop ran since the last call
     * @param mayIdle whether a fenced replica may be silent because it owes nothing; else it is pinged
     */
    void watch(long ran, long limitNanos, boolean mayIdle) {
        if (isGreeting()) {
            greetingNanos += ran;
            if (greetingNanos >= limitNanos) {
                reset("no answer to the greeting");
                owner.onUnreachable(this, "no answer to the greeting");
            }
        } else if (state == State.READY) {
            if (!mayIdle) {
                long before = silentNanos;
                silentNanos += ran;
                if (before / (limitNanos / 4) != silentNanos / (limitNanos / 4)) {
                    ping(loop.nanoTime());
                }
            }
            if (silentNanos >= limitNanos) {
                reset("silent for " + silentNanos / 1_000_000 + " ms");
            }
        }
    }

    /** Drops the connection and connects anew, after a pause. */
    void reset(String cause) {
        Connection open = connection;
        if (open != null) {
            open.close();
            disconnected(cause);
        }
    }

    private void connect() {
        retry = null;
        state = State.CONNECTING;
        connector.connect(loop, replica.endpoint(), this);
    }

    private void retryLater() {
        long now = loop.nanoTime();
        if (failedAttempts++ == 0) {
            awayNanos = now;
        }
        state = State.IDLE;
        retry = loop.schedule(pauseNanos(now - awayNanos), this::connect);
    }

    private long pauseNanos(long away) {
        return Math.min(reconnectNanos * PAUSE_RANGE, Math.max(reconnectNanos / PAUSE_RANGE, away / PAUSE_PART));
    }

    @Override
    public Connection.Handler onConnected(Connection opened) {
        if (state == State.STOPPED) {
            opened.close();
            return new Unwanted();
        }
        connection = opened;
        state = State.GREETING;
        greetingNanos = 0;
        Message.Hello hello = ProtocolVersion.hello(identity.engineId(), identity.clusterId(), identity.token());
        greeting = hello;
        sendMessage(0, hello);
        owner.onGreeting(this);
        return new Guarded(opened);
    }

    @Override
    public void onFailed(String cause) {
        if (state != State.STOPPED) {
            retryLater();
            owner.onUnreachable(this, cause);
        }
    }

    /** The replica dropped what it had beyond {@code base} and takes records from there on: its earlier numbers mean nothing. */
    void rebased(long base) {
        journaled = base;
        durable = 0;
    }

    /** Sends a record, or holds it; the caller keeps its own reference. */
    void sendRecord(FrameBuffer frame) {
        Connection open = connection;
        if (open == null) {
            return;
        }
        int credit = RecordLayout.creditBytes(frame.bytes(), 0);
        creditUsedBytes += credit;
        if (held != null) {
            heldBytes += frame.length();
            heldCreditBytes += credit;
            held.add(frame.retain());
        } else {
            open.send(frame.retain());
        }
    }

    /** From now on new records are for this replica too, but wait until {@link #sendHeld}; the first of them will be the one with that sequence. */
    void hold(long fromSequence) {
        takesRecords = true;
        held = new ArrayDeque<>();
        heldFrom = fromSequence;
        heldBytes = 0;
        heldCreditBytes = 0;
    }

    /** Sequence of the first record that is held, or will be. */
    long heldFrom() {
        return heldFrom;
    }

    long heldBytes() {
        return heldBytes;
    }

    /** The part of {@link #creditLeft}'s credit that what is held has taken. */
    long heldCreditBytes() {
        return heldCreditBytes;
    }

    /** Sends what was held from that sequence on, and does not hold any more. */
    void sendHeld(long fromSequence) {
        Connection open = connection;
        ArrayDeque<FrameBuffer> frames = held;
        if (open == null || frames == null) {
            return;
        }
        held = null;
        heldBytes = 0;
        heldCreditBytes = 0;
        for (FrameBuffer frame : frames) {
            if (RecordLayout.sequence(frame.bytes(), 0) >= fromSequence) {
                open.send(frame);
            } else {
                creditUsedBytes -= RecordLayout.creditBytes(frame.bytes(), 0);
                frame.release();
            }
        }
    }

    /** Forgets what is held: new records are not for this replica any more. */
    void dropHeld() {
        takesRecords = false;
        ArrayDeque<FrameBuffer> frames = held;
        held = null;
        if (frames != null) {
            creditUsedBytes -= heldCreditBytes;
            heldBytes = 0;
            heldCreditBytes = 0;
            frames.forEach(FrameBuffer::release);
        }
    }

    /** Counts records that are sent some other way. */
    void takeCredit(long bytes) {
        creditUsedBytes += bytes;
    }

    /** Copies a record that stands in a received buffer to this replica. */
    void sendRecordCopy(ByteBuffer b, int at, int length) {
        Connection open = connection;
        if (open != null) {
            creditUsedBytes += RecordLayout.creditBytes(b, at);
            open.send(copyOf(open, b, at, length));
        }
    }

    /** Copies a frame that stands in a received buffer to this replica. */
    void sendCopy(ByteBuffer b, int at, int length) {
        Connection open = connection;
        if (open != null) {
            open.send(copyOf(open, b, at, length));
        }
    }

    private static FrameBuffer copyOf(Connection open, ByteBuffer b, int at, int length) {
        FrameBuffer frame = open.pool().acquire(length);
        frame.bytes().put(0, b, at, length);
        return frame.length(length);
    }

    /** COMMIT or FLUSH. */
    void sendSequence(FrameType type, long sequence) {
        Connection open = connection;
        if (open != null) {
            FrameBuffer frame = open.pool().acquire(SequenceLayout.FRAME_BYTES);
            SequenceLayout.encode(frame, type, epoch, sequence);
            open.send(frame);
        }
    }

    /** Asks for blocks; {@code reply} gets READ_OK, ERROR, or the loss of the connection. Only when ready. */
    void read(LayerId layer, int pin, long offsetBytes, int lengthBytes, RequestTable.Reply reply) {
        Connection open = openConnection();
        long request = requests.add(reply);
        FrameBuffer frame = open.pool().acquire(ReadLayout.READ_BYTES);
        ReadLayout.encodeRead(frame, epoch, request, layer, pin, offsetBytes, lengthBytes);
        open.send(frame);
    }

    /** Sends a request; {@code reply} gets the answer or the loss of the connection. Only when ready. */
    void request(Message message, RequestTable.Reply reply) {
        openConnection();
        sendMessage(requests.add(reply), message);
    }

    /** Registers a reply for a frame that the caller sends itself. */
    long expect(RequestTable.Reply reply) {
        openConnection();
        return requests.add(reply);
    }

    void ping(long sentNanos) {
        sendMessage(0, new Message.Ping(epoch, sentNanos));
    }

    /** Whether the answer to a ping sent on this connection at that time or later has come. */
    boolean hasAnsweredPing(long sentNanos) {
        return pongSentNanos != Long.MIN_VALUE && pongSentNanos - sentNanos >= 0;
    }

    private Connection openConnection() {
        Connection open = connection;
        if (open == null || state != State.READY) {
            throw new IllegalStateException("replica " + replica + " is not connected");
        }
        return open;
    }

    private void sendMessage(long request, Message message) {
        Connection open = connection;
        if (open != null) {
            open.send(MessageCodec.encode(open.pool(), epoch, request, message));
        }
    }

    @Override
    public void onFrame(ByteBuffer b, int at, int length) {
        FrameFault fault = FrameFault.of(b, at, length);
        if (fault != FrameFault.NONE) {
            throw new ProtocolException(replica.endpoint(), "a frame is not what it should be: " + fault);
        }
        silentNanos = 0;
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        if (type == FrameType.ACK) {
            acknowledged(b, at);
            return;
        }
        if (type == null) {
            throw new ProtocolException(replica.endpoint(), "unknown frame type " + FrameLayout.type(b, at));
        }
        if (type.isRecord()) {
            owner.onRecord(this, b, at);
            return;
        }
        long request = FrameLayout.number(b, at);
        RequestTable.Reply reply = request == 0 ? null : requests.remove(request);
        if (reply != null) {
            reply.onReply(this, type, b, at);
        } else if (request == 0 || state != State.READY) {
            handle(type, MessageCodec.decode(b, at));
        }
    }

    private void acknowledged(ByteBuffer b, int at) {
        if (state != State.READY || FrameLayout.epoch(b, at) != epoch) {
            return;
        }
        journaled = Math.max(journaled, AckLayout.journaled(b, at));
        durable = Math.max(durable, AckLayout.durable(b, at));
        creditBytes = Math.max(creditBytes, AckLayout.creditBytes(b, at));
        diskFull = AckLayout.diskFull(b, at);
        refusals = 0;
        owner.onAcknowledged(this);
    }

    private void handle(FrameType type, Message message) {
        if (message instanceof Message.Failure failure) {
            refused(failure);
        } else if (message instanceof Message.HelloOk hello && state == State.GREETING) {
            requireKnownVersion(hello);
            serverUsableBytes = hello.usableBytes();
            begin();
        } else if (message instanceof Message.Done && state == State.CREATING) {
            creation = null;
            fence();
        } else if (message instanceof Message.Done && state == State.DELETING) {
            owner.onDeleted(this);
        } else if (message instanceof Message.FenceOk fenced && state == State.FENCING) {
            fenced(fenced);
        } else if (message instanceof Message.Pong pong && pong.epoch() == epoch) {
            pongSentNanos = Math.max(pongSentNanos, pong.sentNanos());
            owner.onAcknowledged(this);
        } else if (message instanceof Message.Damage damage) {
            owner.onDamage(this, damage);
        } else if (!(message instanceof Message.Pong)) {
            throw new ProtocolException(replica.endpoint(), type + " is not expected in state " + state);
        }
    }

    private void requireKnownVersion(Message.HelloOk answer) {
        Message.Hello hello = greeting;
        if (hello == null) {
            throw new IllegalStateException("an answer before the greeting");
        }
        ProtocolVersion.accept(hello, answer);
    }

    private void begin() {
        Creation wanted = creation;
        if (deletes) {
            state = State.DELETING;
            sendMessage(0, new Message.DeleteReplica(epoch, identity.volumeId(), replica.replicaId()));
        } else if (wanted == null) {
            fence();
        } else {
            create(wanted);
        }
    }

    private void create(Creation wanted) {
        state = State.CREATING;
        sendMessage(
                0,
                new Message.CreateReplica(
                        epoch,
                        identity.volumeId(),
                        wanted.volumeName(),
                        replica.replicaId(),
                        wanted.sizeBytes(),
                        recordVersion,
                        identity.engineId()));
    }

    private void fence() {
        state = State.FENCING;
        sendMessage(
                0,
                new Message.Fence(
                        epoch,
                        identity.engineId(),
                        identity.clusterId(),
                        identity.volumeId(),
                        replica.replicaId(),
                        recordVersion));
    }

    private void fenced(Message.FenceOk found) {
        state = State.READY;
        failedAttempts = 0;
        journaled = found.journaled();
        durable = found.durable();
        creditBytes = found.creditBytes();
        creditUsedBytes = 0;
        diskFull = false;
        silentNanos = 0;
        lagNanos = 0;
        syncLagNanos = 0;
        pongSentNanos = Long.MIN_VALUE;
        fenceState = found;
        owner.onFenced(this, found);
    }

    private void refused(Message.Failure failure) {
        if (failure.code() == ErrorCode.CHECKSUM_REFUSED.number()) {
            refusals++;
        }
        owner.onRefused(this, failure);
        reset("refused: " + failure.detail());
    }

    @Override
    public void onBatchEnd() {}

    @Override
    public void onClosed(String cause) {
        disconnected(cause);
    }

    private void disconnected(String cause) {
        boolean wasReady = state == State.READY;
        connection = null;
        dropHeld();
        if (state == State.STOPPED) {
            return;
        }
        retryLater();
        requests.loseAll(this);
        readBytesOutstanding = 0;
        if (wasReady) {
            owner.onLost(this, cause);
        }
    }

    @Override
    public String toString() {
        return replica.replicaId() + "@" + replica.endpoint();
    }

    /** Passes events of one connection on while it is the link's; what an earlier one still says is dropped. */
    private final class Guarded implements Connection.Handler {
        private final Connection mine;

        Guarded(Connection mine) {
            this.mine = mine;
        }

        /** Identity is meant: a connection is equal to nothing but itself. */
        @SuppressWarnings("ReferenceEquality")
        private boolean isCurrent() {
            return connection == mine;
        }

        @Override
        public void onFrame(ByteBuffer b, int at, int length) {
            if (!isCurrent()) {
                return;
            }
            try {
                ReplicaLink.this.onFrame(b, at, length);
            } catch (ProtocolException broken) {
                reset(String.valueOf(broken.getMessage()));
            }
        }

        @Override
        public void onBatchEnd() {
            if (isCurrent()) {
                ReplicaLink.this.onBatchEnd();
            }
        }

        @Override
        public void onClosed(String cause) {
            if (isCurrent()) {
                ReplicaLink.this.onClosed(cause);
            }
        }
    }

    /** For a connection that came after {@link #stop}. */
    private static final class Unwanted implements Connection.Handler {
        @Override
        public void onFrame(ByteBuffer b, int at, int length) {}

        @Override
        public void onBatchEnd() {}

        @Override
        public void onClosed(String cause) {}
    }
}
