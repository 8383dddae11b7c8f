package io.longhorn.engine;

import io.longhorn.LonghornException;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Something a caller asked for that changes the volume, on its way through the engine: waits for its turn, reads the blocks it covers only in
 * part, is cut into records, and is over when the last of these is confirmed. Engine loop only after it was submitted.
 */
final class Request {

    enum Kind {
        WRITE,
        WRITE_ZEROES,
        DISCARD,
        COMPARE_AND_WRITE,
        FLUSH,
        STRUCTURE
    }

    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    private static final Completion ENDED = failure -> {
        throw new IllegalStateException("a write ended twice", failure);
    };

    /** Writes that ended, to be used again; each engine has one, on its loop. */
    static final class Spares {
        private final ArrayDeque<Request> requests = new ArrayDeque<>();
        private final int most;

        /** Keeps at most so many. */
        Spares(int most) {
            this.most = most;
        }

        private void add(Request request) {
            if (requests.size() < most) {
                requests.add(request);
            }
        }
    }

    final Kind kind;
    /** This and the others that are not final change when a write is used again, and only then. */
    long offset;

    long length;
    boolean forced;
    final boolean allocate;
    /** WRITE, COMPARE_AND_WRITE: the caller's bytes from {@link #dataStart} on, borrowed until completion. */
    @Nullable
    ByteBuffer data;

    int dataStart;
    /** COMPARE_AND_WRITE: what must be there. */
    final @Nullable ByteBuffer expected;

    final @Nullable StructureOperation structure;
    private Completion completion;
    /** Where it goes when it has ended; null if it is not used again. */
    private final @Nullable Spares spares;

    long startedNanos;
    /** Bytes up to here have their sequence; block-aligned except at both ends. */
    long next;
    /** Old content of the blocks [firstBlock, endBlock) or of the first and the last of them; see {@link #mustRead}. */
    @Nullable
    ByteBuffer old;
    /** Records of this request that are not confirmed. */
    int unconfirmed;
    /** STRUCTURE, FLUSH: the sequence it got, or must see durable. */
    long sequence;
    /** COMPARE_AND_WRITE: offset from {@link #offset} of the first byte that differs, -1 if none does. */
    long mismatch = -1;

    boolean allSequenced;
    boolean admitted;
    /** It waited at a gate and is the next on its blocks: those behind it there do not stop it. */
    boolean passedGate;

    private @Nullable LonghornException failure;

    private Request(
            Kind kind,
            long offset,
            long length,
            boolean forced,
            boolean allocate,
            @Nullable ByteBuffer data,
            @Nullable ByteBuffer expected,
            @Nullable StructureOperation structure,
            long startedNanos,
            Completion completion,
            @Nullable Spares spares) {
        this.kind = kind;
        this.offset = offset;
        this.length = length;
        this.forced = forced;
        this.allocate = allocate;
        this.data = data;
        this.dataStart = data == null ? 0 : data.position();
        this.expected = expected;
        this.structure = structure;
        this.startedNanos = startedNanos;
        this.completion = completion;
        this.next = offset;
        this.spares = spares;
    }

    /** A write, which takes the place of one that ended if there is any. */
    static Request write(
            Spares spares, long offset, ByteBuffer data, boolean forced, long nowNanos, Completion completion) {
        int length = data.remaining();
        Request spare = spares.requests.poll();
        if (spare == null) {
            return new Request(
                    Kind.WRITE, offset, length, forced, false, data, null, null, nowNanos, completion, spares);
        }
        spare.offset = offset;
        spare.next = offset;
        spare.length = length;
        spare.forced = forced;
        spare.data = data;
        spare.dataStart = data.position();
        spare.startedNanos = nowNanos;
        spare.completion = completion;
        spare.unconfirmed = 0;
        spare.allSequenced = false;
        spare.admitted = false;
        spare.passedGate = false;
        spare.failure = null;
        return spare;
    }

    static Request zeroes(
            long offset, long length, boolean allocate, boolean forced, long nowNanos, Completion completion) {
        return new Request(
                Kind.WRITE_ZEROES, offset, length, forced, allocate, null, null, null, nowNanos, completion, null);
    }

    static Request discard(long offset, long length, boolean forced, long nowNanos, Completion completion) {
        return new Request(Kind.DISCARD, offset, length, forced, false, null, null, null, nowNanos, completion, null);
    }

