package io.longhorn.replica.transport;

import java.io.IOException;

/**
 * How bytes get from the queue of frames to a socket and from the socket to the frames: as they are, or encrypted. Belongs to the connection's
 * loop, whose buffers come in with each call. An exception ends the connection.
 */
interface SocketWire {

    /** Takes the first steps. Returns whether frames can go both ways already. */
    boolean begin(NioLoop loop) throws IOException;

    /** Reads once and hands over what became whole. */
    Progress read(NioLoop loop) throws IOException;

    /** Writes what is queued, until everything has left or the socket takes no more. */
    void write(NioLoop loop) throws IOException;

    /** Whether {@link #write} shall be called when the socket takes more. */
    boolean wantsToWrite();

    /** Whether {@link #read} may be called now. */
    boolean wantsToRead();

    /** Bytes taken from the queue of frames that have not left. */
    int bytesUnderway();

    /** What tells the peer that the end is meant, behind the last frame. */
    void writeEnd(NioLoop loop) throws IOException;

    /** Keeps nothing of the present loop's memory any more. Nothing is underway to the peer. */
    void leaveLoop();

    /** On the next loop, hands over what was kept. */
    void arriveAtLoop(NioLoop loop) throws IOException;

    /** Gives memory back; the end. */
    void release();

    /** What a read found. */
    enum Progress {
        /** There may be more. */
        MORE,
        /** Nothing more now. */
        DRAINED,
        /** The peer has closed its side. */
        ENDED
    }
}
