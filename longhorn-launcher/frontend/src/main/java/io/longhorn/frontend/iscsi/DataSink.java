package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;

/** Where the data segment of a PDU goes while it arrives, piece by piece. */
interface DataSink {

    /** Drops it. */
    DataSink NOWHERE = (piece, length) -> piece.skipBytes(length);

    /** Reads exactly {@code length} bytes of the piece, which is borrowed. */
    void take(ByteBuf piece, int length);
}
