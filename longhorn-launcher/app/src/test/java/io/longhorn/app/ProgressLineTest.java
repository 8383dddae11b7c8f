package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressLineTest {

    private final StringWriter err = new StringWriter();
    private final Console console = new Console(new PrintWriter(new StringWriter()), new PrintWriter(err));

    @Test
    void aLineIsWrittenAtEveryTenth() {
        ProgressLine line = new ProgressLine(console, "restored", false);
        for (int done = 0; done <= 100; done += 4) {
            line.progress(done, 100);
        }
        line.end();
        assertThat(err.toString().lines())
                .hasSize(11)
                .startsWith("longhorn: restored: 0 %", "longhorn: restored: 12 %")
                .endsWith("longhorn: restored: 100 %");
    }

    @Test
    void aTerminalGetsABarThatGrows() {
        ProgressLine line = new ProgressLine(console, "restored", true);
        line.progress(0, 0);
        line.progress(1, 2);
        line.end();
        assertThat(err.toString())
                .isEqualTo("\rrestored [" + ".".repeat(40) + "] 0 %\rrestored [" + "#".repeat(20) + ".".repeat(20)
                        + "] 50 %\rrestored [" + "#".repeat(40) + "] 100 %" + System.lineSeparator());
    }
}
