package io.longhorn.frontend.scsi;

import io.longhorn.frontend.BlockDevice;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * One target with one unit, and what initiators hold of it. Any thread may call every method. A target is idle without threads; what may block runs on one worker thread,
 * which lasts a few seconds beyond its work.
 */
public final class ScsiTarget implements AutoCloseable {

    /** The longest data, in bytes, that one command moves in either direction; the Block Limits page tells it. */
    public static final int TRANSFER_BYTES_MAX = 4 << 20;

    static final int TRANSFER_BLOCKS_MAX = TRANSFER_BYTES_MAX >> Cdb.BLOCK_SHIFT;

    /** How many commands may wait for the worker; those beyond end with BUSY. */
    private static final int WORK_MAX = 256;

    private static final int WORKER_IDLE_SECONDS = 5;
    private static final int FLAT_SPACE = 1;

    private final ScsiTargetSpec spec;
    private final ThreadPoolExecutor worker;
    private final LogicalUnit unit;

    /**
     * Loads the reservations that were kept; blocks for that.
     *
     * @throws ReservationsUnreadableException if there are some that cannot be read
     */
    public ScsiTarget(ScsiTargetSpec spec) {
        this.spec = spec;
        this.worker = new ThreadPoolExecutor(
                1, 1, WORKER_IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(WORK_MAX), work -> {
                    Thread thread =
                            new Thread(work, "longhorn-scsi-" + spec.device().name());
                    thread.setDaemon(true);
                    return thread;
                });
        this.worker.allowCoreThreadTimeOut(true);
        this.unit = new LogicalUnit(spec, worker);
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
        SupportedCommand supported = CommandTable.find(cdb);
        long wanted = supported == null ? 0 : supported.dataOut().applyAsLong(cdb);
        return wanted > TRANSFER_BYTES_MAX ? 0 : (int) wanted;
    }

    /** Runs one command. Never throws, never blocks; the outcome is told exactly once, on any thread. */
    public void execute(ScsiTask task, ScsiOutcome outcome) {
        int number = number(task.lun());
        if (number == spec.lun()) {
            unit.execute(task, outcome);
        } else {
            AbsentUnit.execute(spec, number == 0, task, outcome);
        }
    }

    /** Runs {@code task} when the outcomes that come together have been told, or at once; as {@link BlockDevice#afterCompletions}. */
    public void afterOutcomes(Runnable task) {
        spec.device().afterCompletions(task);
    }

    /** The number that a LUN means, -1 for those that no unit can have. Both forms of it count that initiators use for small numbers (SAM-5 4.7.7.2, 4.7.7.3). */
    private static int number(long lun) {
        int method = (int) (lun >>> 62);
        int number = (int) (lun >>> 48) & (method == FLAT_SPACE ? 0x3fff : 0xffff);
        boolean onlyFirstLevel = lun << 16 == 0;
        boolean known = method == FLAT_SPACE || number <= ScsiTargetSpec.LUN_MAX;
        return onlyFirstLevel && known ? number : -1;
    }

    /** The session of this port ended: its unit attentions, and what else lives as long as an I_T nexus, are dropped. */
    public void nexusLost(InitiatorPort port) {
        unit.nexusLost(port);
    }

    /**
     * An initiator ended the commands of all others (CLEAR TASK SET): they are told by a unit attention.
     *
     * @param lun as in {@link ScsiTask#lun}
     */
    public void taskSetCleared(InitiatorPort by, long lun) {
        if (hasLun(lun)) {
            unit.attentionToOthers(by, SenseCode.COMMANDS_CLEARED_BY_ANOTHER_INITIATOR);
        }
    }

    /**
     * LOGICAL UNIT RESET (SAM-5 7.7): mode parameters and RESERVE(6) are gone, persistent reservations stay, everybody gets a unit attention. The commands themselves are
     * the transport's to end.
     *
     * @param lun as in {@link ScsiTask#lun}
     * @return whether there is such a logical unit
     */
    public boolean logicalUnitReset(long lun) {
        if (!hasLun(lun)) {
            return false;
        }
        unit.reset();
        return true;
    }

    /** TARGET WARM RESET and TARGET COLD RESET: a reset of every logical unit. */
    public void targetReset() {
        unit.reset();
    }

    /** Whether there is a logical unit of that number, as in {@link ScsiTask#lun}; task management asks. */
    public boolean hasLun(long lun) {
        return number(lun) == spec.lun();
    }

    /** Stops listening to the device. Commands in flight end as usual. Closes neither the device nor the store. */
    @Override
    public void close() {
        unit.close();
        worker.shutdown();
    }
}
