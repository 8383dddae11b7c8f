package io.longhorn.simulator;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A file's content, twice: what the page cache shows, and what is on stable storage. Between syncs any sector of what was
 * written may be on stable storage or not, whatever the order of the writes.
 */
final class SimInode {
    static final int PAGE_BYTES = 4096;
    static final int SECTOR_BYTES = 512;
    private static final int SECTORS = PAGE_BYTES / SECTOR_BYTES;
    private static final int ALL_SECTORS = (1 << SECTORS) - 1;
    /** An allocated page of zeroes, never written to. */
    private static final byte[] ZEROES = new byte[PAGE_BYTES];

    private final SimDisk disk;
    /** What a power loss leaves. Null: not allocated. */
    private byte[] @Nullable [] stable = new byte[0][];
    /** What reads see where it differs from {@link #stable}; null: the same. */
    private byte[] @Nullable [] cached = new byte[0][];
    /** Sectors of the cached page that no sync has covered yet. */
    private byte[] dirty = new byte[0];
    /** Order of the last write of a page. */
    private int[] stamps = new int[0];
    /** Pages given back (punched, cut off): the cached page is absent, although {@link #stable} has one. */
    private boolean[] absent = new boolean[0];

    private boolean[] unreadable = new boolean[0];
    /** Pages that a failed sync left different from stable storage although nothing says so. */
    private boolean[] tainted = new boolean[0];

    private int writeStamp;
    private long size;
    private long stableSize;
    private int allocatedPages;
    /** Names and open handles. Without any, the space goes back. */
    int links;

    SimInode(SimDisk disk) {
        this.disk = disk;
    }

    long size() {
        return size;
    }

    int allocatedPages() {
        return allocatedPages;
    }

    int pages() {
        return stable.length;
    }

    private void grow(int pages) {
        if (pages > stable.length) {
            int length = Math.max(pages, Math.min(stable.length * 2, stable.length + 4096));
            stable = Arrays.copyOf(stable, length);
            cached = Arrays.copyOf(cached, length);
            dirty = Arrays.copyOf(dirty, length);
            stamps = Arrays.copyOf(stamps, length);
            absent = Arrays.copyOf(absent, length);
            unreadable = Arrays.copyOf(unreadable, length);
            tainted = Arrays.copyOf(tainted, length);
        }
    }

    private byte @Nullable [] visible(int page) {
        if (page >= stable.length) {
            return null;
        }
        byte[] c = cached[page];
        return c != null ? c : absent[page] ? null : stable[page];
    }

