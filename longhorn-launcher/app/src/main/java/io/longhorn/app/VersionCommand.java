package io.longhorn.app;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code longhorn version}: one line with our version, one with the Java that runs it. */
@Command(name = "version", description = "Print the version of this program and of Java.")
public final class VersionCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        Console console = Console.of(spec);
        console.line(Version.line());
        console.line("Java " + Runtime.version() + ", " + System.getProperty("java.vm.name") + ", "
                + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        return Main.DONE;
    }

    /** The version from the jar's manifest, so that it is written in one place, the pom. */
    public static final class Version implements CommandLine.IVersionProvider {

        public static String line() {
            String version = Main.class.getPackage().getImplementationVersion();
            return "longhorn " + (version == null ? "(not packaged)" : version);
        }

        @Override
        public String[] getVersion() {
            return new String[] {line()};
        }
    }
}
