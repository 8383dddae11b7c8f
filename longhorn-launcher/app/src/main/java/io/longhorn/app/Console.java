package io.longhorn.app;

import java.io.PrintWriter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Where a command prints: answers to standard output, remarks to standard error, each line at once. Safe to use from
 * several threads; lines do not mix.
 */
public final class Console {

    private final PrintWriter out;
    private final PrintWriter err;

    public Console(PrintWriter out, PrintWriter err) {
        this.out = out;
        this.err = err;
    }

    /**
     * The one of a command.
     *
     * @param spec as picocli sets it before it calls the command
     */
    public static Console of(@Nullable CommandSpec spec) {
        CommandSpec set = Objects.requireNonNull(spec, "called outside of the command line");
        return new Console(set.commandLine().getOut(), set.commandLine().getErr());
    }

    public synchronized void line(String text) {
        out.println(text);
        out.flush();
    }

    public synchronized void remark(String text) {
        err.println("longhorn: " + text);
        err.flush();
    }

    /** On a terminal: shows a text in place of the one before; an empty one ends that line. */
    synchronized void overwrite(String text) {
        err.print(text.isEmpty() ? System.lineSeparator() : "\r" + text);
        err.flush();
    }
}
