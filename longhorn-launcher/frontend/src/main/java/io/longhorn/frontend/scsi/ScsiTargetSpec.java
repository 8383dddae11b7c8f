package io.longhorn.frontend.scsi;

import io.longhorn.frontend.BlockDevice;
import java.util.Objects;

/**
 * What a {@link ScsiTarget} serves.
 *
 * @param name of the target, an iSCSI name of 1 to {@link InitiatorPort#NAME_LENGTH_MAX} characters; reservations are kept under it
 * @param lun the number of the logical unit, 0 to {@link #LUN_MAX}. Unless it is 0, there is a LUN 0 without a device, which answers those who ask what there is
 * @param device what the logical unit holds
 * @param reservations where persistent reservations are kept
 */
public record ScsiTargetSpec(String name, int lun, BlockDevice device, ReservationStore reservations) {

    /** As Longhorn has it. */
    public static final int LUN_DEFAULT = 1;

    /** The largest LUN of peripheral device addressing (SAM-5 4.7.7.4). */
    public static final int LUN_MAX = 255;

    public ScsiTargetSpec {
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(reservations, "reservations");
        if (name.isEmpty() || name.length() > InitiatorPort.NAME_LENGTH_MAX) {
            throw new IllegalArgumentException(
                    "a target's name has 1 to " + InitiatorPort.NAME_LENGTH_MAX + " characters, not " + name.length());
        }
        if (lun < 0 || lun > LUN_MAX) {
            throw new IllegalArgumentException("lun must be 0 to " + LUN_MAX + ", was " + lun);
        }
    }

    /** With LUN {@link #LUN_DEFAULT}. */
    public static ScsiTargetSpec of(String name, BlockDevice device, ReservationStore reservations) {
        return new ScsiTargetSpec(name, LUN_DEFAULT, device, reservations);
    }
}
