package io.longhorn.frontend.iscsi;

/** What a connection is doing: logging in, or what it logged in for. Event loop only. */
interface Phase extends PduReader.Listener {

    /** No more is there to be read for now: answers what is to be answered. Flushing is the caller's. */
    default void readComplete() {}

    /** The connection takes more. */
    default void writable() {}

    /** The connection is gone. */
    void closed();
}
