package io.longhorn.replica;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.disk.SyncFailedException;
import io.longhorn.replica.layer.BlockMap;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.layer.MapUpdates;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One step of giving back the blocks of a removed layer that its only child overrides: looks through a part of both maps, or at the blocks that checkpoints brought into the child
 * since, takes them out of the layer's map, durably, and then gives back their space.
 */
final class LayerPunch implements LayerChanges.Change {
    /** Blocks of the volume that one step looks through, and so blocks that it punches at most. */
    private static final long STEP_BLOCKS = 64L * MapPage.ENTRIES;

    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final LayerNode node;
    private final LayerFiles files;
    private final LayerId child;
    private final LayerFiles childFiles;
    private final boolean scan;
    private final long from;
    private long scannedTo;
    private long[] candidates = new long[0];
    private final MapUpdates punched = new MapUpdates();
    private long dataBlocks;
    private long left;

    LayerPunch(
            ReplicaDisk disk,
            ReplicaState replica,
            LayerNode node,
            LayerFiles files,
            LayerId child,
            LayerFiles childFiles) {
        this.disk = disk;
        this.replica = replica;
        this.node = node;
        this.files = files;
        this.child = child;
        this.childFiles = childFiles;
        scan = !node.removal().isComparedFor(child);
        from = node.removal().comparedTo();
    }

    @Override
    public void begin(Runnable ended) throws IOException {
        if (!scan) {
            candidates = node.removal().takeOverridden();
        }
        files.retain();
        try {
            childFiles.retain();
        } catch (IOException | RuntimeException e) {
            files.release();
            throw e;
        }
        disk.worker().run(DiskWorker.Lane.CHECKPOINT, scan ? this::compareMaps : this::lookUp, failure -> {
            if (failure != null || punched.size() == 0) {
                over(failure, ended);
                return;
            }
            files.map().beginUpdate();
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, this::punch, punching -> {
                files.map().endUpdate(punched);
                node.countData(-dataBlocks);
                disk.resolved().clear();
                over(punching, ended);
            });
        });
    }

    // ------------------------------------------------------------------ worker

    /** The next part of both maps. */
    private void compareMaps() throws IOException {
        if (from == 0) {
            makeChildStable();
        }
        long blocks = files.map().blocks();
        long to = Math.min(blocks, from + STEP_BLOCKS);
        long[] mine = new long[(int) (to - from)];
        boolean[] data = new boolean[mine.length];
        int[] count = {0};
        long[] lost = {0};
        files.map().walk(from, to, 0, (block, entry, crc) -> {
            if (MapEntry.isDamaged(entry)) {
                lost[0]++;
            } else {
                data[count[0]] = MapEntry.isData(entry);
                mine[count[0]++] = block;
            }
            return true;
        });
        left = lost[0] + count[0];
        if (count[0] > 0) {
            int[] at = {0};
            childFiles.map().walk(from, Math.min(to, childFiles.map().blocks()), 0, (block, entry, crc) -> {
                while (at[0] < count[0] && mine[at[0]] < block) {
                    at[0]++;
                }
                if (at[0] < count[0] && mine[at[0]] == block && SnapshotRemoval.isOverridden(entry)) {
                    take(block, data[at[0]]);
                }
                return true;
            });
        }
        scannedTo = to == blocks ? -1 : to;
    }

    /** What the child's map says may be what a process that died left in the memory of the operating system: a merge. */
    private void makeChildStable() throws IOException {
        try {
            childFiles.syncData();
            childFiles.syncMap();
        } catch (IOException e) {
            throw new SyncFailedException("layer " + child, e);
        }
    }

    private void take(long block, boolean isData) {
        punched.add(block, MapEntry.ABSENT, 0);
        dataBlocks += isData ? 1 : 0;
        left--;
    }

    /** The blocks that are in the child's map since its maps were compared. */
    private void lookUp() throws IOException {
        for (int i = 0; i < candidates.length; ) {
            long page = MapPage.pageOf(candidates[i]);
            int end = i;
            while (end < candidates.length && MapPage.pageOf(candidates[end]) == page) {
                end++;
            }
            lookUpPage(page, i, end);
            i = end;
        }
    }

    private void lookUpPage(long page, int from, int to) throws IOException {
        long first = page * MapPage.ENTRIES;
        long end = Math.min(files.map().blocks(), first + MapPage.ENTRIES);
        boolean[] isOverridden = new boolean[MapPage.ENTRIES];
        childFiles.map().walk(first, Math.min(end, childFiles.map().blocks()), 0, (block, entry, crc) -> {
            isOverridden[(int) (block - first)] =
                    SnapshotRemoval.isOverridden(entry) && Arrays.binarySearch(candidates, from, to, block) >= 0;
            return true;
        });
        files.map().walk(first, end, 0, (block, entry, crc) -> {
            if (!MapEntry.isDamaged(entry) && isOverridden[(int) (block - first)]) {
                take(block, MapEntry.isData(entry));
            }
            return true;
        });
    }

    /** Out of the map first: a block whose entry stands must keep its bytes. */
    private void punch() throws IOException {
        files.map().update(punched, BlockMap.ALWAYS);
        try {
            files.syncMap();
        } catch (IOException e) {
            throw new SyncFailedException("the map of " + node, e);
        }
        for (int i = 0; i < punched.size(); ) {
            int end = i + 1;
            while (end < punched.size() && punched.block(end) == punched.block(end - 1) + 1) {
                end++;
            }
            files.punch(punched.block(i), end - i);
            i = end;
        }
    }

    // ------------------------------------------------------------------ loop

    private void over(@Nullable IOException failure, Runnable ended) {
        files.release();
        childFiles.release();
        if (failure != null) {
            node.removal().compareAgain();
            disk.layerChangeFailed("punching of " + node + " of " + replica, failure);
            disk.removal().pause();
        } else if (scan) {
            node.removal().compared(from, left);
            if (scannedTo < 0) {
                node.removal().comparedFor(child);
            } else {
                node.removal().comparedTo(scannedTo);
            }
        }
        ended.run();
    }
}
