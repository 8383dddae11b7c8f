package io.longhorn.frontend.iscsi;

import org.jspecify.annotations.Nullable;

/**
 * Numbers of the commands of a session (RFC 7143 4.2.2.1): commands are delivered in the order of CmdSN, and the initiator may send as many more as the window has room for,
 * which is as many as have ended. Serial number arithmetic, so numbers may wrap. Event loop only.
 */
final class CommandWindow {

    /** The largest size. */
    static final int SIZE_MAX = 4096;

    private final int size;
    private int expected;
    private int max;

    /** What arrived before its turn, at its number modulo the length; null until the first time. */
    private @Nullable Runnable @Nullable [] early;

    private int earlyCount;

    CommandWindow(int size) {
        if (size < 1 || size > SIZE_MAX) {
            throw new IllegalArgumentException("size must be 1 to " + SIZE_MAX + ", was " + size);
        }
        this.size = size;
    }

    /** The first number that is expected. */
    void start(int first) {
        expected = first;
        max = first + size - 1;
    }

    /** ExpCmdSN. */
    int expected() {
        return expected;
    }

    /** MaxCmdSN. */
    int max() {
        return max;
    }

    /** Whether a command of this number is to be taken: within the window, and not there already. Others are ignored without an answer. */
    boolean takes(int cmdSn) {
        int ahead = cmdSn - expected;
        return ahead >= 0 && max - cmdSn >= 0 && (ahead == 0 || early == null || early[slot(cmdSn)] == null);
    }

    /** A command that {@link #takes} took is there: delivers it and those that waited for it, or keeps it until it is its turn. */
    void arrived(int cmdSn, Runnable delivery) {
        if (cmdSn != expected) {
            if (early == null) {
                early = new Runnable[Integer.highestOneBit(2 * size - 1)];
            }
            early[slot(cmdSn)] = delivery;
            earlyCount++;
            return;
        }
        expected++;
        delivery.run();
        while (earlyCount > 0 && early != null) {
            Runnable next = early[slot(expected)];
            if (next == null) {
                return;
            }
            early[slot(expected)] = null;
            earlyCount--;
            expected++;
            next.run();
        }
    }

    /** A command that was delivered has ended, and makes room for another. */
    void ended() {
        max++;
    }

    private int slot(int cmdSn) {
        return early == null ? 0 : cmdSn & (early.length - 1);
    }
}
