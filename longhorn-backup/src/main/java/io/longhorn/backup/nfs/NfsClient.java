package io.longhorn.backup.nfs;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client of one server: makes connections and sessions when a call needs them. Nothing runs between calls, so the server may forget us after its lease time; the next call then
 * begins a new session. Safe for any thread.
 */
final class NfsClient implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NfsClient.class);

    /** A server that restarts grants nothing for its grace period, 90 seconds as a rule. */
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(3);

    private static final long GOODBYE_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final int SESSIONS_PER_CALL_MAX = 8;
    private static final int VERIFIER_BYTES = 8;
    private static final int RECORD_BYTES_MAX = ChannelLimits.WANTED.responseBytesMax() + ChannelLimits.OVERHEAD_BYTES;

    private final NfsTarget target;
    private final byte[] owner = ("longhorn-" + UUID.randomUUID()).getBytes(StandardCharsets.UTF_8);
    private final SecureRandom random = new SecureRandom();
    private final AtomicInteger lastXid = new AtomicInteger(random.nextInt());

    /** Guards what follows. Held while a connection or session is made, so that one thread does it for all. */
    private final ReentrantLock making = new ReentrantLock();

    private @Nullable RpcConnection connection;
    private @Nullable NfsSession session;
    private @Nullable TimeLimit firstContact;
    private boolean reached;
    private volatile boolean closed;

    NfsClient(NfsTarget target) {
        this.target = target;
    }

    NfsTarget target() {
        return target;
    }

    Compound compound() {
        return Compound.inSession(target.uid(), target.gid());
    }

    Compound compound(int bytesExpected) {
        return Compound.inSession(target.uid(), target.gid(), bytesExpected);
    }

    /**
     * Executes a compound, again in another session if one is lost: for compounds that may be executed twice.
     *
     * @throws InterruptedIOException if the thread is interrupted, which it stays
     */
    CompoundReply call(Compound compound) throws IOException {
        TimeLimit pauses = patience();
        for (int attempt = 1; ; attempt++) {
            try {
                return start(session(), compound).await();
            } catch (SessionLostException e) {
                if (attempt == SESSIONS_PER_CALL_MAX) {
                    throw e;
                }
                pauses.pause();
            }
        }
    }

    /** Executes a compound once, in the present session or a new one, if that succeeds within the time. */
    CompoundReply callBriefly(Compound compound, long nanos) throws IOException {
        TimeLimit limit = TimeLimit.in(nanos);
        NfsSession in = session(limit);
        return start(in, in.slots().acquire(limit), compound, nanos, limit).await();
    }

    /** Begins a compound in a session; waits for a slot. */
    NfsCall start(NfsSession in, Compound compound) throws IOException {
        return start(in, in.slots().acquire(callLimit()), compound);
    }

    /** Begins a compound in a session, if a slot is free. */
    Optional<NfsCall> tryStart(NfsSession in, Compound compound) throws IOException {
        Optional<Slot> slot = in.slots().tryAcquire();
        return slot.isPresent() ? Optional.of(start(in, slot.get(), compound)) : Optional.empty();
    }

    private NfsCall start(NfsSession in, Slot slot, Compound compound) throws IOException {
        return start(in, slot, compound, callNanos(), patience());
    }

    private NfsCall start(NfsSession in, Slot slot, Compound compound, long nanos, TimeLimit patience)
            throws IOException {
        return new NfsCall(this, in, slot, compound, lastXid.incrementAndGet(), nanos, patience).begin();
    }

    /** How long one call is tried, over all connections. */
    private long callNanos() {
        return target.attemptNanos() * (target.repetitions() + 1);
    }

    private TimeLimit callLimit() {
        return TimeLimit.in(callNanos());
    }

    /** How long an answer is awaited before another connection is tried. */
    long attemptNanos(TimeLimit limit) {
        return Math.min(target.attemptNanos(), limit.leftNanos());
    }

    /** How long a server may send us away. */
    TimeLimit patience() {
        return TimeLimit.in(Math.max(PATIENCE_NANOS, callNanos()));
    }

    /** Throws what is final: the time is up, or what arrived was nonsense, which it will be again. */
    void checkRetry(ConnectionLostException e, TimeLimit limit) throws IOException {
        if (e.getCause() instanceof ProtocolException malformed) {
            throw malformed;
        }
        if (limit.isOver()) {
            throw new IOException(
                    "no answer from " + target.server() + " in the time that the options timeo and retrans allow: "
                            + e.getMessage(),
                    e);
        }
    }

    /**
     * The connection, a new one if there is none.
     *
     * @throws ConnectionLostException if that does not succeed, but may later
     * @throws IOException if it is not worth another attempt
     */
    RpcConnection connection(TimeLimit limit) throws IOException {
        lock(limit);
        try {
            if (closed) {
                throw new IOException("the store is closed");
            }
            RpcConnection now = connection;
            if (now == null || !now.isUsable()) {
                now = connect(attemptNanos(limit));
                connection = now;
                reached = true;
            }
            return now;
        } finally {
            making.unlock();
        }
    }

    private RpcConnection connect(long timeoutNanos) throws IOException {
        if (firstContact == null) {
            firstContact = TimeLimit.in(target.firstContactNanos());
        }
        try {
            // Resolved anew each time: the server may have moved.
            InetSocketAddress address = new InetSocketAddress(target.host(), target.port());
            if (address.isUnresolved()) {
                throw new UnknownHostException("no address is known for the name");
            }
            return RpcConnection.open(address, timeoutNanos, RECORD_BYTES_MAX);
        } catch (InterruptedIOException e) {
            if (e instanceof SocketTimeoutException) {
                throw notConnected(e);
            }
            throw e;
        } catch (IOException e) {
            throw notConnected(e);
        }
    }

    private IOException notConnected(IOException e) {
        String message = "cannot connect to " + target.server() + ": " + e.getMessage()
                + "; is the NFS server running there, and does a firewall let us through?";
        if (!reached && firstContact != null && firstContact.isOver()) {
            return new IOException(message, e);
        }
        return new ConnectionLostException(message, e);
    }

    /** The session, a new one if there is none. */
    NfsSession session() throws IOException {
        return session(TimeLimit.in(Math.max(callNanos(), target.firstContactNanos())));
    }

    private NfsSession session(TimeLimit limit) throws IOException {
        lock(limit);
        try {
            NfsSession now = session;
            if (now == null || now.hasEnded()) {
                now = makeSession(limit);
                session = now;
            }
            return now;
        } finally {
            making.unlock();
        }
    }

    private void lock(TimeLimit limit) throws IOException {
        try {
            if (!making.tryLock(limit.leftNanos(), TimeUnit.NANOSECONDS)) {
                throw new IOException("no connection to " + target.server() + " in time");
            }
        } catch (InterruptedException e) {
            throw Interrupts.interrupted();
        }
    }

    private NfsSession makeSession(TimeLimit limit) throws IOException {
        TimeLimit patience = patience();
        while (true) {
            try {
                return tryMakeSession(limit);
            } catch (ConnectionLostException | SessionLostException e) {
                if (e instanceof ConnectionLostException lost) {
                    checkRetry(lost, limit);
                } else if (limit.isOver()) {
                    throw e;
                }
                limit.pause();
            } catch (NfsException e) {
                if (!isWorthRepeating(e) || patience.isOver()) {
                    throw explained(e);
                }
                patience.pause();
            }
        }
    }

    private static boolean isWorthRepeating(NfsException e) {
        return e.status() == NfsStatus.DELAY || e.status() == NfsStatus.GRACE || e.status() == NfsStatus.STALE_CLIENTID;
    }

    private IOException explained(NfsException e) {
        String reason = e.status() == NfsStatus.MINOR_VERS_MISMATCH
                ? "it does not speak NFSv4.1; enable that at the server"
                : String.valueOf(e.getMessage());
        return new IOException(target.server() + " lets us begin no session: " + reason, e);
    }

    private NfsSession tryMakeSession(TimeLimit limit) throws IOException {
        // A new verifier makes us a client that has restarted: the server drops what it had of us, open files too.
        byte[] verifier = new byte[VERIFIER_BYTES];
        random.nextBytes(verifier);
        CompoundReply.ClientId client =
                callOutside(outside().exchangeId(verifier, owner), limit).clientId();
        CompoundReply.MadeSession made = callOutside(
                        outside().createSession(client.id(), client.sequence(), ChannelLimits.WANTED), limit)
                .madeSession(ChannelLimits.WANTED);
        NfsSession begun = new NfsSession(client.id(), made);
        LOG.debug("began a session with {} limits={}", target.server(), begun.limits());
        try {
            start(begun, begun.slots().acquire(limit), compound().reclaimComplete())
                    .await()
                    .done(NfsOp.RECLAIM_COMPLETE);
        } catch (NfsException e) {
            if (e.status() != NfsStatus.COMPLETE_ALREADY) {
                throw e;
            }
        }
        return begun;
    }

    private Compound outside() {
        return Compound.outside(target.uid(), target.gid());
    }

    private CompoundReply callOutside(Compound compound, TimeLimit limit) throws IOException {
        RpcConnection over = connection(limit);
        return exchangeOutside(over, compound, attemptNanos(limit));
    }

    private CompoundReply exchangeOutside(RpcConnection over, Compound compound, long nanos) throws IOException {
        int xid = lastXid.incrementAndGet();
        compound.setXid(xid);
        RpcConnection.Pending sent = over.send(xid, compound.record());
        try {
            return CompoundReply.of(over.await(sent, nanos));
        } catch (InterruptedIOException e) {
            over.abandon(sent, () -> {});
            throw e;
        }
    }

    /** Says goodbye if there is a connection; otherwise the server forgets us by itself. */
    @Override
    public void close() {
        making.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            RpcConnection over = connection;
            NfsSession last = session;
            if (over == null) {
                return;
            }
            if (last != null && !last.hasEnded() && over.isUsable()) {
                last.end();
                sayGoodbye(over, last);
            }
            over.close();
        } finally {
            making.unlock();
        }
    }

    private void sayGoodbye(RpcConnection over, NfsSession last) {
        try {
            exchangeOutside(over, outside().destroySession(last.id()), GOODBYE_NANOS)
                    .done(NfsOp.DESTROY_SESSION);
            exchangeOutside(over, outside().destroyClientId(last.clientId()), GOODBYE_NANOS)
                    .done(NfsOp.DESTROY_CLIENTID);
        } catch (IOException e) {
            LOG.debug("the server will forget the session when its lease ends server={}", target.server(), e);
        }
    }
}
