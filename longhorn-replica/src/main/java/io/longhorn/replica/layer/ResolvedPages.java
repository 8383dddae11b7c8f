package io.longhorn.replica.layer;

import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the maps of a layer and all its parents say together, page by page, for layers that stand on many others: so that a read finds a block at once instead of asking every
 * layer. Journaled blocks are not in it. Bounded memory for all replicas of a disk; which page goes when room is needed is decided by a clock. Loop only.
 */
public final class ResolvedPages {
    private static final int PAGE_BYTES = MapPage.ENTRIES * (Long.BYTES + Integer.BYTES + Integer.BYTES) + 64;
    private static final int PAGES_MIN = 16;

    /** The entries of {@link MapPage#ENTRIES} blocks and the layers that they come from. */
    static final class Page {
        private final long[] entries = new long[MapPage.ENTRIES];
        private final int[] crcs = new int[MapPage.ENTRIES];
        private final @Nullable LayerNode[] layers = new @Nullable LayerNode[MapPage.ENTRIES];
        private @Nullable LayerNode top;
        private long number;
        private boolean used;

        long entry(int index) {
            return entries[index];
        }

        int crc(int index) {
            return crcs[index];
        }

        /** Null if no layer says anything about the block. */
        @Nullable
        LayerNode layer(int index) {
            return layers[index];
        }

        private void fill(LayerNode from, long page) throws IOException {
            top = null;
            Arrays.fill(entries, MapEntry.ABSENT);
            Arrays.fill(layers, null);
            int open = MapPage.ENTRIES;
            for (LayerNode node = from; node != null && open > 0; node = node.parent()) {
                LayerFiles files = node.files();
                long first = page * MapPage.ENTRIES;
                if (files != null && first < files.map().blocks()) {
                    MapPage mapped = files.map().page(first);
                    open -= mapped == null ? 0 : take(node, mapped);
                }
            }
            top = from;
            number = page;
            from.resolvedPages++;
        }

        private void forget() {
            LayerNode of = top;
            if (of != null) {
                of.resolvedPages--;
                top = null;
            }
        }

        /** Takes what is not decided yet; returns how much that was. */
        private int take(LayerNode node, MapPage mapped) {
            int taken = 0;
            for (int i = 0; i < MapPage.ENTRIES; i++) {
                if (layers[i] == null && !MapEntry.isAbsent(mapped.entry(i))) {
                    layers[i] = node;
                    entries[i] = mapped.entry(i);
                    crcs[i] = mapped.crc(i);
                    taken++;
                }
            }
            return taken;
        }
    }

    private final Page[] pages;
    /** Open addressing, linear probing: index of a page plus one. */
    private final int[] table;

    private int made;
    private int hand;

    /** Keeps at most {@code bytesMax}, but a few pages in any case. Memory is taken as it is needed. */
    public ResolvedPages(long bytesMax) {
        int count = (int) Math.min(Math.max(bytesMax / PAGE_BYTES, PAGES_MIN), 1 << 24);
        pages = new Page[count];
        table = new int[Integer.highestOneBit(count) << 2];
    }

    /** The page of what {@code from} and its parents say. */
    Page page(LayerNode from, long number) throws IOException {
        int slot = find(from, number);
        if (table[slot] != 0) {
            Page present = pages[table[slot] - 1];
            present.used = true;
            return present;
        }
        int index = made < pages.length ? made++ : evict();
        Page page = pages[index];
        if (page == null) {
            page = new Page();
            pages[index] = page;
        }
        page.fill(from, number);
        page.used = true;
        table[find(from, number)] = index + 1;
        return page;
    }

    /** The maps changed: forgets that page of that layer. */
    public void remove(LayerNode from, long number) {
        int slot = find(from, number);
        if (table[slot] != 0) {
            forget(slot);
        }
    }

    /** Forgets everything, after a change of the trees. Rare. */
    public void clear() {
        Arrays.fill(table, 0);
        for (int i = 0; i < made; i++) {
            pages[i].forget();
        }
    }

    private int home(LayerNode from, long number) {
        long mixed = (number + 31L * System.identityHashCode(from)) * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32) & (table.length - 1);
    }

    /** The slot of the page, or the free one where it would be. Identity is meant: a layer is equal to nothing but itself. */
    @SuppressWarnings("ReferenceEquality")
    private int find(LayerNode from, long number) {
        int slot = home(from, number);
        while (table[slot] != 0) {
            Page page = pages[table[slot] - 1];
            if (page.top == from && page.number == number) {
                return slot;
            }
            slot = (slot + 1) & (table.length - 1);
        }
        return slot;
    }

    private int evict() {
        while (true) {
            hand = hand + 1 == pages.length ? 0 : hand + 1;
            Page page = pages[hand];
            LayerNode top = page.top;
            if (top == null) {
                return hand;
            }
            if (!page.used) {
                forget(find(top, page.number));
                return hand;
            }
            page.used = false;
        }
    }

    /** Frees the slot and closes the gap, so that no later page of the same run becomes unreachable. */
    private void forget(int slot) {
        pages[table[slot] - 1].forget();
        int mask = table.length - 1;
        int gap = slot;
        for (int i = (slot + 1) & mask; table[i] != 0; i = (i + 1) & mask) {
            Page page = pages[table[i] - 1];
            LayerNode top = page.top;
            int home = top == null ? i : home(top, page.number);
            boolean staysReachable = gap <= i ? gap < home && home <= i : gap < home || home <= i;
            if (!staysReachable) {
                table[gap] = table[i];
                gap = i;
            }
        }
        table[gap] = 0;
    }
}
