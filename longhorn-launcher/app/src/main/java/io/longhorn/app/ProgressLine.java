package io.longhorn.app;

import io.longhorn.ProgressListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Shows how far something is, on standard error: as a bar on a terminal, else as a line at every tenth. One thread. */
public final class ProgressLine implements ProgressListener {

    private static final int BAR_CHARACTERS = 40;

    private final Console console;
    private final String what;
    private final boolean terminal;
    private long told = -1;

    /** @param what a word in the past tense, such as "restored" */
    public ProgressLine(Console console, String what) {
        this(console, what, isTerminal());
    }

    ProgressLine(Console console, String what, boolean terminal) {
        this.console = console;
        this.what = what;
        this.terminal = terminal;
    }

    /** Whether standard error is one; where the system does not tell, it counts as none. */
    private static boolean isTerminal() {
        try {
            String name = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return name.startsWith("/dev/pts/") || name.startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    @Override
    public void progress(long doneBytes, long totalBytes) {
        long percent = totalBytes == 0 ? 0 : 100 * doneBytes / totalBytes;
        if (terminal) {
            showBar(percent);
        } else if (told < 0 || percent / 10 > told / 10) {
            told = percent;
            console.remark(what + ": " + percent + " %");
        }
    }

    private void showBar(long percent) {
        if (percent == told) {
            return;
        }
        told = percent;
        int filled = (int) (percent * BAR_CHARACTERS / 100);
        console.overwrite(
                what + " [" + "#".repeat(filled) + ".".repeat(BAR_CHARACTERS - filled) + "] " + percent + " %");
        if (percent == 100) {
            console.overwrite("");
        }
    }

    /** Shows that it is all done. */
    public void end() {
        progress(1, 1);
    }
}
