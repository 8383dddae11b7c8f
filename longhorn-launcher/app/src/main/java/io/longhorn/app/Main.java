package io.longhorn.app;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line's entry. Results go to standard output, everything else to standard error. Exit codes are part of the
 * interface: {@value #DONE} done, {@value #FAILED} failed, {@value #WRONG_USAGE} wrong usage.
 */
@Command(
        name = "longhorn",
        description = "Distributed block storage as an embeddable Java library.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND")
public final class Main implements Runnable {

    static final int DONE = CommandLine.ExitCode.OK;
    static final int FAILED = CommandLine.ExitCode.SOFTWARE;
    static final int WRONG_USAGE = CommandLine.ExitCode.USAGE;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it calls run
    private CommandSpec spec;

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(command().execute(arguments));
    }

    static CommandLine command() {
        return new CommandLine(new Main()).setExecutionExceptionHandler(Main::reportFailure);
    }

    /** Reached only without a subcommand. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "A command is missing.");
    }

    /** One line for the person at the terminal; what lies below it is the log's affair. */
    private static int reportFailure(Exception failure, CommandLine command, CommandLine.ParseResult arguments) {
        command.getErr().println("longhorn: " + failure);
        return FAILED;
    }

    /** The version from the jar's manifest, so that it is written in one place, the pom. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"longhorn " + (version == null ? "(not packaged)" : version)};
        }
    }
}
