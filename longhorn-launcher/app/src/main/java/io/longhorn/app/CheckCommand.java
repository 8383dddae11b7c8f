package io.longhorn.app;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code longhorn check}: verifies and describes a disk's directory that no server uses; changes nothing. */
@Command(
        name = "check",
        description = {
            "Verify and describe the directory of a disk that no replica server uses now. Changes nothing.",
            "Reads every file and every block; exit code 1 if anything is damaged."
        })
final class CheckCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "What was given to \"longhorn replica --dir\".")
    private @Nullable Path directory;

    @Option(names = "--json", description = "Print everything as JSON.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        throw new CommandFailure("" + spec + directory + json);
    }

    static String describeSound(Path disk) {
        return disk + "";
    }
}
