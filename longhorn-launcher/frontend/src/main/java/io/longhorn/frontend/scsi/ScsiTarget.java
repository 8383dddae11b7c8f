package io.longhorn.frontend.scsi;

import io.netty.buffer.Unpooled;

/** One target: its logical units, and what initiators hold of them. Any thread. */
public final class ScsiTarget implements AutoCloseable {

    /** The longest data, in bytes, that one command moves in either direction; the Block Limits page tells it. */
    public static final int TRANSFER_BYTES_MAX = 4 << 20;

    private final ScsiTargetSpec spec;

    /** Loads the reservations that were kept; blocks for that. */
    public ScsiTarget(ScsiTargetSpec spec) {
        this.spec = spec;
    }

    /** The name of the target. */
    public String name() {
        return spec.name();
    }

    /**
     * How many bytes of data a command descriptor block asks the initiator to send; 0 for commands that take none, and for those that would be refused anyway. Not above
     * {@link #TRANSFER_BYTES_MAX}. A transport solicits no more than this, reports the difference to what the initiator expected as residual, and hands over less if the
     * initiator has less.
     *
     * @param cdb {@link ScsiTask#CDB_BYTES_MIN} bytes or more
     */
    public static int dataOutWanted(byte[] cdb) {
        return 0;
    }

    /** Runs one command. Never throws, never blocks; the outcome is told exactly once, on any thread. */
    public void execute(ScsiTask task, ScsiOutcome outcome) {
        outcome.good(Unpooled.EMPTY_BUFFER);
    }

    /** The session of this port ended: its unit attentions, and what else lives as long as an I_T nexus, are dropped. */
    public void nexusLost(InitiatorPort port) {}

    /**
     * Another initiator's commands were ended (CLEAR TASK SET): every other port of the logical unit is told by a unit attention.
     *
     * @param lun as in {@link ScsiTask#lun}
     */
    public void taskSetCleared(InitiatorPort by, long lun) {}

    /**
     * LOGICAL UNIT RESET (SAM-5 7.7). The commands themselves are the transport's to end.
     *
     * @param lun as in {@link ScsiTask#lun}
     * @return whether there is such a logical unit
     */
    public boolean logicalUnitReset(long lun) {
        return true;
    }

    /** TARGET WARM RESET and TARGET COLD RESET: a reset of every logical unit. */
    public void targetReset() {}

    /** Whether there is a logical unit of that number, as in {@link ScsiTask#lun}; task management asks. */
    public boolean hasLun(long lun) {
        return true;
    }

    /** Stops listening to the device. Commands in flight end as usual. Closes neither the device nor the store. */
    @Override
    public void close() {}
}
