package io.longhorn.app;

import io.longhorn.replica.DiskCheck;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
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
        DiskCheck check = DiskCheck.of(Objects.requireNonNull(directory, "directory"));
        Console console = Console.of(spec);
        if (json) {
            console.line(Json.of(json(check)).strip());
        } else {
            check.replicas().forEach(console::line);
            check.damages().forEach(damage -> console.line("DAMAGED " + damage));
            console.line(check.blocks() + " blocks and " + check.records() + " journal records verified, "
                    + (check.damages().isEmpty() ? "all right" : check.damages().size() + " damages"));
        }
        return check.damages().isEmpty() ? Main.DONE : Main.FAILED;
    }

    private static Map<String, Object> json(DiskCheck check) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("directory", check.directory().toString());
        json.put("sound", check.damages().isEmpty());
        json.put("replicas", check.replicas());
        json.put("blocks", check.blocks());
        json.put("records", check.records());
        json.put("damages", check.damages());
        return json;
    }
}
