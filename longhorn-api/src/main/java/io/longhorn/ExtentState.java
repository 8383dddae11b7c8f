package io.longhorn;

/** What a range of blocks holds. */
public enum ExtentState {

    /** Written data; takes space. */
    DATA,

    /** Reads as zeroes because zeroes were written or the range was discarded. */
    ZEROED,

    /** Reads as zeroes because it was never written. */
    ABSENT
}
