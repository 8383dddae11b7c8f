package io.longhorn.replica;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A layer's block map ({@code .map}): per block its {@link MapEntry} and CRC; see {@code docs/format/layer.md}.
 *
 * <p>Lookups belong to the loop and go through the {@link MapPageCache}. {@link #update} and {@link Walk} work on the file alone, so a worker may call
 * them between {@link LayerFiles#retain} and {@link LayerFiles#release}; the order is then: {@link #beginUpdate} on the loop, the work, {@link #endUpdate} on
 * the loop in the same turn in which the pending entries it made durable are dropped. One update of a map at a time.
 *
 * <p>A page is never overwritten in its only valid copy. Each update has a <em>generation</em>, greater than all before; a copy of a page that fails
 * its checksum is taken for a torn write only if its generation is beyond the last finished one, everything else is damage ({@link MapEntry#isDamaged} entries).
 */
@SuppressWarnings("DoNotCallSuggester")
final class BlockMap {

    /** Whether a new entry takes the place of the one that the map has. Called by the thread that updates. */
    interface Rule {
        boolean replaces(long block, long newEntry, long presentEntry);
    }

    /** Takes entries of a walk. */
    interface EntrySink {
        /** Takes the next entry; false stops the walk behind it. */
        boolean entry(long block, long entry, int crc) throws IOException;
    }

    /** For records: replay does nothing twice and copies never win over newer data. Damaged entries are replaced by anything. */
    static final Rule NEWER = (block, newEntry, presentEntry) -> supersedes(newEntry, presentEntry);

    /** For the caller who looked before, and for punching. */
    static final Rule ALWAYS = (block, newEntry, presentEntry) -> true;

    static boolean supersedes(long newEntry, long presentEntry) {
        return MapEntry.isDamaged(presentEntry) || MapEntry.sequence(newEntry) > MapEntry.sequence(presentEntry);
    }

    /** Blocks that the map has entries for. */
    long blocks() {
        throw new UnsupportedOperationException();
    }

    /** The page that holds {@code block}'s entry, valid until the loop's next call of any map; null if all its entries are absent. Loop only. */
    @Nullable
    MapPage page(long block) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** {@link MapEntry} of the block. Loop only. */
    long entry(long block) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Stored CRC of the block. Loop only. */
    int crc(long block) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** From now until {@link #endUpdate} lookups expect the file to change under them. Loop only. */
    void beginUpdate() {
        throw new UnsupportedOperationException();
    }

    /**
     * Writes the entries that {@code rule} lets through to the other copies of their pages. Not durable before {@link LayerFiles#syncMap}. Any one
     * thread.
     *
     * @return entries written
     */
    int update(MapUpdates updates, long generation, Rule rule) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** The update ended, well or not: pages of these blocks are read again. Loop only. */
    void endUpdate(MapUpdates updates) {
        throw new UnsupportedOperationException();
    }

    /**
     * Gives the entries of blocks in [fromBlock, toBlock) that are not absent, or were made absent by a discard, in ascending order, from the file, past the cache.
     * Regions that were never written cost nothing once they are known. Any thread, with the files retained; not beside an update of the same map.
     *
     * @param sinceSequence only entries with a greater sequence; damaged ones always
     * @return the block to go on from: {@code toBlock} at the end
     */
    long walk(long fromBlock, long toBlock, long sinceSequence, EntrySink sink) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Pages found damaged since the map was opened. */
    int damagedPages() {
        throw new UnsupportedOperationException();
    }
}
