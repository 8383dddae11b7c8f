package io.longhorn.app.bench;

import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.app.Console;
import io.longhorn.app.ScratchDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * What many volumes cost that nobody uses: engine and replicas, all in one process that does nothing else. That process
 * runs {@link #measure} and prints one value for each figure, in their order.
 */
final class IdleVolumes implements Measurement {

    private static final int VOLUMES = 1_000;
    private static final long SIZE_BYTES = 1L << 30;
    private static final List<String> JVM_FLAGS = List.of("-Xmx512m");

    private final List<Figure> figures = List.of(
            new Figure("create all", "s"),
            new Figure("open all", "s"),
            new Figure("resident memory of the process, all open", "MiB", "below 2,048"),
            new Figure("threads, one open", "threads"),
            new Figure("threads, all open", "threads", "as with one"),
            new Figure("open descriptors, all open", "files", "below 20,000"),
            new Figure("close all", "s"));

    @Override
    public String title() {
        return String.format(
                Locale.ROOT, "%,d idle volumes, %d replicas each, one process", VOLUMES, BenchSite.REPLICAS);
    }

    @Override
    public List<Figure> figures() {
        return figures;
    }

    @Override
    public void run(BenchSite site) throws Exception {
        Path directory = Files.createDirectory(site.settings().directory().resolve("idle"));
        List<String> arguments =
                List.of("idle-volumes", "--directory", directory.toString(), "--volumes", Integer.toString(VOLUMES));
        try (BenchPart part = BenchPart.start(List.of(), JVM_FLAGS, arguments)) {
            String[] values = part.line().split(" ", -1);
            for (int i = 0; i < values.length; i++) {
                figures.get(i).add(Double.parseDouble(values[i]));
            }
        } finally {
            ScratchDirectory.delete(directory);
        }
    }

    /** In the process that is measured. */
    static void measure(Console console, Path directory, int volumes) throws IOException {
        double createSeconds;
        try (Longhorn longhorn = Longhorn.embedded(directory)) {
            long begin = System.nanoTime();
            IntStream.range(0, volumes).forEach(number -> create(longhorn, name(number)));
            createSeconds = secondsSince(begin);
        }

        Longhorn longhorn = Longhorn.embedded(directory);
        long begin = System.nanoTime();
        open(longhorn, 0);
        ProcessFigures process = ProcessFigures.ofSelf();
        int threadsWithOne = process.threads();
        IntStream.range(1, volumes).forEach(number -> open(longhorn, number));
        double openSeconds = secondsSince(begin);
        double residentMebibytes = process.residentMebibytes();
        int threads = process.threads();
        int descriptors = process.descriptors();
        begin = System.nanoTime();
        longhorn.close();
        console.line(String.format(
                Locale.ROOT,
                "%f %f %f %d %d %d %f",
                createSeconds,
                openSeconds,
                residentMebibytes,
                threadsWithOne,
                threads,
                descriptors,
                secondsSince(begin)));
    }

    private static void create(Longhorn longhorn, String name) {
        Volume unused = longhorn.create(VolumeSpec.named(name)
                .sizeBytes(SIZE_BYTES)
                .replicas(BenchSite.REPLICAS)
                .build());
    }

    private static void open(Longhorn longhorn, int number) {
        Volume unused = longhorn.open(name(number));
    }

    private static String name(int number) {
        return "idle-" + number;
    }

    private static double secondsSince(long beginNanos) {
        return (System.nanoTime() - beginNanos) / 1e9;
    }
}
