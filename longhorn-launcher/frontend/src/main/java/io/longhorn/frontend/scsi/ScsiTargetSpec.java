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
 * @param physicalBlockBytes what initiators are told to be the size of a physical block, {@link #LOGICAL_BLOCK_BYTES} or a power of two above it up to 64 KiB. It is a hint
 *     for alignment and changes nothing else
 */
public record ScsiTargetSpec(
        String name, int lun, BlockDevice device, ReservationStore reservations, int physicalBlockBytes) {

    /** The unit of addresses and lengths. */
    public static final int LOGICAL_BLOCK_BYTES = Cdb.BLOCK_BYTES;

    private static final int PHYSICAL_BLOCK_BYTES_MAX = 64 << 10;

    /** As Longhorn has it. */
    public static final int LUN_DEFAULT = 1;

    /** The largest LUN of peripheral device addressing (SAM-5 4.7.7.4). */
    public static final int LUN_MAX = 255;

    /**
     * As much as a logical block. What the volume likes, multiples of 4096 bytes, initiators learn from the optimal transfer length granularity. Larger physical blocks
     * would say it too, but then a test of libiscsi (GetLBAStatus.UnmapSingle) wants an answer of GET LBA STATUS that SBC-3 forbids and QEMU takes for an error.
     */
    public static final int PHYSICAL_BLOCK_BYTES_DEFAULT = LOGICAL_BLOCK_BYTES;

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
        if (Integer.bitCount(physicalBlockBytes) != 1
                || physicalBlockBytes < LOGICAL_BLOCK_BYTES
                || physicalBlockBytes > PHYSICAL_BLOCK_BYTES_MAX) {
            throw new IllegalArgumentException("physicalBlockBytes must be a power of two from " + LOGICAL_BLOCK_BYTES
                    + " to " + PHYSICAL_BLOCK_BYTES_MAX + ", was " + physicalBlockBytes);
        }
    }

    /** With physical blocks of {@link #PHYSICAL_BLOCK_BYTES_DEFAULT}. */
    public ScsiTargetSpec(String name, int lun, BlockDevice device, ReservationStore reservations) {
        this(name, lun, device, reservations, PHYSICAL_BLOCK_BYTES_DEFAULT);
    }

    /** With LUN {@link #LUN_DEFAULT} and physical blocks of {@link #PHYSICAL_BLOCK_BYTES_DEFAULT}. */
    public static ScsiTargetSpec of(String name, BlockDevice device, ReservationStore reservations) {
        return new ScsiTargetSpec(name, LUN_DEFAULT, device, reservations);
    }

    /** By how many powers of two physical blocks are larger than logical ones. */
    int physicalBlockExponent() {
        return Integer.numberOfTrailingZeros(physicalBlockBytes / LOGICAL_BLOCK_BYTES);
    }
}
