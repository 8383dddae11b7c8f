package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MetricsTextTest {

    @Test
    void labelsAreEscapedAndNumbersPlain() {
        String text = new MetricsText()
                .counter("longhorn_things_total", "Things.")
                .sample(3)
                .sample(4, "name", "a\"b\\c\nd", "kind", "x")
                .gauge("longhorn_share", "A share.")
                .sample(0.25)
                .toString();
        assertThat(text).isEqualTo("""
                        # HELP longhorn_things_total Things.
                        # TYPE longhorn_things_total counter
                        longhorn_things_total 3
                        longhorn_things_total{name="a\\"b\\\\c\\nd",kind="x"} 4
                        # HELP longhorn_share A share.
                        # TYPE longhorn_share gauge
                        longhorn_share 0.250000000
                        """);
    }
}
