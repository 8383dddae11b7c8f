package io.longhorn.replica.layer;

import io.longhorn.replica.disk.MemoryDisk;
import io.longhorn.replica.disk.OpenFiles;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.util.UUID;

/** A layer on a {@link MemoryDisk}. */
public final class LayerRig {
    public static final UUID REPLICA = new UUID(0xe0e1e2e3e4e5e6e7L, 0xf0f1f2f3f4f5f6f7L);
    public static final String PLACE = "replicas/orders-e0e1e2e3";
    static final LayerId LAYER = new LayerId(5, 900);
    static final long SIZE_BYTES = 4096L * MapPage.ENTRIES * 100;
    static final String MAP_FILE = PLACE + "/" + LayerFiles.baseName(LAYER) + LayerFiles.MAP_SUFFIX;
    static final String DATA_FILE = PLACE + "/" + LayerFiles.baseName(LAYER) + LayerFiles.DATA_SUFFIX;

    final MemoryDisk disk;
    final OpenFiles openFiles;
    final MapPageCache cache;
    final LayerFiles layer;

    /** A new layer on a new disk. */
    LayerRig() throws IOException {
        this(create());
    }

    /** The layer that is on the disk, as after a start. */
    LayerRig(MemoryDisk disk) {
        this.disk = disk;
        openFiles = new OpenFiles(disk, 10);
        cache = new MapPageCache(0);
        layer = new LayerFiles(openFiles, cache, PLACE, REPLICA, LAYER, SIZE_BYTES);
    }

    private static MemoryDisk create() throws IOException {
        MemoryDisk disk = new MemoryDisk();
        disk.createDirectories(PLACE);
        LayerFiles.create(disk, PLACE, LAYER, SIZE_BYTES);
        return disk;
    }

    BlockMap map() {
        return layer.map();
    }

    /** One update of the given blocks to that sequence, durable. */
    void update(BlockState state, long sequence, long... blocks) throws IOException {
        updateUnsynced(state, sequence, blocks);
        layer.syncMap();
    }

    void updateUnsynced(BlockState state, long sequence, long... blocks) throws IOException {
        MapUpdates updates = new MapUpdates();
        for (long block : blocks) {
            int crc = state == BlockState.DATA ? crcOf(block, sequence) : 0;
            updates.add(block, MapEntry.of(state, sequence), crc);
        }
        update(updates, BlockMap.NEWER);
    }

    int update(MapUpdates updates, BlockMap.Rule rule) throws IOException {
        layer.retain();
        map().beginUpdate();
        try {
            return map().update(updates, rule);
        } finally {
            map().endUpdate(updates);
            layer.release();
        }
    }

    static int crcOf(long block, long sequence) {
        return (int) (block * 7919 + sequence);
    }

    static long data(long sequence) {
        return MapEntry.of(BlockState.DATA, sequence);
    }

    /** Where copy 0 or 1 of a page begins in the file. */
    public static long copyAt(long page, int copy) {
        return page * BlockMap.PAGE_FILE_BYTES + (long) copy * MapPage.BYTES;
    }
}
