package io.longhorn.simulator.history;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What callers asked for and were told, in order, together with what the machines lost. {@link #check} says whether one volume that keeps
 * its promises could have behaved so.
 *
 * <p>A session is one opening of the volume; later openings have higher numbers. Sizes are in blocks and cells, see {@link BlockContents}.
 * Replicas are numbered from 0 to 30.
 *
 * <p>How losses count: an operation that was confirmed but not flushed may disappear only if every replica of the recorded view lost
 * power (or anything else that forgets what was not made durable) after it was confirmed. It is enough that this holds at one moment. What the
 * session has lost it must admit: it may confirm nothing more on these blocks, and no flush. Until it notices it may answer reads from its memory.
 */
public final class History {
    /** Snapshots of a history at most. */
    public static final int SNAPSHOTS_MAX = 62;

    static final int NEVER = -1;

    enum EventKind {
        INVOKED,
        CONFIRMED,
        RESOLVED,
        LOST,
        OPENED
    }

    /**
     * One moment. {@code durableBefore}: what was confirmed before it is durable; {@code lostBefore}: what was confirmed
     * before it, and is not durable, may be lost.
     */
    record Event(EventKind kind, Operation operation, int at, int durableBefore, int lostBefore, int newestSession) {}

    private static final Operation NONE = new Operation(0, Operation.Kind.FLUSH, 0, 0, 0, 0, 0, 0, false, NEVER);

    private final BlockContents contents = new BlockContents();
    private final int blocks;
    private final int firstSize;
    private final List<Operation> operations = new ArrayList<>();
    private final List<Event> events = new ArrayList<>();
    /** When each session was open for callers. */
    private final List<int[]> openings = new ArrayList<>();

    private final int[] lostAt = new int[31];
    private int view;
    private int now;
    private int durableBefore = NEVER;
    /** When the replicas of the view had lost something last. */
    private int lossAt;
    /** Nothing but reads was confirmed since: it may be that nobody noticed. */
    private boolean hiddenLoss;

    private int lostBefore = NEVER;
    private int newestSession = NEVER;
    private int snapshots;
    private int confirmed;

    /**
     * An empty history.
     *
     * @param blocks the largest size the volume will have
     * @param firstSize its size at the beginning
     */
    public History(int blocks, int firstSize) {
        this.blocks = blocks;
        this.firstSize = firstSize;
        Arrays.fill(lostAt, NEVER);
    }

    public BlockContents contents() {
        return contents;
    }

    public List<Operation> operations() {
        return operations;
    }

    /** Operations confirmed so far. */
    public int confirmed() {
        return confirmed;
    }

    /** Snapshots asked for so far. */
    public int snapshotsMade() {
        return snapshots;
    }

    int blocks() {
        return blocks;
    }

    int firstSize() {
        return firstSize;
    }

    int snapshots() {
        return snapshots;
    }

    List<Event> events() {
        return events;
    }

    // What callers ask for.

    private Operation begin(Operation.Kind kind, int session, int firstCell, int cells, int value, boolean forced) {
        int firstBlock = firstCell / BlockContents.CELLS;
        int endBlock = (firstCell + cells + BlockContents.CELLS - 1) / BlockContents.CELLS;
        int firstMask = BlockContents.ALL_CELLS & BlockContents.ALL_CELLS << firstCell % BlockContents.CELLS;
        int lastCells = (firstCell + cells - 1) % BlockContents.CELLS + 1;
        Operation operation = new Operation(
                operations.size() + 1,
                kind,
                session,
                firstBlock,
                endBlock - firstBlock,
                firstMask,
                BlockContents.ALL_CELLS >>> (BlockContents.CELLS - lastCells),
                value,
                forced,
                now++);
        operations.add(operation);
        add(EventKind.INVOKED, operation);
        return operation;
    }

    private void add(EventKind kind, Operation operation) {
        events.add(new Event(kind, operation, now, durableBefore, lostBefore, newestSession));
    }

    private Operation structure(Operation.Kind kind, int session, int value) {
        return begin(kind, session, 0, blocks * BlockContents.CELLS, value, true);
    }

    public Operation read(int session, int firstBlock, int count) {
        return begin(
                Operation.Kind.READ, session, firstBlock * BlockContents.CELLS, count * BlockContents.CELLS, 0, false);
    }

    /** A write; the returned operation's {@link #writeId} is what its cells carry. */
    public Operation write(int session, int firstCell, int cells, boolean forced) {
        return begin(Operation.Kind.WRITE, session, firstCell, cells, operations.size() + 1, forced);
    }

    /** Discard, or write of zeroes. */
    public Operation zero(int session, int firstCell, int cells, boolean forced) {
        return begin(Operation.Kind.ZERO, session, firstCell, cells, 0, forced);
    }

    /** Writes if the cells now agree with {@code expected}, one content per block touched. */
    public Operation compareAndWrite(int session, int firstCell, int cells, int[] expected, boolean forced) {
        Operation operation =
                begin(Operation.Kind.COMPARE_AND_WRITE, session, firstCell, cells, operations.size() + 1, forced);
        operation.contents = expected.clone();
        return operation;
    }

    public Operation flush(int session) {
        return begin(Operation.Kind.FLUSH, session, 0, blocks * BlockContents.CELLS, 0, false);
    }

    /** A new snapshot; its index is {@link #snapshotIndex}. */
    public Operation snapshot(int session) {
        if (snapshots == SNAPSHOTS_MAX) {
            throw new IllegalStateException("too many snapshots");
        }
        return structure(Operation.Kind.SNAPSHOT, session, snapshots++);
    }

    public Operation snapshotRead(int session, int snapshot, int firstBlock, int count) {
        return begin(
                Operation.Kind.SNAPSHOT_READ,
                session,
                firstBlock * BlockContents.CELLS,
                count * BlockContents.CELLS,
                snapshot,
                false);
    }

    public Operation snapshotDelete(int session, int snapshot) {
        return structure(Operation.Kind.SNAPSHOT_DELETE, session, snapshot);
    }

    public Operation revert(int session, int snapshot) {
        return structure(Operation.Kind.REVERT, session, snapshot);
    }

    public Operation snapshotList(int session) {
        return structure(Operation.Kind.SNAPSHOT_LIST, session, 0);
    }

    public Operation expand(int session, int sizeBlocks) {
        return structure(Operation.Kind.EXPAND, session, sizeBlocks);
    }

    public Operation size(int session) {
        return structure(Operation.Kind.SIZE, session, 0);
    }

    /** What the cells of a write carry. */
    public static int writeId(Operation write) {
        return write.value;
    }

    /** Index of the snapshot that an operation is about. */
    public static int snapshotIndex(Operation operation) {
        return operation.value;
    }

    // What callers are told.

    /** It happened. For reads and comparisons use the methods that take what was seen. */
    public void confirmed(Operation operation) {
        if (!operation.isPending()) {
            throw new IllegalStateException(operation + " ended twice");
        }
        for (int[] opening : openings) {
            if (opening[0] > operation.session && opening[1] < operation.invokedAt) {
                throw new Violation(
                        Violation.Kind.FENCED,
                        operation + " was confirmed although it began after session " + opening[0] + " had opened at "
                                + opening[1]);
            }
        }
        operation.outcome = Operation.Outcome.CONFIRMED;
        operation.endedAt = now++;
        confirmed++;
        if (operation.kind == Operation.Kind.FLUSH
                || operation.isStructure()
                || (operation.forced && !operation.isReading())) {
            durableBefore = Math.max(durableBefore, operation.invokedAt);
        }
        if (!operation.isReading() && operation.invokedAt > lossAt) {
            hiddenLoss = false;
        }
        add(EventKind.CONFIRMED, operation);
    }

    /** A read of head or snapshot returned these contents, one per block; -1 for bytes nobody ever wrote there. */
    public void confirmedRead(Operation operation, int[] seen) {
        for (int i = 0; i < seen.length; i++) {
            if (seen[i] < 0) {
                throw new Violation(
                        Violation.Kind.NO_FLIPPED_BIT,
                        operation + " returned bytes for block " + (operation.firstBlock + i)
                                + " that nobody ever wrote there");
            }
        }
        operation.contents = seen.clone();
        confirmed(operation);
    }

    /** A comparison ended; {@code matched} says that the bytes were as expected and the write happened. */
    public void compared(Operation operation, boolean matched) {
        operation.matched = matched;
        confirmed(operation);
    }

    /** The list showed these snapshots, a bit per index. */
    public void confirmedList(Operation operation, long snapshotBits) {
        operation.listed = snapshotBits;
        confirmed(operation);
    }

    /** The size was told. */
    public void confirmedSize(Operation operation, int sizeBlocks) {
        operation.contents = new int[] {sizeBlocks};
        confirmed(operation);
    }

    /** The caller got an error: it may have happened, or may happen until a later session opens. */
    public void failed(Operation operation) {
        if (!operation.isPending()) {
            throw new IllegalStateException(operation + " ended twice");
        }
        operation.outcome = Operation.Outcome.UNKNOWN;
        operation.endedAt = now++;
        if (operation.session < newestSession) {
            resolve(operation);
        }
    }

    private void resolve(Operation operation) {
        operation.resolvedAt = now++;
        add(EventKind.RESOLVED, operation);
    }

    // Sessions.

    /** The session is open for callers. */
    public void opened(int session) {
        if (hiddenLoss) {
            // The earlier session had it in memory and answered reads from there; it shows only now.
            lose();
        }
        hiddenLoss = false;
        openings.add(new int[] {session, now++});
        newestSession = Math.max(newestSession, session);
        // Every member has the whole history now.
        for (int replica = 0; replica < lostAt.length; replica++) {
            if ((view & 1 << replica) != 0) {
                lostAt[replica] = NEVER;
            }
        }
        add(EventKind.OPENED, NONE);
        for (Operation operation : operations) {
            if (operation.outcome == Operation.Outcome.UNKNOWN
                    && operation.session < newestSession
                    && operation.resolvedAt == Integer.MAX_VALUE) {
                resolve(operation);
            }
        }
    }

    /** The session's process died: its callers are told nothing any more. */
    public void died(int session) {
        for (Operation operation : operations) {
            if (operation.session == session && operation.isPending()) {
                failed(operation);
            }
        }
    }

    // Losses.

    /** The recorded view, a bit per replica. A new member holds everything. */
    public void view(int replicas) {
        for (int replica = 0; replica < lostAt.length; replica++) {
            if ((replicas & ~view & 1 << replica) != 0) {
                lostAt[replica] = NEVER;
            }
        }
        view = replicas;
        now++;
        judgeLosses();
    }

    /** The replica may have lost everything that was not durable. */
    public void lost(int replica) {
        lostAt[replica] = now++;
        judgeLosses();
    }

    private void judgeLosses() {
        int least = Integer.MAX_VALUE;
        for (int replica = 0; replica < lostAt.length; replica++) {
            if ((view & 1 << replica) != 0) {
                least = Math.min(least, lostAt[replica]);
            }
        }
        if (view != 0 && least > lostBefore) {
            lostBefore = least;
            lose();
        }
    }

    private void lose() {
        lossAt = now;
        hiddenLoss = true;
        add(EventKind.LOST, NONE);
        now++;
    }

    // Judgement.

    /**
     * Throws a {@link Violation} if no volume that keeps its promises could have behaved so.
     *
     * @return blocks whose history was too tangled to judge
     */
    public int check() {
        int undecided = 0;
        for (int block = 0; block <= blocks; block++) {
            if (!new BlockChecker(this, block).check()) {
                undecided++;
            }
        }
        new SnapshotCutChecker(this).check();
        return undecided;
    }
}
