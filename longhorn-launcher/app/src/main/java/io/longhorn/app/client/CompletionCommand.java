package io.longhorn.app.client;

import io.longhorn.app.Console;
import io.longhorn.app.Main;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code longhorn completion}: a script that has the shell complete our commands and options. */
@Command(
        name = "completion",
        description = {
            "Print a script that completes commands and options:",
            "  bash: source <(longhorn completion bash)",
            "  zsh:  autoload -U +X bashcompinit && bashcompinit; source <(longhorn completion bash)"
        })
public final class CompletionCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    /** The shells that there is a script for. */
    enum Shell {
        BASH
    }

    @Parameters(paramLabel = "SHELL", description = "bash; zsh takes the same.")
    @SuppressWarnings("UnusedVariable") // There is one; picocli refuses others.
    private Shell shell = Shell.BASH;

    /** For picocli. */
    CompletionCommand() {}

    @Override
    public Integer call() {
        CommandSpec root = Objects.requireNonNull(spec).root();
        Console.of(spec).line(AutoComplete.bash(root.name(), root.commandLine()));
        return Main.DONE;
    }
}
