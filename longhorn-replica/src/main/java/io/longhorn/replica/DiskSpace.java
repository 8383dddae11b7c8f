package io.longhorn.replica;

import io.longhorn.replica.wire.FrameLayout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The room on one disk: how much is free, which engine gets credit for it, and when an engine is told that there is none. What waits in the journal counts as taken until a
 * checkpoint shows what it really takes: overwritten blocks take nothing. So where room seems short, everything is checkpointed first, and only what is still short then is a
 * full disk. While somebody waits for room the disk looks again every now and then, since room may also come from outside. Loop only, unless said otherwise.
 */
final class DiskSpace implements SpaceCredit.Room {
    private static final Logger LOG = LoggerFactory.getLogger(DiskSpace.class);
    /** Free space is asked for again after this time. */
    private static final long CHECK_NANOS = 200_000_000;
    /** So long checkpoints have to show that there is room after all; then engines are told that the disk is full. */
    private static final long FULL_AFTER_NANOS = 2_000_000_000;

    private final ReplicaDisk disk;
    /** Engines that are held back get their next portion after this time. */
    private static final long PACE_NANOS = 1_000_000;

    private final SpaceCredit credit = new SpaceCredit(this);
    private final JournalPace pace = new JournalPace();
    private boolean pacing;
    /** While credit is held back it is given in turns; this is what the one whose turn it is gets, 0 between the turns. */
    private long shareBytes;
    /** Whose turn was the last. */
    private int turn;

    private volatile long availableBytes;
    private long readNanos;
    private boolean looking;
    private long lookingSinceNanos;

    DiskSpace(ReplicaDisk disk) {
        this.disk = disk;
        read();
    }

    // ------------------------------------------------------------------ how much

    @Override
    public long journalBytes() {
        return disk.journal().freeBytes();
    }

    @Override
    public long pacedBytes() {
        long allowed = allowedBytes();
        return allowed == JournalPace.UNLIMITED ? allowed : Math.min(allowed, shareBytes);
    }

    private long allowedBytes() {
        long used = disk.journal().usedBytes();
        long capacity = disk.journal().isStunted()
                ? used + journalBytes()
                : disk.journal().capacityBytes();
        return pace.allowedBytes(used, capacity, disk.loop().nanoTime());
    }

    @Override
    public void granted(long bytes) {
        pace.granted(bytes);
    }

    /** A checkpoint moved records of so many bytes in that time. */
    void moved(long bytes, long nanos) {
        pace.moved(bytes, nanos);
    }

    @Override
    public long diskBytes() {
        return availableBytes() - disk.journalUse().uncheckpointedSpace();
    }

    /** Free space that block data may use: the reserve is not in it. */
    long availableBytes() {
        if (disk.loop().nanoTime() - readNanos >= CHECK_NANOS) {
            read();
        }
        return availableBytes;
    }

    /** {@link #availableBytes} as of when the disk's loop asked last. Any thread. */
    long lastAvailableBytes() {
        return Math.max(0, availableBytes);
    }

    /** Asks the system. */
    void read() {
        readNanos = disk.loop().nanoTime();
        try {
            availableBytes = disk.directory().usableBytes() - disk.settings().reserveBytes();
        } catch (IOException e) {
            LOG.warn("free space cannot be told: disk={} cause={}", disk.describe(), e.toString());
            availableBytes = 0;
        }
    }

    /** Whether there is so little, just now, that want of space explains why something could not be written. */
    boolean isScarce() {
        read();
        return availableBytes < Math.max(disk.settings().reserveBytes(), FrameLayout.FRAME_BYTES_MAX);
    }

    // ------------------------------------------------------------------ for whom

    void open(SpaceCredit.Account account) {
        credit.open(account);
        grant(account);
    }

    void close(SpaceCredit.Account account) {
        credit.close(account);
    }

    void use(SpaceCredit.Account account, long bytes) {
        credit.use(account, bytes);
    }

    /** Grants what can be granted now. Returns whether the disk is full for this engine: it waits for room, and there will be none. */
    boolean grant(SpaceCredit.Account account) {
        if (credit.grant(account)) {
            awaitTurns();
        }
        if (!isShortFor(account)) {
            return false;
        }
        if (!looking) {
            looking = true;
            lookingSinceNanos = disk.loop().nanoTime();
            disk.loop().schedule(0, this::look);
        }
        return isFull(disk.journalUse().mayMoveMore(), disk.loop().nanoTime() - lookingSinceNanos);
    }

    private boolean isShortFor(SpaceCredit.Account account) {
        return account.isStarving() && (credit.isDiskFull(account) || isJournalStunted());
    }

    /** The journal is out of room because the disk has none for its files. */
    private boolean isJournalStunted() {
        return disk.journal().isStunted() && journalBytes() < SpaceCredit.WINDOW_BYTES_MIN;
    }

    /** The rule for a full disk: it is short of room, and no checkpoint can change that, or none did in time. */
    private static boolean isFull(boolean mayMoveMore, long waitedNanos) {
        return !mayMoveMore || waitedNanos >= FULL_AFTER_NANOS;
    }

    /** Whether checkpoints are wanted at once, for what they may show. */
    boolean isLooking() {
        return looking;
    }

    private void look() {
        if (disk.isOver()) {
            return;
        }
        read();
        boolean someoneWaits = false;
        for (ReplicaState replica : disk.replicas()) {
            ReplicaSession bound = replica.session;
            SpaceCredit.Account account = bound == null ? null : bound.account();
            if (account != null) {
                someoneWaits |= isShortFor(account);
            }
        }
        looking = someoneWaits;
        if (someoneWaits) {
            disk.journal().growAgain();
            disk.checkpointNow();
            disk.loop().schedule(CHECK_NANOS, this::look);
        }
        feedStarving();
    }

    private void awaitTurns() {
        if (!pacing) {
            pacing = true;
            disk.loop().schedule(PACE_NANOS, this::takeTurns);
        }
    }

    /** All who wait get the same, as far as it goes, and the next round begins with those who got nothing. Who still waits then for what there is room for sees to another round. */
    private void takeTurns() {
        pacing = false;
        List<ReplicaSession> waiting = disk.isOver() ? List.of() : starving();
        long allowed = allowedBytes();
        shareBytes = Math.max(JournalPace.PORTION_BYTES, allowed / Math.max(1, waiting.size()));
        int fed = 0;
        for (; fed < waiting.size() && allowed >= JournalPace.PORTION_BYTES; fed++) {
            turn = (turn + 1) % waiting.size();
            waiting.get(turn).feed();
            allowed = allowedBytes();
        }
        shareBytes = 0;
        if (fed < waiting.size()) {
            awaitTurns();
        }
    }

    /** Grants credit to engines that wait for it, and tells them if there is news. */
    void feedStarving() {
        starving().forEach(ReplicaSession::feed);
    }

    private List<ReplicaSession> starving() {
        List<ReplicaSession> starving = new ArrayList<>();
        for (ReplicaState replica : disk.replicas()) {
            ReplicaSession bound = replica.session;
            if (bound != null && bound.isStarving()) {
                starving.add(bound);
            }
        }
        return starving;
    }
}
