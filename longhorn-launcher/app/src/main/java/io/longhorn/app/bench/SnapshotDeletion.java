package io.longhorn.app.bench;

import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.app.CommandFailure;
import io.longhorn.app.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * What it takes to delete three snapshots of one working set: each holds its own version of the same scattered blocks, and
 * a newer snapshot replaces every other one of them. So most of what they hold is dropped, and the rest is kept.
 */
final class SnapshotDeletion implements Measurement {

    private static final int SNAPSHOTS = 3;
    private static final int BLOCKS_MAX = 21_000;
    /** The volume has at least so many times the blocks that the snapshots hold. */
    private static final int SPREAD = 6;
    /** When the space has not changed for so long, it will not. */
    private static final Duration SETTLED = Duration.ofSeconds(5);

    private final long sizeBytes;
    private final int blocksEach;
    private final Figure called = new Figure("until the last call has returned", "s");
    private final Figure givenBack = new Figure("until the last of their space is given back", "s");
    private final Figure kept = new Figure("space then, block maps included, per byte still needed", "ratio");

    SnapshotDeletion(long benchBytes) {
        sizeBytes = benchBytes;
        int blocks = (int) Math.min(BLOCKS_MAX, benchBytes / Volume.BLOCK_BYTES / SPREAD);
        // An even number: half of them are replaced.
        blocksEach = blocks / (2 * SNAPSHOTS) * 2;
    }

    @Override
    public String title() {
        return String.format(
                Locale.ROOT, "delete %d snapshots that hold %,d scattered blocks", SNAPSHOTS, SNAPSHOTS * blocksEach);
    }

    @Override
    public List<Figure> figures() {
        return List.of(called, givenBack, kept);
    }

    @Override
    public void run(BenchSite site) throws Exception {
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            Volume volume = scratch.empty(sizeBytes);
            long[] numbers = scattered();
            List<Snapshot> doomed = new ArrayList<>();
            for (int i = 0; i < SNAPSHOTS; i++) {
                Fill.blocks(volume, LongStream.of(numbers));
                doomed.add(volume.snapshot("doomed-" + i));
            }
            Fill.blocks(volume, IntStream.range(0, blocksEach / 2).mapToLong(i -> numbers[2 * i]));
            Snapshot unused = volume.snapshot("newer");
            site.settle(volume);

            long begin = System.nanoTime();
            doomed.forEach(Snapshot::delete);
            called.add((System.nanoTime() - begin) / 1e9);
            long settledNanos = awaitSpace(volume);
            givenBack.add((settledNanos - begin) / 1e9);
            kept.add(volume.spaceUsage().actualBytes() / ((double) blocksEach * Volume.BLOCK_BYTES));
        }
    }

    /** Returns when the space last changed, once it does not change any more. */
    private static long awaitSpace(Volume volume) throws Exception {
        long[] used = {Long.MAX_VALUE};
        long[] changedNanos = {System.nanoTime()};
        boolean ended = Waiting.until(BenchSite.LIMIT, () -> {
            long now = volume.spaceUsage().actualBytes();
            if (now != used[0]) {
                used[0] = now;
                changedNanos[0] = System.nanoTime();
            }
            return System.nanoTime() - changedNanos[0] > SETTLED.toNanos();
        });
        if (!ended) {
            throw new CommandFailure("the space of deleted snapshots still changes: " + used[0] + " bytes are used");
        }
        return changedNanos[0];
    }

    /** Different blocks all over the volume, in no order. */
    private long[] scattered() {
        return new SplittableRandom(1)
                .longs(0, sizeBytes / Volume.BLOCK_BYTES)
                .distinct()
                .limit(blocksEach)
                .toArray();
    }
}
