/**
 * The journal of a disk: the records of all its replicas in the order of their arrival, in segment files that are made ahead and used again. It stamps and appends what was checked
 * before, says what is durable, finds at a start what an earlier run left, and tells damage from the end. It knows slots and positions, but neither replicas nor what a record does
 * to a volume: that is told to a {@link io.longhorn.replica.journal.JournalListener} and a {@link io.longhorn.replica.journal.RecoverySink}.
 *
 * <p>The format is in {@code docs/format/journal.md}. Read {@link io.longhorn.replica.journal.Journal} first, then {@code JournalRecovery}. Stands on {@code disk} and {@code wire}.
 */
@NullMarked
package io.longhorn.replica.journal;

import org.jspecify.annotations.NullMarked;
