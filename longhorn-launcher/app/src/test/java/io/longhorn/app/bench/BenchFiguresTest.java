package io.longhorn.app.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class BenchFiguresTest {

    @Test
    void eachFigureHasItsOwnMedian() {
        BenchFigures median = BenchFigures.median(List.of(figures(1, 30), figures(3, 10), figures(2, 20)));
        assertThat(median.iops()).isEqualTo(2);
        assertThat(median.meanMicros()).isEqualTo(20);
        assertThat(BenchFigures.median(List.of(figures(1, 1), figures(2, 2))).iops())
                .isEqualTo(1.5);
    }

    @Test
    void spreadIsThatOfTheRates() {
        List<BenchFigures> runs = List.of(figures(5, 0), figures(3, 0), figures(4, 0));
        assertThat(BenchFigures.min(runs)).isEqualTo(3);
        assertThat(BenchFigures.max(runs)).isEqualTo(5);
    }

    @Test
    void latenciesAreSummedUp() {
        Latencies latencies = new Latencies();
        for (int i = 1; i <= 1000; i++) {
            latencies.record(i * 1000L);
        }
        BenchFigures figures = latencies.figures(4096, 2_000_000_000L, 50_000_000L);
        assertThat(figures.iops()).isEqualTo(500);
        assertThat(figures.megabytesPerSecond()).isCloseTo(2.048, within(1e-9));
        assertThat(figures.meanMicros()).isCloseTo(500.5, within(1.0));
        assertThat(figures.p50Micros()).isCloseTo(500, within(1.0));
        assertThat(figures.p99Micros()).isCloseTo(990, within(1.0));
        assertThat(figures.p999Micros()).isCloseTo(999, within(1.0));
        assertThat(figures.cpuMicros()).isEqualTo(50);
        assertThat(latencies.figures(4096, 1, -1).cpuMicros()).isNaN();
    }

    @Test
    void aLineCarriesFiguresBetweenProcesses() {
        BenchFigures figures = new BenchFigures(1.5, 2, 3, 4, 5, 6, Double.NaN);
        assertThat(BenchPart.fromLine(BenchPart.toLine(figures))).isEqualTo(figures);
    }

    @Test
    void ticksAreFoundBehindAnyProgramName() {
        assertThat(CpuMeter.ticks("12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20"))
                .isEqualTo(42);
    }

    @Test
    void waitingForADiskIsTold() {
        assertThat(CpuMeter.isWaitingForDisk("12 (a b) D) D 1 2 3")).isTrue();
        assertThat(CpuMeter.isWaitingForDisk("12 (a b) D) S 1 2 3")).isFalse();
    }

    @Test
    void figuresOfEventsHaveMedianAndSpread() {
        Figure figure = new Figure("pause", "ms", "at most 2 ms");
        for (double value : new double[] {4, 1, 2}) {
            figure.add(value);
        }
        assertThat(figure.median()).isEqualTo(2);
        assertThat(figure.min()).isEqualTo(1);
        assertThat(figure.max()).isEqualTo(4);
        assertThat(figure.toJson()).containsEntry("unit", "ms").containsEntry("target", "at most 2 ms");
    }

    private static BenchFigures figures(double iops, double mean) {
        return new BenchFigures(iops, 0, mean, 0, 0, 0, 0);
    }
}