    static Request compareAndWrite(
            long offset, ByteBuffer expected, ByteBuffer data, boolean forced, long nowNanos, Completion completion) {
        return new Request(
                Kind.COMPARE_AND_WRITE,
                offset,
                data.remaining(),
                forced,
                false,
                data,
                expected,
                null,
                nowNanos,
                completion,
                null);
    }

    static Request flush(long nowNanos, Completion completion) {
        return new Request(Kind.FLUSH, 0, 0, false, false, null, null, null, nowNanos, completion, null);
    }

    static Request structure(StructureOperation operation, long nowNanos, Completion completion) {
        boolean everything = operation instanceof StructureOperation.Revert;
        return new Request(
                Kind.STRUCTURE,
                0,
                everything ? Long.MAX_VALUE : 0,
                true,
                false,
                null,
                null,
                operation,
                nowNanos,
                completion,
                null);
    }

    long end() {
        return offset + length;
    }

    long firstBlock() {
        return offset / BLOCK;
    }

    /** First block behind the request. */
    long endBlock() {
        return length == Long.MAX_VALUE ? Long.MAX_VALUE : (end() + BLOCK - 1) / BLOCK;
    }

    boolean startsInsideBlock() {
        return offset % BLOCK != 0;
    }

    boolean endsInsideBlock() {
        return length != Long.MAX_VALUE && end() % BLOCK != 0;
    }

    /** Whether old content is needed before the request can have a sequence. */
    boolean mustRead() {
        return length > 0
                && kind != Kind.STRUCTURE
                && (kind == Kind.COMPARE_AND_WRITE || startsInsideBlock() || endsInsideBlock());
    }

    boolean overlaps(Request other) {
        return length > 0 && other.length > 0 && firstBlock() < other.endBlock() && other.firstBlock() < endBlock();
    }

    /** Copies block {@code block} of the new content to {@code target[at, at + 4096)}: the caller's bytes over the old ones. */
    void copyBlock(long block, ByteBuffer target, int at) {
        long start = block * BLOCK;
        int from = (int) Math.max(0, offset - start);
        int to = (int) Math.min(BLOCK, end() - start);
        if (from > 0 || to < BLOCK) {
            ByteBuffer before = old;
            if (before == null) {
                throw new IllegalStateException("partial block " + block + " without its old content");
            }
            target.put(at, before, oldIndex(block), BLOCK);
        }
        ByteBuffer source = data;
        if (source == null) {
            for (int i = from; i < to; i++) {
                target.put(at + i, (byte) 0);
            }
        } else {
            target.put(at + from, source, dataStart + (int) (start + from - offset), to - from);
        }
    }

    /** Copies whole blocks of the caller's bytes at once. */
    void copyWhole(long position, ByteBuffer target, int at, int lengthBytes) {
        ByteBuffer source = data;
        if (source == null) {
            throw new IllegalStateException(kind + " has no data");
        }
        target.put(at, source, dataStart + (int) (position - offset), lengthBytes);
    }

    /** Where a block's old content stands in {@link #old}. */
    int oldIndex(long block) {
        if (kind == Kind.COMPARE_AND_WRITE) {
            return (int) (block - firstBlock()) * BLOCK;
        }
        return block == firstBlock() ? 0 : BLOCK;
    }

    /** One of its records was confirmed, or will never be. */
    void recordOver(@Nullable LonghornException cause) {
        unconfirmed--;
        if (cause != null && failure == null) {
            failure = cause;
        }
        endIfOver();
    }

    /** No further record of it will be made. */
    void sequencingOver(@Nullable LonghornException cause) {
        allSequenced = true;
        if (cause != null && failure == null) {
            failure = cause;
        }
        endIfOver();
    }

    private void endIfOver() {
        if (allSequenced && unconfirmed == 0) {
            unconfirmed = -1;
            Completion told = completion;
            LonghornException cause = failure;
            spare();
            told.done(cause);
        }
    }

    /**
     * Nobody knows a write any more whose records are all confirmed. One that was abandoned may still stand in the window, one that needed old content at a gate: these are not used
     * again.
     */
    private void spare() {
        if (spares != null && !mustRead()) {
            data = null;
            completion = ENDED;
            spares.add(this);
        }
    }

    /** Ends it at once, whatever is under way; later calls do nothing. */
    void abandon(LonghornException cause) {
        if (unconfirmed >= 0) {
            unconfirmed = -1;
            allSequenced = true;
            completion.done(failure == null ? cause : failure);
        }
    }

    boolean isOver() {
        return allSequenced && unconfirmed < 0;
    }
}
