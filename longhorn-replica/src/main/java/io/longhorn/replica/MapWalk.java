package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.replica.layer.BlockLookup;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.LayerTree;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.Message.MapRun;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Answers MAP_QUERY, a page of runs at a time. Loop only. */
final class MapWalk {
    /** Map pages that one answer looks through at most, so that it does not hold up the loop. */
    private static final int PAGES_MAX = 256;

    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final BlockLookup lookup = new BlockLookup();

    MapWalk(ReplicaDisk disk, ReplicaState replica) {
        this.disk = disk;
        this.replica = replica;
    }

    /** Says what the blocks of one answer are. */
    private interface Question {
        void ask(long block, Runs runs) throws IOException;
    }

    /** @param layer that the query names, or the head; its right to be read was checked, as that of {@code since} */
    Message.MapPage answer(Message.MapQuery query, LayerNode layer, @Nullable LayerNode since) throws IOException {
        return switch (query.mode()) {
            case MERGED -> {
                List<LayerNode> chain = LayerTree.chain(layer);
                disk.reader().look(layer);
                yield walk(query, chain, this::merged);
            }
            case CHANGED -> {
                List<LayerNode> apart = apart(LayerTree.chain(layer), LayerTree.chain(since));
                yield walk(query, apart, (block, runs) -> changed(apart, block, runs));
            }
            case OWN -> walk(query, List.of(layer), (block, runs) -> own(layer, block, query.sinceSequence(), runs));
        };
    }

    /** Layers on one way to the root and not on the other: only these make the two points differ. */
    private static List<LayerNode> apart(List<LayerNode> a, List<LayerNode> b) {
        Set<LayerNode> shared = new HashSet<>(a);
        shared.retainAll(b);
        List<LayerNode> apart = new ArrayList<>(a);
        apart.addAll(b);
        apart.removeIf(shared::contains);
        return apart;
    }

    private Message.MapPage walk(Message.MapQuery query, List<LayerNode> layers, Question question) throws IOException {
        Runs runs = new Runs(query.mode() == Message.MapMode.OWN);
        long end = Math.min(query.toBlock(), replica.sizeBytes() / FrameLayout.BLOCK_BYTES);
        long block = query.fromBlock();
        for (int pages = 0; block < end; pages++) {
            if (pages == PAGES_MAX) {
                return runs.page(block);
            }
            long pageEnd = Math.min(end, (MapPage.pageOf(block) + 1) * MapPage.ENTRIES);
            if (isEmpty(layers, block)) {
                runs.add(block, pageEnd - block, BlockState.ABSENT, 0);
                block = pageEnd;
            }
            for (; block < pageEnd; block++) {
                if (runs.isFull()) {
                    return runs.page(block);
                }
                question.ask(block, runs);
            }
        }
        if (end < query.toBlock()) {
            runs.add(end, query.toBlock() - end, BlockState.ABSENT, 0);
        }
        return runs.page(-1);
    }

    /** Whether none of the layers says anything about the page of this block. */
    private static boolean isEmpty(List<LayerNode> layers, long block) throws IOException {
        for (LayerNode node : layers) {
            LayerFiles files = node.files();
            if (!node.pending().isEmpty()
                    || (files != null
                            && block < files.map().blocks()
                            && files.map().page(block) != null)) {
                return false;
            }
        }
        return true;
    }

    private void merged(long block, Runs runs) throws IOException {
        BlockLookup found = disk.reader().find(block);
        if (found.isDamaged()) {
            throw new ReplicaRefusal(ErrorCode.DAMAGED_BLOCK, block, 0, "the map of block " + block + " is damaged");
        }
        runs.add(block, 1, found.state(), 0);
    }

    private void changed(List<LayerNode> apart, long block, Runs runs) throws IOException {
        for (LayerNode node : apart) {
            if (lookup.own(node, block)) {
                runs.add(block, 1, BlockState.DATA, 0);
                return;
            }
        }
        runs.add(block, 1, BlockState.ABSENT, 0);
    }

    /** A block whose entry was lost counts as changed: only then is it copied anew. */
    private void own(LayerNode node, long block, long since, Runs runs) throws IOException {
        if (!lookup.own(node, block)) {
            return;
        }
        if (lookup.isDamaged()) {
            runs.add(block, 1, BlockState.DATA, replica.lastSequence());
        } else if (lookup.sequence() > since) {
            runs.add(block, 1, lookup.state(), lookup.sequence());
        }
    }

    /** The runs of one answer. */
    private static final class Runs {
        private final boolean single;
        private final List<MapRun> runs = new ArrayList<>();
        private long first;
        private long count;
        private BlockState state = BlockState.ABSENT;

        /** @param single every block for itself, absent ones not at all */
        Runs(boolean single) {
            this.single = single;
        }

        boolean isFull() {
            return runs.size() >= Message.MapPage.RUNS_MAX - 2;
        }

        void add(long block, long blocks, BlockState is, long sequence) {
            if (single) {
                if (is != BlockState.ABSENT) {
                    runs.add(new MapRun(block, blocks, is, sequence));
                }
            } else if (count > 0 && state == is) {
                count += blocks;
            } else {
                end();
                first = block;
                count = blocks;
                state = is;
            }
        }

        private void end() {
            if (count > 0) {
                runs.add(new MapRun(first, count, state, 0));
                count = 0;
            }
        }

        Message.MapPage page(long next) {
            end();
            return new Message.MapPage(next, runs);
        }
    }
}
