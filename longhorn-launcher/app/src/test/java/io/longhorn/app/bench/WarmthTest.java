package io.longhorn.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WarmthTest {

    private int runs;

    @Test
    void aLoadRunsUntilItWasHardlyFasterTwice() throws Exception {
        double[] rates = {100, 150, 152, 200, 205, 190};
        Warmth.reach(() -> rates[runs++]);
        assertThat(runs).isEqualTo(6);
    }

    @Test
    void aLoadThatGetsFasterForEverIsNotWaitedForForEver() throws Exception {
        Warmth.reach(() -> Math.pow(2, runs++));
        assertThat(runs).isEqualTo(12);
    }
}
