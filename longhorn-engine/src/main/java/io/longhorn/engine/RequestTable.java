package io.longhorn.engine;

import io.longhorn.replica.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Requests to one replica that wait for their answer, by request id. An id is a slot and how often the slot was used, so that
 * an answer to a request that was given up is not taken for another's. Allocates only while growing. Engine loop only.
 */
final class RequestTable {
    private static final int SLOT_BITS = 16;
    private static final int SLOT_MASK = (1 << SLOT_BITS) - 1;

    private @Nullable Reply[] waiting = new @Nullable Reply[16];
    private long[] ids = new long[16];
    private int[] free = new int[16];
    private int freeCount;
    private int used;
    private int outstanding;

    /** What becomes of a request. Exactly one of the methods is called, once. */
    interface Reply {
        /** The answer, {@code b[at, at + length)}, borrowed during the call; its header CRC was checked. */
        void onReply(ReplicaLink link, FrameType type, ByteBuffer b, int at);

        /** The connection ended first. */
        void onLost(ReplicaLink link);
    }

    int outstanding() {
        return outstanding;
    }

    long add(Reply reply) {
        int slot;
        if (freeCount > 0) {
            slot = free[--freeCount];
        } else {
            if (used > SLOT_MASK) {
                throw new IllegalStateException("more than " + SLOT_MASK + " requests outstanding at one replica");
            }
            if (used == waiting.length) {
                waiting = Arrays.copyOf(waiting, 2 * used);
                ids = Arrays.copyOf(ids, 2 * used);
                free = Arrays.copyOf(free, 2 * used);
            }
            slot = used++;
            ids[slot] = slot;
        }
        ids[slot] += 1 << SLOT_BITS;
        waiting[slot] = reply;
        outstanding++;
        return ids[slot];
    }

    /** Takes the request out; null if none waits under this id. */
    @Nullable
    Reply remove(long id) {
        int slot = (int) id & SLOT_MASK;
        if (slot >= used || ids[slot] != id) {
            return null;
        }
        Reply reply = waiting[slot];
        if (reply != null) {
            waiting[slot] = null;
            free[freeCount++] = slot;
            outstanding--;
        }
        return reply;
    }

    /** Tells all of them that the connection is gone. */
    void loseAll(ReplicaLink link) {
        for (int slot = 0; slot < used; slot++) {
            Reply reply = waiting[slot];
            if (reply != null) {
                waiting[slot] = null;
                free[freeCount++] = slot;
                outstanding--;
                reply.onLost(link);
            }
        }
    }
}
