package io.longhorn.replica.server;

import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Answers LAYER_READ: a frame of blocks of one layer with their entries, newer than a sequence, or named one by one. Loop only. */
final class RebuildSource {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Entries without data that one answer carries at most. */
    private static final int ENTRIES_MAX = 512;
    /** Map pages that one answer looks through at most, so that a sparse layer does not hold the loop. */
    private static final int PAGES_MAX = 1024;

    private final ReplicaState replica;

    RebuildSource(ReplicaState replica) {
        this.replica = replica;
    }

    FrameBuffer answer(Message.LayerRead wanted, long epoch, long request, FramePool pool) throws IOException {
        LayerNode node = replica.tree.find(wanted.layer());
        Answer answer = new Answer(pool);
        try {
            long next = -1;
            if (node != null && wanted.blocks().isEmpty()) {
                next = walk(node, wanted, answer);
            } else {
                for (long block : wanted.blocks()) {
                    answer.add(node, block);
                }
            }
            return answer.finish(wanted, epoch, request, next);
        } catch (IOException | RuntimeException e) {
            answer.release();
            throw e;
        }
    }

    private long walk(LayerNode node, Message.LayerRead wanted, Answer answer) throws IOException {
        long[] pending = node.pending.size() == 0 ? new long[0] : node.pending.blocks();
        long end = Math.min(
                wanted.toBlock(),
                Math.max(
                        node.files.pageEnd() * MapPage.ENTRIES,
                        pending.length == 0 ? 0 : pending[pending.length - 1] + 1));
        long block = wanted.fromBlock();
        for (int pages = 0; block < end; pages++) {
            if (pages == PAGES_MAX) {
                return block;
            }
            long number = LayerFiles.pageOf(block);
            long pageEnd = Math.min(end, (number + 1) * MapPage.ENTRIES);
            if (node.files.page(number) == null && !anyIn(pending, block, pageEnd)) {
                block = pageEnd;
                continue;
            }
            for (; block < pageEnd; block++) {
                BlockLookup lookup = replica.lookup;
                if (lookup.own(node, block) && lookup.sequence > wanted.sinceSequence()) {
                    if (answer.isFull()) {
                        return block;
                    }
                    answer.add(node, block);
                } else if (lookup.damaged) {
                    throw new IOException("the map of block " + block + " of layer " + node.id + " is damaged");
                }
            }
        }
        return -1;
    }

    private static boolean anyIn(long[] sorted, long from, long to) {
        int at = Arrays.binarySearch(sorted, from);
        at = at < 0 ? -at - 1 : at;
        return at < sorted.length && sorted[at] < to;
    }

    /** An answer being put together: entries first, data behind the room for all possible entries, moved together at the end. */
    private final class Answer {
        private final FrameBuffer entries;
        private final ByteBuffer data = ByteBuffer.allocateDirect(FrameLayout.PAYLOAD_BYTES_MAX);
        private final FramePool pool;
        private int count;
        private int dataBlocks;

        Answer(FramePool pool) {
            this.pool = pool;
            this.entries = pool.acquire(LayerBlocksLayout.headerLength(ENTRIES_MAX));
        }

        boolean isFull() {
            return count == ENTRIES_MAX || dataBlocks == FrameLayout.BLOCKS_MAX;
        }

        void add(@Nullable LayerNode node, long block) throws IOException {
            BlockLookup lookup = replica.lookup;
            boolean present = node != null && lookup.own(node, block);
            if (!present || node == null) {
                LayerBlocksLayout.putEntry(entries.bytes(), count++, block, BlockState.ABSENT, 0, 0);
                return;
            }
            LayerBlocksLayout.putEntry(
                    entries.bytes(), count++, block, lookup.state, lookup.sequence, lookup.isData() ? lookup.crc : 0);
            if (lookup.isData()) {
                data.limit((dataBlocks + 1) * BLOCK).position(dataBlocks * BLOCK);
                if (lookup.journalPosition >= 0) {
                    replica.owner.readJournal(lookup.journalPosition, data);
                } else {
                    node.files.readBlocks(block, data);
                }
                dataBlocks++;
            }
        }

        FrameBuffer finish(Message.LayerRead wanted, long epoch, long request, long next) {
            int header = LayerBlocksLayout.headerLength(count);
            FrameBuffer frame = pool.acquire(header + dataBlocks * BLOCK);
            frame.bytes()
                    .put(
                            LayerBlocksLayout.ENTRIES_OFFSET,
                            entries.bytes(),
                            LayerBlocksLayout.ENTRIES_OFFSET,
                            count * LayerBlocksLayout.ENTRY_BYTES);
            frame.bytes().put(header, data, 0, dataBlocks * BLOCK);
            entries.release();
            LayerBlocksLayout.encode(frame, epoch, request, wanted.layer(), next, count, dataBlocks);
            return frame;
        }

        void release() {
            entries.release();
        }
    }
}
