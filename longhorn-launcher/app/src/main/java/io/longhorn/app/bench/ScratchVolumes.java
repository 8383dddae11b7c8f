package io.longhorn.app.bench;

import io.longhorn.Durability;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.util.ArrayDeque;
import java.util.Deque;

/** Volumes of a site that are deleted when this is closed. Used by one thread. */
final class ScratchVolumes implements AutoCloseable {

    private final BenchSite site;
    private final Deque<Made> made = new ArrayDeque<>();

    private record Made(Longhorn longhorn, String name) {}

    ScratchVolumes(BenchSite site) {
        this.site = site;
    }

    /** An empty volume. */
    Volume empty(long sizeBytes) {
        return empty(sizeBytes, BenchSite.REPLICAS);
    }

    /** An empty volume with so many replicas. */
    Volume empty(long sizeBytes, int replicas) {
        return empty(site.longhorn(), sizeBytes, Durability.ON_FLUSH, replicas);
    }

    /** A volume of which every byte is written, and in layers. */
    Volume full(long sizeBytes) throws Exception {
        Volume volume = empty(sizeBytes);
        Fill.all(volume);
        site.settle(volume);
        return volume;
    }

    /** A volume of which every byte is written, and read once so that servers have it in their page cache. */
    Volume filled(Longhorn longhorn, long sizeBytes, Durability durability) throws Exception {
        Volume volume = empty(longhorn, sizeBytes, durability, BenchSite.REPLICAS);
        Fill.all(volume);
        Fill.read(volume);
        return volume;
    }

    /** A volume that somebody else made is deleted as well. */
    void adopt(Volume volume) {
        made.push(new Made(site.longhorn(), volume.name()));
    }

    private Volume empty(Longhorn longhorn, long sizeBytes, Durability durability, int replicas) {
        Volume volume = longhorn.create(VolumeSpec.named(site.newName())
                .sizeBytes(sizeBytes)
                .replicas(replicas)
                .durability(durability)
                .build());
        made.push(new Made(longhorn, volume.name()));
        return volume;
    }

    /**
     * Deletes them, whether they are open or not, the last one first. What they left the servers to do is done before, so
     * that it holds up nobody, and so is what deleting leaves them.
     */
    @Override
    public void close() {
        for (Made each : made) {
            each.longhorn().open(each.name()).flush();
        }
        site.awaitQuiet();
        while (!made.isEmpty()) {
            Made last = made.pop();
            last.longhorn().open(last.name()).close();
            last.longhorn().delete(last.name());
        }
        site.awaitQuiet();
    }
}
