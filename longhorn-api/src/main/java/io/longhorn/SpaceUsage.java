package io.longhorn;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The space that one in-sync replica of a volume takes. All replicas of a volume hold the same; with N replicas the sum
 * over all disks is N times as much.
 *
 * @param nominalBytes the size of the volume
 * @param actualBytes blocks that hold data in the head and all snapshots, without journal and metadata; may be below or
 *     above the nominal size
 * @param headBytes the part written since the newest snapshot
 * @param snapshotBytes by snapshot name, oldest first, the part that is kept by this snapshot alone; deleting it frees
 *     about that much
 */
public record SpaceUsage(long nominalBytes, long actualBytes, long headBytes, Map<String, Long> snapshotBytes) {

    public SpaceUsage {
        if (nominalBytes < 0 || actualBytes < 0 || headBytes < 0) {
            throw new IllegalArgumentException("negative: nominalBytes " + nominalBytes + ", actualBytes " + actualBytes
                    + ", headBytes " + headBytes);
        }
        snapshotBytes = Collections.unmodifiableMap(new LinkedHashMap<>(snapshotBytes));
    }
}
