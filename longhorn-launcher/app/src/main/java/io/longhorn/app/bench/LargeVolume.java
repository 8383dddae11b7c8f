package io.longhorn.app.bench;

import io.longhorn.Snapshot;
import io.longhorn.Volume;
import java.util.List;
import java.util.SplittableRandom;

/** Opening a volume of 1 TiB with a long history. */
final class LargeVolume implements Measurement {

    private static final long SIZE_BYTES = 1L << 40;
    private static final int SNAPSHOTS = 100;
    private static final int BLOCKS_BETWEEN = 8;

    private final Figure open = new Figure("open", "s", "below 1 s");

    @Override
    public String title() {
        return "a volume of 1 TiB with " + SNAPSHOTS + " snapshots";
    }

    @Override
    public List<Figure> figures() {
        return List.of(open);
    }

    @Override
    public void run(BenchSite site) throws Exception {
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            Volume volume = scratch.empty(SIZE_BYTES);
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < SNAPSHOTS; i++) {
                Fill.blocks(volume, random.longs(BLOCKS_BETWEEN, 0, SIZE_BYTES / Volume.BLOCK_BYTES));
                Snapshot unused = volume.snapshot("snapshot-" + i);
            }
            site.settle(volume);
            volume.close();
            long begin = System.nanoTime();
            Volume opened = site.longhorn().open(volume.name());
            open.add((System.nanoTime() - begin) / 1e9);
            opened.close();
        }
    }
}
