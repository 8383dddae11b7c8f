package io.longhorn.replica.server;

import io.longhorn.ErrorCode;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Answers MAP_QUERY, a page of runs at a time. Loop only. */
final class MapWalk {
    /** Map pages that one answer looks through at most. */
    private static final int PAGES_MAX = 256;

    private final ReplicaState replica;
    private final @Nullable LayerNode layer;
    private final List<Message.MapRun> runs = new ArrayList<>();

    MapWalk(ReplicaState replica, @Nullable LayerNode layer) {
        this.replica = replica;
        this.layer = layer;
    }

    Message.MapPage answer(Message.MapQuery query) throws IOException {
        List<LayerNode> concerned = concerned(query);
        long block = query.fromBlock();
        for (int pages = 0; block < query.toBlock(); pages++) {
            if (pages == PAGES_MAX || runs.size() >= Message.MapPage.RUNS_MAX - 1) {
                return new Message.MapPage(block, runs);
            }
            long pageEnd = Math.min(query.toBlock(), (LayerFiles.pageOf(block) + 1) * MapPage.ENTRIES);
            if (isEmpty(concerned, block)) {
                add(query, block, pageEnd - block, BlockState.ABSENT, 0);
                block = pageEnd;
                continue;
            }
            for (; block < pageEnd; block++) {
                if (runs.size() >= Message.MapPage.RUNS_MAX - 1) {
                    return new Message.MapPage(block, runs);
                }
                look(query, concerned, block);
            }
        }
        return new Message.MapPage(-1, runs);
    }

    /** The layers whose entries decide. */
    private List<LayerNode> concerned(Message.MapQuery query) {
        List<LayerNode> chain = chain(layer);
        return switch (query.mode()) {
            case MERGED -> chain;
            case OWN -> layer == null ? List.of() : List.of(layer);
            case CHANGED -> difference(chain, chain(since(query.since())));
        };
    }

    private @Nullable LayerNode since(LayerId id) {
        if (id.isLive()) {
            return null;
        }
        LayerNode node = replica.tree.find(id);
        if (node == null) {
            throw new ReplicaRefusal(ErrorCode.SNAPSHOT_NOT_FOUND, "there is no snapshot " + id);
        }
        return node;
    }

    private static List<LayerNode> chain(@Nullable LayerNode from) {
        List<LayerNode> chain = new ArrayList<>();
        for (LayerNode node = from; node != null; node = node.parent) {
            chain.add(node);
        }
        return chain;
    }

    /** Layers on one way to the root and not on the other: only these make the two differ. */
    private static List<LayerNode> difference(List<LayerNode> a, List<LayerNode> b) {
        Set<LayerNode> shared = new HashSet<>(a);
        shared.retainAll(b);
        List<LayerNode> rest = new ArrayList<>(a);
        rest.addAll(b);
        rest.removeAll(shared);
        return rest;
    }

    private static boolean isEmpty(List<LayerNode> layers, long block) throws IOException {
        for (LayerNode node : layers) {
            if (node.pending.size() > 0 || node.files.page(LayerFiles.pageOf(block)) != null) {
                return false;
            }
        }
        return true;
    }

    private void look(Message.MapQuery query, List<LayerNode> concerned, long block) throws IOException {
        BlockLookup lookup = replica.lookup;
        for (LayerNode node : concerned) {
            boolean says = lookup.own(node, block);
            if (lookup.damaged) {
                throw new ReplicaRefusal(ErrorCode.REPLICA_DAMAGED, "the map of block " + block + " is damaged");
            }
            if (says) {
                boolean shown = query.mode() != Message.MapMode.OWN || lookup.sequence > query.sinceSequence();
                if (shown) {
                    BlockState state = query.mode() == Message.MapMode.CHANGED ? BlockState.DATA : lookup.state;
                    add(query, block, 1, state, lookup.sequence);
                }
                return;
            }
        }
        add(query, block, 1, BlockState.ABSENT, 0);
    }

    private void add(Message.MapQuery query, long block, long count, BlockState state, long sequence) {
        if (query.mode() == Message.MapMode.OWN) {
            if (state != BlockState.ABSENT) {
                runs.add(new Message.MapRun(block, 1, state, sequence));
            }
            return;
        }
        Message.MapRun last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
        if (last != null && last.state() == state && last.firstBlock() + last.blocks() == block) {
            runs.set(runs.size() - 1, new Message.MapRun(last.firstBlock(), last.blocks() + count, state, 0));
        } else {
            runs.add(new Message.MapRun(block, count, state, 0));
        }
    }
}
