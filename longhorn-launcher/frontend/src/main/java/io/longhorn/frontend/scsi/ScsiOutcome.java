package io.longhorn.frontend.scsi;

import io.netty.buffer.ByteBuf;

/** Is told how a {@link ScsiTask} ended: one call of one method, on any thread, perhaps before {@link ScsiTarget#execute} returns. It must not block and not throw. */
public interface ScsiOutcome {

    /** What data of reads leaves free in front of it, for a transport's header. */
    int HEADROOM_BYTES = 64;

    /**
     * Status GOOD.
     *
     * @param dataIn what the command answers, from the reader index; empty for nothing. The callee owns it and releases it. What is in front of the
     *     reader index is free, at least {@link #HEADROOM_BYTES} if the data was read from the device. It may be shorter or longer than what the
     *     initiator takes: the transport sends what fits, and tells the residual
     */
    void good(ByteBuf dataIn);

    /**
     * Any other status; the command answers no data.
     *
     * @param scsiStatus a status code of SAM-5 5.3.1, see {@link ScsiStatus}
     * @param sense complete sense data without a length in front of it, empty if the status has none; read-only, since it may be shared
     */
    void status(int scsiStatus, byte[] sense);
}
