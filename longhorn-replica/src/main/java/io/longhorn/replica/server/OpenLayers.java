package io.longhorn.replica.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Bounds what the layers of a disk hold at once: open files, and map pages in memory. Loop only.
 */
final class OpenLayers {
    private final int openMax;
    private final long pagesMax;
    private final Set<LayerFiles> open = new LinkedHashSet<>();
    private final ByteBuffer pageBuffer = LayerFiles.pageBuffer();
    private long pages;

    OpenLayers(DiskSettings settings) {
        this.openMax = settings.openLayersMax();
        this.pagesMax = Math.max(16, settings.mapCacheBytes() / MapPage.BYTES);
    }

    /** Room for the two slots of a page, used within one call. */
    ByteBuffer pageBuffer() {
        return pageBuffer;
    }

    /** The layer's files are open: another's are closed if there are too many. */
    void used(LayerFiles layer) throws IOException {
        if (open.add(layer) && open.size() > openMax) {
            for (LayerFiles other : open) {
                if (other != layer && !other.isBusy()) {
                    open.remove(other);
                    other.close();
                    return;
                }
            }
        }
    }

    void forget(LayerFiles layer) {
        open.remove(layer);
        pages -= layer.pagesInMemory();
    }

    /** A page came to memory: unused ones go when there are too many. */
    void pageAdded(LayerFiles layer) {
        if (++pages > pagesMax) {
            long dropped = 0;
            for (LayerFiles other : open) {
                dropped += other.dropUnused();
            }
            pages -= dropped;
        }
    }

    void closeAll() throws IOException {
        List<LayerFiles> all = new ArrayList<>(open);
        open.clear();
        for (LayerFiles layer : all) {
            layer.close();
        }
    }
}
