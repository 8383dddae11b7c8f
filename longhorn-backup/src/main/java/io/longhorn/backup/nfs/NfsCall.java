package io.longhorn.backup.nfs;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A compound under way in a session. It is sent again, on the same slot with the same sequence, over as many connections as it takes; the server executes it once. For one thread,
 * which must end it by {@link #await} or {@link #cancel}.
 */
final class NfsCall {
    private final NfsClient client;
    private final NfsSession session;
    private final Slot slot;
    private final Compound compound;
    private final int xid;
    private final long limitNanos;
    private final TimeLimit patience;

    private @Nullable RpcConnection connection;
    private RpcConnection.@Nullable Pending sent;
    /** Whether the server may have received something that it did not answer. */
    private boolean inDoubt;

    /**
     * Takes the slot.
     *
     * @param limitNanos how long an answer is tried to get
     * @param patience how long answers that ask us to come back later are followed
     */
    NfsCall(
            NfsClient client,
            NfsSession session,
            Slot slot,
            Compound compound,
            int xid,
            long limitNanos,
            TimeLimit patience) {
        this.client = client;
        this.session = session;
        this.slot = slot;
        this.compound = compound;
        this.xid = xid;
        this.limitNanos = limitNanos;
        this.patience = patience;
        compound.setXid(xid);
        session.number(compound, slot);
    }

    /**
     * Sends it, if that is possible now; otherwise {@link #await} will.
     *
     * @throws IOException if the client is closed or the thread is interrupted; then the call is cancelled
     */
    NfsCall begin() throws IOException {
        boolean begun = false;
        try {
            send(TimeLimit.in(limitNanos));
            begun = true;
        } catch (ConnectionLostException e) {
            // The same thing happens in await if it lasts, and is told there.
            sent = null;
            begun = true;
        } finally {
            if (!begun) {
                cancel();
            }
        }
        return this;
    }

    private void send(TimeLimit limit) throws IOException {
        RpcConnection now = client.connection(limit);
        connection = now;
        inDoubt = true;
        sent = now.send(xid, compound.record());
    }

    /**
     * Waits for the answer, whose {@link NfsOp#SEQUENCE} has been read. An answer that asks us to come back later is followed, up to the patience of the client.
     *
     * @throws SessionLostException if the session is gone; the compound may have been executed or not
     * @throws java.io.InterruptedIOException if the thread is interrupted, which it stays; the same holds
     * @throws IOException if there was no answer in time, the same holds; or the server does not take the call at all
     */
    CompoundReply await() throws IOException {
        try {
            while (true) {
                CompoundReply reply = CompoundReply.of(exchange());
                boolean executed = session.readSequence(reply, slot);
                sent = null;
                inDoubt = false;
                if (executed) {
                    slot.advance();
                    session.number(compound, slot);
                    if (!isNotKept(reply) && !isLater(reply)) {
                        return reply;
                    }
                }
                if (patience.isOver()) {
                    throw new IOException("the server has asked us to come back later for too long ("
                            + NfsStatus.nameOf(reply.status()) + ")");
                }
                patience.pause();
            }
        } catch (RpcRejectedException | ProtocolException e) {
            session.end();
            throw e;
        } finally {
            finish();
        }
    }

    private static boolean isLater(CompoundReply reply) {
        return reply.count() > 1 && (reply.status() == NfsStatus.DELAY || reply.status() == NfsStatus.GRACE);
    }

    /** Whether this was executed, and its answer lost: what changes nothing is simply done again, its answer is not kept by the server. */
    private boolean isNotKept(CompoundReply reply) throws SessionLostException {
        if (reply.status() != NfsStatus.RETRY_UNCACHED_REP) {
            return false;
        }
        if (compound.changes()) {
            session.end();
            throw new SessionLostException("the server did not keep the answer to a change");
        }
        return true;
    }

    private ByteBuffer exchange() throws IOException {
        TimeLimit limit = TimeLimit.in(limitNanos);
        while (true) {
            try {
                RpcConnection.Pending pending = sent;
                RpcConnection over = connection;
                if (pending != null && over != null) {
                    return over.await(pending, client.attemptNanos(limit));
                }
                send(limit);
            } catch (ConnectionLostException e) {
                sent = null;
                client.checkRetry(e, limit);
                limit.pause();
            }
        }
    }

    /** Gives up an answer that nobody will wait for. */
    void cancel() {
        finish();
    }

    private void finish() {
        if (!inDoubt) {
            session.slots().release(slot);
            return;
        }
        session.slots().doubt(slot);
        if (connection != null && sent != null) {
            connection.abandon(sent, () -> session.slots().settle(slot));
        }
    }
}
