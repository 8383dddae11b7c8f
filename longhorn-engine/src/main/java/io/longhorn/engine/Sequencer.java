package io.longhorn.engine;

import io.longhorn.DiskFullException;
import io.longhorn.LonghornException;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Gives each change its sequence, in the order in which changes come, encodes it once, and sends it to every replica that takes records. Engine loop only. */
final class Sequencer {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    private final EngineCore core;
    private long lastStructureSequence;
    /** What the part that was tried last would have taken, if it was credit that it lacked; else 0. */
    private int lackedCreditBytes;

    Sequencer(EngineCore core) {
        this.core = core;
    }

    /** Sequence of the newest operation on the volume's structure. */
    long lastStructureSequence() {
        return lastStructureSequence;
    }

    /** Gives the request's remaining parts their sequences; false if it must wait for room. */
    boolean sequence(Request request) {
        switch (request.kind) {
            case FLUSH -> core.confirmations.startFlush(request);
            case STRUCTURE -> {
                if (core.window.isFull()) {
                    return false;
                }
                startStructure(request);
            }
            default -> {
                while (request.next < request.end()) {
                    if (!sequencePart(request)) {
                        return isRefusedForSpace(request);
                    }
                }
                request.sequencingOver(null);
            }
        }
        return true;
    }

    private boolean isRefusedForSpace(Request request) {
        ReplicaLink full = lackedCreditBytes == 0 ? null : core.view.memberWithoutSpace(lackedCreditBytes);
        if (full == null) {
            return false;
        }
        request.sequencingOver(
                new DiskFullException(full.toString(), request.end() - request.next, Math.max(0, full.creditLeft())));
        return true;
    }

    private boolean sequencePart(Request request) {
        long block = request.next / BLOCK;
        boolean partial = request.next % BLOCK != 0 || request.end() - request.next < BLOCK;
        boolean range = !partial
                && (request.kind == Request.Kind.DISCARD
                        || (request.kind == Request.Kind.WRITE_ZEROES && !request.allocate));
        return range ? sequenceRange(request, block) : sequenceData(request, block, partial);
    }

    private boolean sequenceData(Request request, long block, boolean partialOnly) {
        boolean plain = request.kind == Request.Kind.WRITE || request.kind == Request.Kind.COMPARE_AND_WRITE;
        int blocks = (int) Math.min(FrameLayout.BLOCKS_MAX, request.endBlock() - block);
        if (!plain && !request.allocate && partialOnly) {
            blocks = 1;
        }
        int frameLength = RecordLayout.writeFrameLength(blocks);
        if (!hasRoom(frameLength)) {
            return false;
        }
        FrameBuffer frame = core.pool.acquire(frameLength);
        copyBlocks(request, block, blocks, frame.bytes(), RecordLayout.writeHeaderLength(blocks));
        Operation operation = core.window.add(frame);
        RecordLayout.encodeWrite(
                frame,
                request.forced ? FrameLayout.FLAG_FORCED : 0,
                core.epoch(),
                operation.sequence,
                core.committed(),
                block * BLOCK,
                blocks);
        core.window.frameEncoded(operation);
        send(operation, block, block + blocks, request);
        request.next = Math.min((block + blocks) * BLOCK, request.end());
        return true;
    }

    private static void copyBlocks(Request request, long first, int blocks, ByteBuffer target, int at) {
        long end = first + blocks;
        long wholeFrom = request.offset > first * BLOCK ? first + 1 : first;
        long wholeTo = request.end() < end * BLOCK ? end - 1 : end;
        if (request.data == null || wholeFrom >= wholeTo) {
            for (long b = first; b < end; b++) {
                request.copyBlock(b, target, at + (int) (b - first) * BLOCK);
            }
            return;
        }
        if (wholeFrom > first) {
            request.copyBlock(first, target, at);
        }
        request.copyWhole(
                wholeFrom * BLOCK, target, at + (int) (wholeFrom - first) * BLOCK, (int) (wholeTo - wholeFrom) * BLOCK);
        if (wholeTo < end) {
            request.copyBlock(end - 1, target, at + (int) (end - 1 - first) * BLOCK);
        }
    }

    private boolean sequenceRange(Request request, long block) {
        if (!hasRoom(0)) {
            return false;
        }
        long wholeEnd = request.end() / BLOCK * BLOCK;
        long length = Math.min(FrameLayout.RANGE_BYTES_MAX, wholeEnd - request.next);
        FrameBuffer frame = core.pool.acquire(RecordLayout.TABLE_OFFSET);
        Operation operation = core.window.add(frame);
        RecordLayout.encodeRange(
                frame,
                request.kind == Request.Kind.DISCARD ? FrameType.DISCARD : FrameType.WRITE_ZEROES,
                request.forced ? FrameLayout.FLAG_FORCED : 0,
                core.epoch(),
                operation.sequence,
                core.committed(),
                request.next,
                length);
        core.window.frameEncoded(operation);
        send(operation, block, block + length / BLOCK, request);
        request.next += length;
        return true;
    }

    /** Whether another record of {@code creditBytes} fits the core.window, the memory limit and every member's credit. */
    private boolean hasRoom(int creditBytes) {
        lackedCreditBytes = 0;
        if (core.window.size() >= core.settings.queueDepthMax()
                || (core.window.frameBytes() + creditBytes > core.settings.inFlightBytesMax()
                        && !core.window.isEmpty())) {
            return false;
        }
        if (creditBytes == 0 || core.view.allHaveCredit(creditBytes)) {
            return true;
        }
        lackedCreditBytes = creditBytes;
        return false;
    }

    private void startStructure(Request request) {
        StructureOperation operation = request.structure;
        if (operation == null) {
            throw new IllegalStateException("structure request without operation");
        }
        try {
            core.tree.check(operation);
        } catch (LonghornException refused) {
            request.sequencingOver(refused);
            return;
        }
        sequenceStructure(operation, request);
        request.sequencingOver(null);
    }

    /** Sequences an operation on the volume's structure; {@code request} is null for the engine's own ones. */
    void sequenceStructure(StructureOperation operation, @Nullable Request request) {
        long sequence = core.window.lastSequence() + 1;
        FrameBuffer frame = MessageCodec.encodeStructure(
                core.pool, FrameLayout.FLAG_FORCED, core.epoch(), sequence, core.committed(), operation);
        Operation slot = core.window.add(frame);
        boolean everything = operation instanceof StructureOperation.Revert;
        if (everything) {
            core.cache.clear();
        }
        core.tree.apply(operation, core.epoch(), sequence, core.sizeBytes());
        lastStructureSequence = sequence;
        if (request != null) {
            request.sequence = sequence;
        }
        core.window.frameEncoded(slot);
        send(slot, 0, everything ? Long.MAX_VALUE : 0, request);
    }

    private void send(Operation operation, long firstBlock, long endBlock, @Nullable Request request) {
        operation.firstBlock = firstBlock;
        operation.endBlock = endBlock;
        operation.request = request;
        operation.forced = request == null || request.forced;
        if (request != null) {
            request.unconfirmed++;
        }
        operation.sentNanos = core.loop.nanoTime();
        operation.sentWallMillis = core.loop.wallMillis();
        core.cache.invalidate(firstBlock, endBlock);
        core.confirmations.announced();
        FrameBuffer frame = operation.frame;
        if (frame == null) {
            throw new IllegalStateException("operation " + operation.sequence + " has no frame");
        }
        for (ReplicaLink link : core.links.values()) {
            if (link.takesRecords && link.isReady()) {
                link.sendRecord(frame);
            }
        }
    }
}
