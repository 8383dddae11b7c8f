package io.longhorn.replica.journal;

/**
 * A part of the journal where records were durable and are lost: damage.
 *
 * @param segment number
 * @param from journal position of the first invalid byte
 * @param to journal position behind the last one
 * @param slot whose record it is, where the record's header is still good; 0 if unknown: any replica may have had records here. A replica is untouched
 *     if a later record of it follows its last one before the gap without a missing sequence
 * @param reason for the log
 */
public record JournalGap(int segment, long from, long to, int slot, String reason) {}
