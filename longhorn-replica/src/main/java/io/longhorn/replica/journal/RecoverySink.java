package io.longhorn.replica.journal;

import java.nio.ByteBuffer;

/** Who takes what {@link Journal#recover} finds, in the order of the journal. The journal knows slots and sequences of no replica. */
public interface RecoverySink {

    /**
     * A valid record: header and blocks match their checksums. May be older than what the replica needs, may be of a slot that is gone, and may
     * not follow the replica's last record: then it is an orphan behind a gap, and is not of the history.
     *
     * @param position journal position of the frame
     * @param b borrowed until return; the frame stands at {@code at}
     */
    void record(long position, ByteBuffer b, int at);

    /** Durable records are lost; comes before the records behind it. Told again at every start until the segment is released. */
    void gap(JournalGap gap);
}
