package io.longhorn.replica.layer;

import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.UUID;

/**
 * Room for the two copies that a map's file keeps of a page, and the decision which of them counts. Page p lies at 2p and 2p + 1 times 4096. Reusable, one
 * thread at a time.
 *
 * <p>A copy that does not match its checksum is either a write that a crash tore, then the other copy is the page as it was before and the journal still has
 * what the write would have brought; or it is damage, and then the other copy is old and must not be believed. Only the reader knows whether a torn write is
 * possible here: if the journal still has records for the page, or the page is being written right now.
 */
final class MapPagePair {
    static final int BYTES = 2 * MapPage.BYTES;

    /** What the copies say together. */
    enum Verdict {
        /** Never written: all entries absent. */
        ABSENT,
        /** {@link #newest} holds the page. */
        GOOD,
        /** As GOOD or ABSENT, provided that the other copy is a torn write. */
        GOOD_IF_TORN,
        ABSENT_IF_TORN,
        /** The page is lost. */
        DAMAGED
    }

    private final ByteBuffer both;
    private final MapPage first;
    private final MapPage second;
    private boolean secondIsNewest;

    MapPagePair() {
        this(ByteBuffer.allocateDirect(BYTES));
    }

    /** A pair in the {@link #BYTES} bytes of {@code both}, which it owns from now on. */
    MapPagePair(ByteBuffer both) {
        this.both = both;
        first = new MapPage(both.slice(0, MapPage.BYTES));
        second = new MapPage(both.slice(MapPage.BYTES, MapPage.BYTES));
    }

    /** Fills both copies from the map's file. A copy that the disk cannot read is a bad one. */
    void read(DiskFile file, long page) throws IOException {
        both.clear();
        try {
            file.read(page * BYTES, both);
        } catch (ClosedChannelException e) {
            throw e;
        } catch (IOException e) {
            readCopy(file, position(page, false), first);
            readCopy(file, position(page, true), second);
        }
    }

    private static void readCopy(DiskFile file, long position, MapPage copy) {
        copy.bytes().clear();
        try {
            file.read(position, copy.bytes());
        } catch (IOException e) {
            copy.fill(MapEntry.DAMAGED);
            copy.bytes().putInt(MapPage.MAGIC_OFFSET, ~MapPage.MAGIC);
        }
    }

    /** Decides over the copies that were read. */
    Verdict judge(long page, LayerId layer, UUID replicaId) {
        boolean firstGood = first.headerMatches(page, layer, replicaId) && first.contentMatches();
        boolean secondGood = second.headerMatches(page, layer, replicaId) && second.contentMatches();
        if (firstGood && secondGood) {
            secondIsNewest = second.counter() > first.counter();
            return Verdict.GOOD;
        }
        if (!firstGood && !secondGood) {
            boolean firstZero = first.isZero();
            boolean secondZero = second.isZero();
            // A bad copy beside a zeroed one is the one to write over.
            secondIsNewest = secondZero;
            return firstZero && secondZero
                    ? Verdict.ABSENT
                    : firstZero || secondZero ? Verdict.ABSENT_IF_TORN : Verdict.DAMAGED;
        }
        secondIsNewest = secondGood;
        MapPage bad = oldest();
        boolean badWasOlder = bad.headerMatches(page, layer, replicaId) && bad.counter() < newest().counter();
        return badWasOlder || bad.isZero() ? Verdict.GOOD : Verdict.GOOD_IF_TORN;
    }

    /** The copy that counts, if one does. */
    MapPage newest() {
        return secondIsNewest ? second : first;
    }

    /** The copy that the next write may go over. */
    MapPage oldest() {
        return secondIsNewest ? first : second;
    }

    /** The greatest counter of a copy whose header is whole, 0 if none is. */
    long counterMax(long page, LayerId layer, UUID replicaId) {
        long a = first.headerMatches(page, layer, replicaId) ? first.counter() : 0;
        long b = second.headerMatches(page, layer, replicaId) ? second.counter() : 0;
        return Math.max(a, b);
    }

    /** Writes {@link #oldest} to its place in the file: the ordinary case. */
    void writeOldest(DiskFile file, long page) throws IOException {
        oldest().bytes().clear();
        file.write(position(page, !secondIsNewest), oldest().bytes());
    }

    /** Writes {@link #newest} to its place in the file: only where that copy does not count any more. */
    void writeNewest(DiskFile file, long page) throws IOException {
        newest().bytes().clear();
        file.write(position(page, secondIsNewest), newest().bytes());
    }

    private static long position(long page, boolean ofSecond) {
        return page * BYTES + (ofSecond ? MapPage.BYTES : 0);
    }
}