    void read(long position, ByteBuffer target) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int page = (int) (at / PAGE_BYTES);
            int offset = (int) (at % PAGE_BYTES);
            int n = Math.min(target.remaining(), PAGE_BYTES - offset);
            if (page < unreadable.length && unreadable[page]) {
                throw new IOException("Input/output error (simulated bad sector)");
            }
            byte[] bytes = visible(page);
            target.put(bytes == null || at >= size ? ZEROES : bytes, offset, n);
            at += n;
        }
    }

    /** Writes as much as there is space for, then fails. */
    void write(long position, ByteBuffer source) throws IOException {
        long at = position;
        while (source.hasRemaining()) {
            int page = (int) (at / PAGE_BYTES);
            int offset = (int) (at % PAGE_BYTES);
            int n = Math.min(source.remaining(), PAGE_BYTES - offset);
            byte[] bytes = writable(page, n == PAGE_BYTES);
            source.get(bytes, offset, n);
            touched(page, offset, n);
            at += n;
            size = Math.max(size, at);
        }
    }

    /** Zeroes, taking space. */
    void preallocate(long position, long length) throws IOException {
        long end = position + length;
        for (long at = position; at < end; ) {
            int page = (int) (at / PAGE_BYTES);
            int offset = (int) (at % PAGE_BYTES);
            int n = (int) Math.min(end - at, PAGE_BYTES - offset);
            if (n == PAGE_BYTES) {
                grow(page + 1);
                allocate(page);
                writeBackSometimes(page);
                cached[page] = ZEROES;
                absent[page] = false;
                unreadable[page] = false;
            } else {
                Arrays.fill(writable(page, false), offset, offset + n, (byte) 0);
            }
            touched(page, offset, n);
            at += n;
        }
        size = Math.max(size, end);
    }

    private void allocate(int page) throws IOException {
        if (visible(page) == null) {
            disk.takePage();
            allocatedPages++;
        }
    }

    /** Whether it is the page that all zeroed ones share, and nobody may write to. */
    @SuppressWarnings("ReferenceEquality")
    private static boolean isZeroes(byte[] page) {
        return page == ZEROES;
    }

    private byte[] writable(int page, boolean whole) throws IOException {
        grow(page + 1);
        allocate(page);
        writeBackSometimes(page);
        byte[] present = visible(page);
        byte[] own = cached[page];
        if (own == null || isZeroes(own)) {
            own = whole || present == null ? new byte[PAGE_BYTES] : present.clone();
            if (absent[page] && dirty[page] == 0) {
                // The space came back as another page; the old content is gone only with the next sync.
                dirty[page] = (byte) ALL_SECTORS;
            }
            cached[page] = own;
            absent[page] = false;
        }
        if (whole) {
            unreadable[page] = false;
        }
        return own;
    }

    private void touched(int page, int offset, int length) {
        int first = offset / SECTOR_BYTES;
        int last = (offset + length - 1) / SECTOR_BYTES;
        dirty[page] |= (byte) ((ALL_SECTORS >>> (SECTORS - 1 - last)) & (ALL_SECTORS << first));
        stamps[page] = ++writeStamp;
    }

    /** The kernel writes pages back when it likes, so that versions in between can be what a power loss leaves. */
    private void writeBackSometimes(int page) {
        if (dirty[page] != 0 && disk.random().oneIn(8)) {
            keep(page, dirty[page] & (int) disk.random().nextLong());
        }
    }

    /** Puts the chosen sectors of a page on stable storage. */
    private void keep(int page, int sectors) {
        if (sectors == 0) {
            return;
        }
        byte[] from = cached[page];
        byte[] old = stable[page];
        if (sectors == ALL_SECTORS) {
            // Whoever writes to the cached page next must not reach this one.
            stable[page] = from == null || isZeroes(from) ? from : from.clone();
            return;
        }
        byte[] target = old == null ? new byte[PAGE_BYTES] : old.clone();
        byte[] source = from == null ? ZEROES : from;
        for (int s = 0; s < SECTORS; s++) {
            if ((sectors & 1 << s) != 0) {
                System.arraycopy(source, s * SECTOR_BYTES, target, s * SECTOR_BYTES, SECTOR_BYTES);
            }
        }
        stable[page] = target;
    }

    void punch(long position, long length) {
        long end = Math.min(position + length, (long) stable.length * PAGE_BYTES);
        int first = (int) ((position + PAGE_BYTES - 1) / PAGE_BYTES);
        int last = (int) (end / PAGE_BYTES);
        for (int page = first; page < last; page++) {
            drop(page);
        }
    }

    private void drop(int page) {
        if (visible(page) == null) {
            return;
        }
        writeBackSometimes(page);
        disk.givePage();
        allocatedPages--;
        cached[page] = null;
        absent[page] = true;
        dirty[page] = (byte) ALL_SECTORS;
        stamps[page] = ++writeStamp;
    }

    void truncate(long newSize) throws IOException {
        int firstGone = (int) ((newSize + PAGE_BYTES - 1) / PAGE_BYTES);
        for (int page = firstGone; page < stable.length; page++) {
            drop(page);
        }
        int tail = (int) (newSize % PAGE_BYTES);
        if (newSize < size && tail != 0 && visible((int) (newSize / PAGE_BYTES)) != null) {
            int page = (int) (newSize / PAGE_BYTES);
            Arrays.fill(writable(page, false), tail, PAGE_BYTES, (byte) 0);
            touched(page, tail, PAGE_BYTES - tail);
        }
        size = newSize;
    }

    /** Everything written so far becomes stable. */
    void sync() {
        for (int page = 0; page < stable.length; page++) {
            if (dirty[page] != 0) {
                settle(page, ALL_SECTORS);
            }
        }
        stableSize = size;
    }

    /** Ends a page's time between cache and disk: the chosen dirty sectors are stable, the others as before. */
    private void settle(int page, int sectors) {
        int kept = dirty[page] & sectors;
        if (absent[page]) {
            if (kept == ALL_SECTORS) {
                stable[page] = null;
                absent[page] = false;
            } else {
                keep(page, kept);
            }
        } else if (kept == ALL_SECTORS || (kept == (dirty[page] & ALL_SECTORS) && !tainted[page])) {
            stable[page] = cached[page];
            cached[page] = null;
            tainted[page] = false;
        } else {
            keep(page, kept);
        }
        dirty[page] = 0;
    }

    /**
     * A sync that fails: the kernel forgets that the pages were dirty. Some of them reached the disk, the others
     * never will, while reads go on seeing them.
     */
    void failSync() {
        SimRandom random = disk.random();
        for (int page = 0; page < stable.length; page++) {
            if (dirty[page] != 0) {
                if (absent[page]) {
                    // A hole is metadata: it stays pending.
                    continue;
                }
                keep(page, dirty[page] & (int) random.nextLong() & (int) random.nextLong());
                dirty[page] = 0;
                tainted[page] = true;
            }
        }
    }

    /** How a power loss treats what was not synced. */
    enum Loss {
        NOTHING_KEPT,
        ALL_KEPT,
        PAGES_AT_RANDOM,
        SECTORS_AT_RANDOM,
        OLDEST_PAGES_KEPT
    }

    /** Power is lost: what the cache had is gone, apart from what happened to have been written. */
    void losePower(Loss loss) {
        SimRandom random = disk.random();
        int cut = writeStamp == 0 ? 0 : random.below(writeStamp + 1);
        for (int page = 0; page < stable.length; page++) {
            if (dirty[page] != 0) {
                int sectors = switch (loss) {
                    case NOTHING_KEPT -> 0;
                    case ALL_KEPT -> ALL_SECTORS;
                    case PAGES_AT_RANDOM -> random.coin() ? ALL_SECTORS : 0;
                    case SECTORS_AT_RANDOM -> (int) random.nextLong() & ALL_SECTORS;
                    case OLDEST_PAGES_KEPT ->
                        stamps[page] < cut
                                ? ALL_SECTORS
                                : stamps[page] == cut ? (int) random.nextLong() & ALL_SECTORS : 0;
                };
                if (absent[page]) {
                    // Given back as a whole or not at all.
                    sectors = (sectors & 1) != 0 ? ALL_SECTORS : 0;
                }
                settle(page, sectors);
            }
            cached[page] = null;
            absent[page] = false;
            tainted[page] = false;
        }
        if (size != stableSize) {
            long longer = Math.max(size, stableSize);
            long shorter = Math.min(size, stableSize);
            size = loss == Loss.NOTHING_KEPT
                    ? stableSize
                    : loss == Loss.ALL_KEPT ? size : random.coin() ? size : random.between(shorter, longer);
            cutStable();
            stableSize = size;
        }
        recount();
    }

    private void cutStable() {
        for (int page = (int) (size / PAGE_BYTES); page < stable.length; page++) {
            byte[] bytes = stable[page];
            int tail = (int) Math.max(0, Math.min(PAGE_BYTES, size - (long) page * PAGE_BYTES));
            if (bytes != null && tail == 0) {
                stable[page] = null;
            } else if (bytes != null && tail < PAGE_BYTES) {
                byte[] shortened = bytes.clone();
                Arrays.fill(shortened, tail, PAGE_BYTES, (byte) 0);
                stable[page] = shortened;
            }
        }
    }

    private void recount() {
        int now = 0;
        for (byte[] page : stable) {
            now += page != null ? 1 : 0;
        }
        disk.usedPages(now - allocatedPages);
        allocatedPages = now;
    }

    /** Clean pages leave the cache: after a failed sync, reads see the disk again. */
    void evict() {
        for (int page = 0; page < stable.length; page++) {
            if (tainted[page]
                    && dirty[page] == 0
                    && cached[page] != null
                    && disk.random().coin()) {
                cached[page] = null;
                tainted[page] = false;
                if (stable[page] == null) {
                    disk.givePage();
                    allocatedPages--;
                }
            }
        }
    }

    /** Flips a bit of a page where it is on the disk. Returns false if the page is not there or about to be written over. */
    boolean flip(int page, int bit) {
        byte[] bytes = page < stable.length ? stable[page] : null;
        if (bytes == null || absent[page] || dirty[page] != 0 || cached[page] != null) {
            return false;
        }
        byte[] changed = bytes.clone();
        changed[bit >>> 3] ^= (byte) (1 << (bit & 7));
        stable[page] = changed;
        return true;
    }

    /** Reading the page fails until it is written as a whole. Returns false if it is not on the disk. */
    boolean spoil(int page) {
        if (page >= stable.length || visible(page) == null) {
            return false;
        }
        unreadable[page] = true;
        return true;
    }

    void heal() {
        Arrays.fill(unreadable, false);
    }
}
