package io.longhorn.replica.layer;

import io.longhorn.replica.disk.CachedFile;
import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A layer's block map ({@code .map}): per block its {@link MapEntry} and CRC; see {@code docs/format/layer.md}.
 *
 * <p>Lookups belong to the loop and go through the {@link MapPageCache}. {@link #update} works on the file alone, on a worker, between
 * {@link LayerFiles#retain} and {@link LayerFiles#release}; the order is: {@link #beginUpdate} on the loop, the work, {@link #endUpdate} on
 * the loop, and only then are the pending entries dropped that it made durable. One update of a map at a time.
 *
 * <p>A page is never overwritten in its only valid copy. A copy that fails its checksum beside a good one is a torn write only where a torn write can be: in a
 * page that the journal still has records for ({@link #expectTorn}), or that is being written now. Everything else is damage: the page's entries are
 * {@link MapEntry#DAMAGED}, never absent.
 */
public final class BlockMap {

    /** Whether a new entry takes the place of the one that the map has. Called by the thread that updates. */
    public interface Rule {
        boolean replaces(long block, long newEntry, long presentEntry);
    }

    /** Takes entries of a walk. */
    public interface EntrySink {
        /** Takes the next entry; false stops the walk behind it. */
        boolean entry(long block, long entry, int crc) throws IOException;
    }

    /** For records: replay does nothing twice and copies never win over newer data. Damaged entries are replaced by anything. */
    static final Rule NEWER = (block, newEntry, presentEntry) -> supersedes(newEntry, presentEntry);

    /** For the caller who looked before, and for punching. */
    public static final Rule ALWAYS = (block, newEntry, presentEntry) -> true;

    /** Bytes of a page's two copies in the file. */
    static final int PAGE_FILE_BYTES = MapPagePair.BYTES;

    private static final Logger LOG = LoggerFactory.getLogger(BlockMap.class);
    private final CachedFile file;
    private final MapPageCache cache;
    private final int number;
    private final LayerId layer;
    private final UUID replicaId;
    /** Pages known to be absent, so that nobody reads holes twice. A page leaves the set before it is written. */
    private volatile PageSet absent;

    private volatile long blocks;
    /** Pages that a crash, or a write that failed, may have torn. */
    private volatile PageSet torn;

    private volatile boolean tornAnywhere;
    /** Odd while an update is under way. Changed by the loop. */
    private volatile int updates;

    private final AtomicInteger damagedPages = new AtomicInteger();

    BlockMap(CachedFile file, MapPageCache cache, LayerId layer, UUID replicaId, long blocks) {
        this.file = file;
        this.cache = cache;
        this.layer = layer;
        this.replicaId = replicaId;
        this.blocks = blocks;
        number = cache.register();
        absent = new PageSet(pages(blocks));
        torn = new PageSet(pages(blocks));
    }

    static boolean supersedes(long newEntry, long presentEntry) {
        return MapEntry.isDamaged(presentEntry) || MapEntry.sequence(newEntry) > MapEntry.sequence(presentEntry);
    }

    /** Length of the file of a map for that many blocks. */
    static long fileBytes(long blocks) {
        return pages(blocks) * PAGE_FILE_BYTES;
    }

    private static long pages(long blocks) {
        return (blocks + MapPage.ENTRIES - 1) / MapPage.ENTRIES;
    }

    /** Blocks that the map has entries for. */
    public long blocks() {
        return blocks;
    }

    /** More blocks; the file was made longer. Loop only, not beside an update. */
    void blocks(long more) {
        absent = absent.resized(pages(more));
        torn = torn.resized(pages(more));
        blocks = more;
    }

    /**
     * The journal has a record of these blocks for this layer that may not be checkpointed: a checkpoint of it may have torn their pages. For all such records,
     * before the first lookup. Loop only.
     */
    public void expectTorn(long firstBlock, long count) {
        long last = MapPage.pageOf(Math.min(firstBlock + count, blocks) - 1);
        for (long page = MapPage.pageOf(firstBlock); page <= last; page++) {
            torn.add(page);
        }
    }

    /** Any page may be torn: a rebuild was writing, and will be repeated. Before the first lookup. Loop only. */
    public void expectTornAnywhere() {
        tornAnywhere = true;
    }

    /** The page that holds {@code block}'s entry, valid until the loop's next call of any map; null if all its entries are absent. Loop only. */
    @Nullable
    public MapPage page(long block) throws IOException {
        long page = pageChecked(block);
        if (absent.contains(page)) {
            return null;
        }
        MapPage present = cache.get(number, page);
        return present != null ? present : load(page);
    }

    /** {@link MapEntry} of the block. Loop only. */
    public long entry(long block) throws IOException {
        MapPage page = page(block);
        return page == null ? MapEntry.ABSENT : page.entry(MapPage.indexOf(block));
    }

    /** Stored CRC of the block. Loop only. */
    int crc(long block) throws IOException {
        MapPage page = page(block);
        return page == null ? 0 : page.crc(MapPage.indexOf(block));
    }

    private @Nullable MapPage load(long page) throws IOException {
        boolean calm = !isUpdating();
        MapPagePair pair = cache.pair();
        pair.read(file.file(), page);
        MapPagePair.Verdict verdict = settle(pair.judge(page, layer, replicaId), page, calm);
        switch (verdict) {
            case ABSENT -> {
                noteAbsent(page, updates);
                return null;
            }
            case GOOD -> {
                // A page that is being written may be the old one or the new one; it is not kept.
                MapPage kept = calm ? cache.put(number, page) : cache.spare();
                kept.copyFrom(pair.newest());
                return kept;
            }
            default -> {
                noteDamage(page);
                MapPage kept = calm ? cache.put(number, page) : cache.spare();
                kept.fill(MapEntry.DAMAGED);
                return kept;
            }
        }
    }

    /** Turns the conditional verdicts into ABSENT, GOOD or DAMAGED. */
    private MapPagePair.Verdict settle(MapPagePair.Verdict verdict, long page, boolean calm) {
        return switch (verdict) {
            case GOOD_IF_TORN ->
                tornWriteIsPossible(page, calm) ? MapPagePair.Verdict.GOOD : MapPagePair.Verdict.DAMAGED;
            case ABSENT_IF_TORN ->
                tornWriteIsPossible(page, calm) ? MapPagePair.Verdict.ABSENT : MapPagePair.Verdict.DAMAGED;
            default -> verdict;
        };
    }

    private boolean tornWriteIsPossible(long page, boolean calm) {
        return !calm || tornAnywhere || torn.contains(page);
    }

    private void noteDamage(long page) {
        if (damagedPages.incrementAndGet() == 1) {
            LOG.warn(
                    "a block map has a damaged page file={} page={} firstBlock={}",
                    file.name(),
                    page,
                    page * MapPage.ENTRIES);
        }
    }

    /**
     * From now until {@link #endUpdate} lookups expect the file to change under them. Loop only. Holds a lock for a moment, so that a walk that saw a page absent
     * either says so before or not at all.
     */
    public synchronized void beginUpdate() {
        if (isUpdating()) {
            throw new IllegalStateException("two updates of " + file.name() + " at a time");
        }
        updates = updates + 1;
    }

    private boolean isUpdating() {
        return (updates & 1) != 0;
    }

    /**
     * Writes the entries that {@code rule} lets through to the older copies of their pages. Not durable before {@link LayerFiles#syncMap}. Worker, with the
     * files retained.
     *
     * @return entries written
     */
    public int update(MapUpdates entries, Rule rule) throws IOException {
        if (!isUpdating()) {
            throw new IllegalStateException("update of " + file.name() + " without beginUpdate");
        }
        DiskFile target = file.file();
        int written = 0;
        int from = 0;
        while (from < entries.size()) {
            long page = pageChecked(entries.block(from));
            int to = from + 1;
            while (to < entries.size() && MapPage.pageOf(entries.block(to)) == page) {
                to++;
            }
            written += updatePage(target, page, entries, from, to, rule);
            from = to;
        }
        return written;
    }

    private int updatePage(DiskFile target, long page, MapUpdates entries, int from, int to, Rule rule)
            throws IOException {
        MapPagePair pair = entries.pair();
        pair.read(target, page);
        // Nobody else writes, so nothing is torn here but by a crash.
        MapPagePair.Verdict judged = pair.judge(page, layer, replicaId);
        MapPagePair.Verdict verdict = settle(judged, page, true);
        MapPage changed = pair.oldest();
        switch (verdict) {
            case ABSENT -> changed.fill(MapEntry.ABSENT);
            case GOOD -> changed.copyFrom(pair.newest());
            default -> {
                markDamaged(target, page, pair);
                changed.copyFrom(pair.newest());
            }
        }
        int written = apply(changed, entries, from, to, rule);
        if (written > 0) {
            long counter = pair.counterMax(page, layer, replicaId) + 1;
            changed.seal(counter, page, layer, replicaId);
            absent.remove(page);
            file.changed();
            try {
                pair.writeOldest(target, page);
            } catch (IOException e) {
                // Part of it may stand there now, and the page is still the other copy.
                torn.add(page);
                throw e;
            }
        }
        if (written > 0 || judged == verdict) {
            // No copy is torn any more; what is wrong with the page from now on is damage.
            torn.remove(page);
        }
        return written;
    }

    /**
     * Writes down that the page's entries are lost, in place of a copy that no longer counts, and makes that durable before the other copy changes. Without
     * this, a crash while the other copy is written would leave the outdated one as the page.
     */
    private void markDamaged(DiskFile target, long page, MapPagePair pair) throws IOException {
        noteDamage(page);
        long counter = pair.counterMax(page, layer, replicaId) + 1;
        pair.newest().fill(MapEntry.DAMAGED);
        pair.newest().seal(counter, page, layer, replicaId);
        file.changed();
        pair.writeNewest(target, page);
        target.sync();
    }

    private static int apply(MapPage page, MapUpdates entries, int from, int to, Rule rule) {
        int written = 0;
        for (int i = from; i < to; i++) {
            int index = MapPage.indexOf(entries.block(i));
            if (rule.replaces(entries.block(i), entries.entry(i), page.entry(index))) {
                page.set(index, entries.entry(i), entries.crc(i));
                written++;
            }
        }
        return written;
    }

    /** The update ended, well or not: the pages of these blocks are read again. Loop only. */
    public synchronized void endUpdate(MapUpdates entries) {
        if (!isUpdating()) {
            throw new IllegalStateException("no update of " + file.name());
        }
        long last = -1;
        for (int i = 0; i < entries.size(); i++) {
            long page = MapPage.pageOf(entries.block(i));
            if (page != last) {
                cache.remove(number, page);
                last = page;
            }
        }
        updates = updates + 1;
    }

    /**
     * Gives the entries of blocks in [fromBlock, toBlock) with a sequence greater than {@code sinceSequence}, and all damaged ones, in ascending order, from
     * the file, past the cache. Regions that were never written cost nothing once they are known. Loop, or any thread with the files retained; beside an update
     * it gives for each page what it was before or after.
     *
     * @return the block to go on from: {@code toBlock} at the end
     */
    public long walk(long fromBlock, long toBlock, long sinceSequence, EntrySink sink) throws IOException {
        ByteBuffer bytes = cache.takeWalkBuffer();
        try {
            return walk(bytes, fromBlock, toBlock, sinceSequence, sink);
        } finally {
            cache.giveWalkBuffer(bytes);
        }
    }

    private long walk(ByteBuffer bytes, long fromBlock, long toBlock, long sinceSequence, EntrySink sink)
            throws IOException {
        long end = Math.min(toBlock, blocks);
        long block = fromBlock;
        while (block < end) {
            long page = MapPage.pageOf(block);
            if (absent.contains(page)) {
                block = (page + 1) * MapPage.ENTRIES;
                continue;
            }
            long next = walkPages(bytes, block, end, sinceSequence, sink);
            if (next < 0) {
                return -next;
            }
            block = next;
        }
        return Math.max(fromBlock, toBlock);
    }

    /** Walks through as many pages as one reading takes; where to go on, negative if the sink stopped. */
    private long walkPages(ByteBuffer bytes, long from, long end, long sinceSequence, EntrySink sink)
            throws IOException {
        long firstPage = MapPage.pageOf(from);
        int count = (int) Math.min(MapPageCache.WALK_PAGES, MapPage.pageOf(end - 1) + 1 - firstPage);
        int before = updates;
        long dataPage = file.file().nextData(firstPage * PAGE_FILE_BYTES) / PAGE_FILE_BYTES;
        if (dataPage > firstPage) {
            return passHole(firstPage, dataPage, end, before);
        }
        boolean readable = readPages(bytes, firstPage, count);
        boolean calm = before == updates && (before & 1) == 0;
        long block = from;
        for (int i = 0; i < count; i++) {
            long page = firstPage + i;
            MapPagePair pair = new MapPagePair(bytes.slice(i * PAGE_FILE_BYTES, PAGE_FILE_BYTES));
            if (!readable) {
                pair.read(file.file(), page);
            }
            MapPagePair.Verdict verdict = settle(pair.judge(page, layer, replicaId), page, calm);
            long pageEnd = Math.min(end, (page + 1) * MapPage.ENTRIES);
            if (verdict == MapPagePair.Verdict.ABSENT) {
                noteAbsent(page, before);
                block = pageEnd;
                continue;
            }
            if (verdict == MapPagePair.Verdict.DAMAGED) {
                noteDamage(page);
                pair.newest().fill(MapEntry.DAMAGED);
            }
            for (; block < pageEnd; block++) {
                int index = MapPage.indexOf(block);
                long entry = pair.newest().entry(index);
                boolean wanted = MapEntry.isDamaged(entry) || MapEntry.sequence(entry) > sinceSequence;
                if (wanted && !sink.entry(block, entry, pair.newest().crc(index))) {
                    return -(block + 1);
                }
            }
        }
        return block;
    }

    /** Whether the disk can read them all in one piece. */
    private boolean readPages(ByteBuffer bytes, long firstPage, int count) throws IOException {
        bytes.clear().limit(count * PAGE_FILE_BYTES);
        try {
            file.file().read(firstPage * PAGE_FILE_BYTES, bytes);
            return true;
        } catch (ClosedChannelException e) {
            throw e;
        } catch (IOException e) {
            LOG.debug("pages of a block map are read one by one file={}", file.name(), e);
            return false;
        }
    }

    /** Goes over pages that the file has no space for. */
    private long passHole(long fromPage, long dataPage, long end, int before) {
        long toPage = Math.min(dataPage, MapPage.pageOf(end - 1) + 1);
        for (long page = fromPage; page < toPage; page++) {
            noteAbsent(page, before);
        }
        return Math.min(end, toPage * MapPage.ENTRIES);
    }

    /** Remembers an absent page unless an update began since the file was read: it may have been written meanwhile. */
    private synchronized void noteAbsent(long page, int before) {
        if ((before & 1) == 0 && before == updates) {
            absent.add(page);
        }
    }

    /** Pages found damaged since the map was opened, each time one was. */
    public int damagedPages() {
        return damagedPages.get();
    }

    private long pageChecked(long block) {
        if (block < 0 || block >= blocks) {
            throw new IllegalArgumentException("block " + block + " of a map of " + blocks + " blocks");
        }
        return MapPage.pageOf(block);
    }
}
