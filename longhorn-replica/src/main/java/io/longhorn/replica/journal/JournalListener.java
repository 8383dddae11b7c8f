package io.longhorn.replica.journal;

import java.io.IOException;

/** Told by a {@link Journal} on its loop. */
public interface JournalListener {

    /** Every record that ends at or before {@code position} is on stable storage. Once per sync that was asked for. */
    void durable(long position);

    /** {@link Journal#freeBytes} grew other than by {@link Journal#release}. */
    void spaceGrew();

    /** A write or sync failed: nothing appended since {@link Journal#durablePosition} counts, and the journal takes nothing more. Once. */
    void failed(IOException cause);
}
