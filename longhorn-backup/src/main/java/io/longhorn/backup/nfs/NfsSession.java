package io.longhorn.backup.nfs;

import java.io.IOException;
import java.net.ProtocolException;
import java.util.Arrays;

/** What lets the server see that a call which arrives twice is one (RFC 8881, section 2.10). It outlives connections, not a restart of the server. Safe for any thread. */
final class NfsSession {
    static final int ID_BYTES = 16;

    /** All or some of our state expired, was revoked, or must be claimed again since the server restarted. */
    private static final int STATE_LOST_FLAGS = 0x8 | 0x10 | 0x20 | 0x100;

    private final long clientId;
    private final byte[] id;
    private final ChannelLimits limits;
    private final SlotTable slots;

    NfsSession(long clientId, CompoundReply.MadeSession made) {
        this.clientId = clientId;
        this.id = made.id();
        this.limits = made.limits();
        this.slots = new SlotTable(limits.slots());
    }

    long clientId() {
        return clientId;
    }

    ChannelLimits limits() {
        return limits;
    }

    SlotTable slots() {
        return slots;
    }

    byte[] id() {
        return id.clone();
    }

    /** Gives a compound the slot and its present sequence. */
    void number(Compound compound, Slot slot) {
        compound.number(id, slot, slots.highest());
    }

    /** Nothing is begun in it any more. */
    void end() {
        slots.close();
    }

    boolean hasEnded() {
        return slots.isClosed();
    }

    /**
     * Reads the first result of an answer: whether the compound was executed. If not, the same is to be sent again after a while.
     *
     * @throws SessionLostException if the server does not know the session, or does not agree about the slot
     */
    boolean readSequence(CompoundReply reply, Slot slot) throws IOException {
        try {
            CompoundReply.Sequenced sequenced = reply.sequenced();
            if (!Arrays.equals(sequenced.session(), id)
                    || sequenced.slot() != slot.number()
                    || sequenced.sequence() != slot.sequence()) {
                throw new ProtocolException("malformed answer: it belongs to another session, slot or call");
            }
            slots.limit(sequenced.slotsWanted());
            if ((sequenced.flags() & STATE_LOST_FLAGS) != 0) {
                end();
            }
            return true;
        } catch (NfsException e) {
            return switch (e.status()) {
                case NfsStatus.DELAY -> false;
                case NfsStatus.BADSESSION,
                        NfsStatus.DEADSESSION,
                        NfsStatus.STALE_CLIENTID,
                        NfsStatus.EXPIRED,
                        NfsStatus.CONN_NOT_BOUND_TO_SESSION,
                        NfsStatus.BADSLOT,
                        NfsStatus.BAD_HIGH_SLOT,
                        NfsStatus.SEQ_MISORDERED,
                        NfsStatus.SEQ_FALSE_RETRY,
                        NfsStatus.RETRY_UNCACHED_REP -> throw lost(e);
                default -> throw e;
            };
        } catch (ProtocolException e) {
            end();
            throw e;
        }
    }

    private SessionLostException lost(NfsException e) {
        end();
        SessionLostException lost = new SessionLostException("the server ended the session: " + e.getMessage());
        lost.initCause(e);
        return lost;
    }
}
