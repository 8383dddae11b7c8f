package io.longhorn.app.bench;

import io.longhorn.Durability;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.app.Console;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** All loads and baselines, run after run. Used by one thread. */
final class Loads {

    private static final Duration WARM_UP_MAX = Duration.ofSeconds(2);

    private final BenchSettings settings;
    private final Console console;
    private final List<BenchRow> rows = new ArrayList<>();
    private final BenchRow cachedRow = new BenchRow(BenchLoad.CACHED.title(), false);
    private final BenchBaselines baselines;

    Loads(BenchSettings settings, Console console) {
        this.settings = settings;
        this.console = console;
        baselines = new BenchBaselines(settings.directory(), settings.sizeBytes(), settings.duration(), console);
        BenchLoad.ALL.forEach(load -> rows.add(new BenchRow(load.title(), false)));
    }

    /** Loads before baselines. */
    List<BenchRow> rows() {
        List<BenchRow> all = new ArrayList<>(rows);
        all.add(cachedRow);
        all.addAll(baselines.rows());
        return all;
    }

    String placement() {
        return baselines.placement();
    }

    void run(BenchSite site) throws Exception {
        try (Longhorn caching = site.connect(2 * cachedBytes());
                ScratchVolumes scratch = new ScratchVolumes(site)) {
            Map<Durability, Volume> volumes = new EnumMap<>(Durability.class);
            for (Durability durability : Durability.values()) {
                volumes.put(durability, scratch.filled(site.longhorn(), settings.sizeBytes(), durability));
            }
            Volume cached = scratch.filled(caching, cachedBytes(), Durability.ON_FLUSH);
            CpuMeter cpu = site.cpu();
            console.remark("loads: warming up");
            round(volumes, cached, cpu, -1, shorter(settings.duration(), WARM_UP_MAX));
            for (int run = 0; run < settings.runs(); run++) {
                console.remark("loads: run " + (run + 1) + " of " + settings.runs());
                round(volumes, cached, cpu, run, settings.duration());
            }
        }
    }

    /**
     * Runs every load once, and every baseline.
     *
     * @param run -1 for a warm-up, whose figures are dropped
     */
    private void round(Map<Durability, Volume> volumes, Volume cached, CpuMeter cpu, int run, Duration duration)
            throws Exception {
        for (int i = 0; i < BenchLoad.ALL.size(); i++) {
            BenchLoad load = BenchLoad.ALL.get(i);
            Volume volume = volumes.get(load.durability());
            if (volume == null) {
                throw new IllegalStateException("no volume for " + load.durability());
            }
            BenchFigures figures = new ClosedLoop(volume, load, settings.sizeBytes(), run).run(duration, cpu);
            if (run >= 0) {
                rows.get(i).add(figures);
            }
        }
        BenchFigures figures = new ClosedLoop(cached, BenchLoad.CACHED, cachedBytes(), run).run(duration, cpu);
        if (run >= 0) {
            cachedRow.add(figures);
            baselines.run();
        }
    }

    /** A small part of the volume, so that it stays in the cache whatever the admission policy does. */
    private long cachedBytes() {
        return Math.min(settings.sizeBytes(), 16L << 20);
    }

    private static Duration shorter(Duration left, Duration right) {
        return left.compareTo(right) < 0 ? left : right;
    }
}
