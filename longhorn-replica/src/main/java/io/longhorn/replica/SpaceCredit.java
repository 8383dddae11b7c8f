package io.longhorn.replica;

import io.longhorn.replica.wire.FrameLayout;

/**
 * What the engines of a disk's replicas may send without asking: credit is granted only for what the journal can take and, once it is checkpointed, the disk. So an
 * operation that got its sequence never fails for want of space. Numbers are kept as sums, so that a grant costs the same with one replica and with thousands. Loop only.
 */
final class SpaceCredit {
    /** Credit beyond what was used that one engine gets at most. */
    static final long WINDOW_BYTES_MAX = 4L << 20;
    /** Below this an engine could not send its longest record. */
    static final long WINDOW_BYTES_MIN = FrameLayout.RECORD_BYTES_MAX;

    /** The most while the journal fills up: what one engine has, another one waits for. */
    private static final long PACED_WINDOW_BYTES = 2 * WINDOW_BYTES_MIN;

    /** What a record takes of the disk in layers at most, by its length: that of one block may bring a map page twice its size. */
    private static final int DISK_FACTOR = 3;

    /** Where the room comes from. */
    interface Room {
        /** What the journal surely takes now. */
        long journalBytes();

        /** How much more may be granted just now, {@link JournalPace#UNLIMITED} unless the journal fills up. */
        long pacedBytes();

        /** So much of {@link #pacedBytes} was granted. */
        void granted(long bytes);

        /** What the disk can take in layers, the reserve excluded, and what already waits in the journal deducted. */
        long diskBytes();
    }

    /** One connection's account. Counts from its fence. */
    static final class Account {
        private long usedBytes;
        private long grantedBytes;
        private boolean open;

        /** Bytes of record frames that may have been sent in all. */
        long grantedBytes() {
            return grantedBytes;
        }

        private long outstanding() {
            return Math.max(0, grantedBytes - usedBytes);
        }

        /** Whether the engine may be waiting for more. */
        boolean isStarving() {
            return open && grantedBytes - usedBytes < WINDOW_BYTES_MIN;
        }
    }

    private final Room room;
    private int accounts;
    /** Sum over all accounts of what was granted and not used. */
    private long outstandingBytes;
    /** The same beyond {@link #WINDOW_BYTES_MIN} of each: what idle connections hold back does not count against the journal. */
    private long beyondMinimumBytes;

    SpaceCredit(Room room) {
        this.room = room;
    }

    void open(Account account) {
        account.open = true;
        account.usedBytes = 0;
        account.grantedBytes = 0;
        accounts++;
    }

    void close(Account account) {
        if (account.open) {
            account.open = false;
            count(account, -1);
            accounts--;
        }
    }

    private void count(Account account, int sign) {
        outstandingBytes += sign * account.outstanding();
        beyondMinimumBytes += sign * Math.max(0, account.outstanding() - WINDOW_BYTES_MIN);
    }

    /** Record frames arrived. */
    void use(Account account, long bytes) {
        count(account, -1);
        account.usedBytes += bytes;
        count(account, 1);
    }

    /** Grants what can be granted now. Credit never shrinks. Returns whether the engine may be waiting for credit that there is room for, but that is held back. */
    boolean grant(Account account) {
        count(account, -1);
        long window = window(room.journalBytes() - beyondMinimumBytes, diskShare(), Math.max(1, accounts));
        long paced = room.pacedBytes();
        boolean holdsBack = paced != JournalPace.UNLIMITED;
        long wanted = account.usedBytes + (holdsBack ? Math.min(window, PACED_WINDOW_BYTES) : window);
        long more = Math.max(0, Math.min(wanted - account.grantedBytes, paced));
        account.grantedBytes += more;
        count(account, 1);
        if (holdsBack) {
            room.granted(more);
        }
        return account.grantedBytes < wanted && account.isStarving();
    }

    /** The rule for credit: no more than the journal and the disk have left for this one engine, less than one record not at all. */
    private static long window(long journalBytes, long diskBytes, int accounts) {
        long room = Math.min(journalBytes, diskBytes);
        if (room < WINDOW_BYTES_MIN) {
            return 0;
        }
        return Math.max(WINDOW_BYTES_MIN, Math.min(WINDOW_BYTES_MAX, room / (accounts > 1 ? 2 : 1)));
    }

    /** Bytes of records that the disk has room for beyond what may come already. */
    private long diskShare() {
        return (room.diskBytes() - DISK_FACTOR * outstandingBytes) / DISK_FACTOR;
    }

    /** Whether it is the disk, not the journal, that has no room for another record of that connection. */
    boolean isDiskFull(Account account) {
        return diskShare() + account.outstanding() < WINDOW_BYTES_MIN;
    }
}
