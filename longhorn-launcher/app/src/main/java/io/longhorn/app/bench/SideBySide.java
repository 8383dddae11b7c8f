package io.longhorn.app.bench;

import io.longhorn.Volume;
import java.util.ArrayList;
import java.util.List;

/** Ten volumes under writes at once, against one volume with as many writes in flight. */
final class SideBySide implements Measurement {

    private static final int VOLUMES = 10;
    private static final int DEPTH = 4;

    private final Figure one = new Figure("one volume, depth " + VOLUMES * DEPTH, "IOPS");
    private final Figure ten = new Figure(VOLUMES + " volumes, depth " + DEPTH + " each, together", "IOPS");
    private final Figure total = new Figure("together, against the one", "ratio", "0.85 to 1.15");
    private final Figure slowest = new Figure("the slowest of them, against its fair share", "ratio", "at least 0.5");

    @Override
    public String title() {
        return "4k random writes to volumes side by side";
    }

    @Override
    public List<Figure> figures() {
        return List.of(one, ten, total, slowest);
    }

    @Override
    public void run(BenchSite site) throws Exception {
        long sizeBytes = site.settings().sizeBytes();
        double alone = rates(site, 1, VOLUMES * DEPTH, sizeBytes).get(0);
        long partBytes = sizeBytes / VOLUMES / Volume.BLOCK_BYTES * Volume.BLOCK_BYTES;
        List<Double> rates = rates(site, VOLUMES, DEPTH, partBytes);
        double together = rates.stream().mapToDouble(Double::doubleValue).sum();
        double least = rates.stream().mapToDouble(Double::doubleValue).min().orElse(0);
        one.add(alone);
        ten.add(together);
        total.add(together / alone);
        slowest.add(least / (together / VOLUMES));
    }

    /** Writes per second of each volume, all written at once. */
    private static List<Double> rates(BenchSite site, int volumes, int depth, long bytesEach) throws Exception {
        try (ScratchVolumes scratch = new ScratchVolumes(site)) {
            List<Volume> written = new ArrayList<>();
            for (int i = 0; i < volumes; i++) {
                Volume volume = scratch.empty(bytesEach);
                Fill.all(volume);
                written.add(volume);
            }
            site.settle(written.get(0));
            List<RunningWrites> running = written.stream()
                    .map(volume -> RunningWrites.start(volume, depth))
                    .toList();
            running.forEach(RunningWrites::takeStretch);
            Thread.sleep(site.settings().duration().toMillis());
            List<Double> rates = new ArrayList<>();
            for (RunningWrites writes : running) {
                rates.add(writes.takeStretchToNextCompletion().perSecond());
            }
            for (RunningWrites writes : running) {
                writes.close();
            }
            return rates;
        }
    }
}
