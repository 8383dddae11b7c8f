package io.longhorn.backup;

import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Which blocks of a snapshot have to be looked at: those that may differ from the base, or all that hold data. Comes from block maps and reads no data; a bit for each block.
 *
 * @param blocks by their number
 * @param base the backup that all others are taken over from
 */
record BackupPlan(BitSet blocks, int blockBytes, Optional<BackupConfig> base) {

    /** Everything. */
    static BackupPlan full(Snapshot snapshot, int blockBytes) {
        BitSet blocks = new BitSet();
        long at = 0;
        while (at < snapshot.sizeBytes()) {
            List<Extent> extents = snapshot.allocation(at, snapshot.sizeBytes() - at);
            for (Extent extent : extents) {
                if (extent.state() == ExtentState.DATA) {
                    mark(blocks, extent, blockBytes);
                }
                at = extent.endBytes();
            }
        }
        return new BackupPlan(blocks, blockBytes, Optional.empty());
    }

    /** What may differ from the base, which is a backup of {@code older}. */
    static BackupPlan since(Snapshot snapshot, Snapshot older, BackupConfig base) {
        int blockBytes = base.blockBytes();
        BitSet blocks = new BitSet();
        long at = 0;
        List<Extent> extents;
        do {
            extents = snapshot.changedSince(older, at, snapshot.sizeBytes() - at);
            for (Extent extent : extents) {
                mark(blocks, extent, blockBytes);
                at = extent.endBytes();
            }
        } while (extents.size() >= Volume.EXTENTS_MAX && at < snapshot.sizeBytes());
        return new BackupPlan(blocks, blockBytes, Optional.of(base));
    }

    private static void mark(BitSet blocks, Extent extent, int blockBytes) {
        blocks.set(
                (int) (extent.offsetBytes() / blockBytes), (int) ((extent.endBytes() + blockBytes - 1) / blockBytes));
    }
}
