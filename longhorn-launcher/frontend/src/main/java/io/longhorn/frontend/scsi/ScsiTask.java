package io.longhorn.frontend.scsi;

import io.netty.buffer.ByteBuf;

/** One command of an initiator. The arrays and buffers in it are borrowed until its {@link ScsiOutcome} is told. */
public final class ScsiTask {

    /** The shortest {@link #cdb}: a shorter command descriptor block is padded with zeroes. */
    public static final int CDB_BYTES_MIN = 16;

    private final InitiatorPort port;
    private final long lun;
    private final byte[] cdb;
    private final ByteBuf dataOut;
    private final long dataOutExpected;
    private final int dataInMax;

    /** As {@link #ScsiTask(InitiatorPort, long, byte[], ByteBuf, long, int)}, of an initiator that sent all it expected to send. */
    public ScsiTask(InitiatorPort port, long lun, byte[] cdb, ByteBuf dataOut, int dataInMax) {
        this(port, lun, cdb, dataOut, dataOut.readableBytes(), dataInMax);
    }

    /**
     * @param port who sent it
     * @param lun the 8 bytes of the logical unit number as they came, most significant first (SAM-5 4.7)
     * @param cdb the command descriptor block, {@link #CDB_BYTES_MIN} bytes or more
     * @param dataOut what the initiator sent, from the reader index; empty if nothing. Indices stay as they are
     * @param dataOutExpected how many bytes the initiator expected to send, the expected data transfer length of a write: perhaps more than
     *     {@link ScsiTarget#dataOutWanted}. Most commands are refused when it is not exactly what they want; WRITE writes what both sides have
     * @param dataInMax how many bytes the initiator takes, 0 or more
     */
    public ScsiTask(InitiatorPort port, long lun, byte[] cdb, ByteBuf dataOut, long dataOutExpected, int dataInMax) {
        if (cdb.length < CDB_BYTES_MIN) {
            throw new IllegalArgumentException("a CDB of " + cdb.length + " bytes, " + CDB_BYTES_MIN + " is the least");
        }
        this.port = port;
        this.lun = lun;
        this.cdb = cdb;
        this.dataOut = dataOut;
        this.dataOutExpected = dataOutExpected;
        this.dataInMax = dataInMax;
    }

    public InitiatorPort port() {
        return port;
    }

    public long lun() {
        return lun;
    }

    /** Not a copy. */
    public byte[] cdb() {
        return cdb;
    }

    public ByteBuf dataOut() {
        return dataOut;
    }

    public long dataOutExpected() {
        return dataOutExpected;
    }

    public int dataInMax() {
        return dataInMax;
    }
}
