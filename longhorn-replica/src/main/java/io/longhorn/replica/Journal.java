package io.longhorn.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The journal of a disk: records of all its replicas in the order of their arrival, in segment files that are made ahead and used again; see
 * {@code docs/format/journal.md}.
 *
 * <p>A <em>position</em> is segment number times segment size plus offset. It only grows.
 *
 * <p>Belongs to one loop, except {@link #read}.
 */
@SuppressWarnings("DoNotCallSuggester")
final class Journal {

    /** What became of an append. */
    enum Appended {
        /** Written, not durable. */
        DONE,
        /** No room; nothing was written. Only happens beyond what {@link Journal#freeBytes} promised. */
        FULL,
        /** The journal failed, now or before. */
        FAILED
    }

    /** Where a record lies now. */
    interface Placement {
        /**
         * A frame was written.
         *
         * @param frameOffset of the frame in the buffer that was appended
         * @param position of the frame in the journal
         */
        void placed(int frameOffset, long position);
    }

    /**
     * Opens the journal, makes it if there is none, and gives what it holds to {@code sink}. When this returns, everything given to the sink is durable,
     * and appends go to a segment that held nothing. Blocks; before the loop does anything else.
     *
     * @throws io.longhorn.ForeignFileException if a segment is of another disk or stands under another's name
     * @throws io.longhorn.FileTooNewException if a segment was written by a newer version
     */
    static Journal recover(
            DiskDirectory directory,
            JournalSettings settings,
            UUID diskId,
            DiskWorker worker,
            JournalListener listener,
            RecoverySink sink)
            throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Stamps the frames in [from, to) of {@code b}, which lie behind one another and were checked by the caller, and writes them behind the last record,
     * all or none. The buffer is borrowed for the call; its frames are changed in place. If one of them carries or allocates blocks, the reserve
     * stays untouched. Does not sync, allocates nothing.
     *
     * @param slot of the replica, not 0
     */
    Appended append(int slot, ByteBuffer b, int from, int to, Placement placement) {
        throw new UnsupportedOperationException();
    }

    /** Behind the last record. */
    long appendedPosition() {
        throw new UnsupportedOperationException();
    }

    /** Records that end at or before this are on stable storage. */
    long durablePosition() {
        throw new UnsupportedOperationException();
    }

    /**
     * Syncs everything appended so far, unless it is durable or the journal failed; the listener hears of the outcome. While a sync is under way, the
     * next one starts at its end, for everybody who asked meanwhile.
     */
    void requestSync() {
        throw new UnsupportedOperationException();
    }

    /** Why the journal takes nothing more; null while it works. */
    @Nullable
    IOException failure() {
        throw new UnsupportedOperationException();
    }

    /**
     * Fills the remaining bytes of {@code target} from {@code position}, within one segment. Any thread, as long as nobody releases the position.
     *
     * @throws IllegalStateException if the position was released
     */
    void read(long position, ByteBuffer target) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Nobody needs a record before {@code position} any more: its segments are used again. Must be durable knowledge of the replicas. */
    void release(long position) {
        throw new UnsupportedOperationException();
    }

    /** Start of the oldest segment that still holds records: nothing before is readable. */
    long oldestPosition() {
        throw new UnsupportedOperationException();
    }

    /**
     * Bytes of frames with blocks that {@link #append} surely takes now, in whatever portions; without the reserve and without segments that are still to be
     * made.
     */
    long freeBytes() {
        throw new UnsupportedOperationException();
    }

    /** What {@link #freeBytes} is when the journal is empty and all segments are made. */
    long capacityBytes() {
        throw new UnsupportedOperationException();
    }

    /** Closes the files, without sync. A sync under way still ends, its outcome is dropped. */
    void close() throws IOException {
        throw new UnsupportedOperationException();
    }
}
