package io.longhorn.frontend.scsi;

/** What a command is to somebody's reservation (SPC-4 tables 66 and 67, SBC-3 table 14). */
enum Access {

    /** Runs whatever is reserved, and whatever unit attention is pending. */
    ALWAYS,

    /** Runs in the presence of every persistent reservation, but not while others hold the unit by RESERVE(6). */
    FREE,

    /** RELEASE(6), which runs even then, and does nothing. */
    RELEASE,

    /** PERSISTENT RESERVE OUT, which sees for itself, and is nothing that preempting could have to wait for. */
    RESERVE,

    /** Conflicts with exclusive access of others. */
    READ,

    /** Conflicts with exclusive access and with write exclusive of others. */
    WRITE
}
