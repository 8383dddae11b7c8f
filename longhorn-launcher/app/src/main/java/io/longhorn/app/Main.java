package io.longhorn.app;

import io.longhorn.HostPort;
import io.longhorn.app.bench.BenchCommand;
import io.longhorn.app.bench.BenchPartCommand;
import io.longhorn.app.client.CompletionCommand;
import io.longhorn.app.client.FrontendCommand;
import io.longhorn.app.client.SnapshotCommand;
import io.longhorn.app.client.VolumeCommand;
import io.longhorn.frontend.device.DeviceMechanism;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command line's entry. Results go to standard output, everything else to standard error. Exit codes are part of the
 * interface: {@value #DONE} done, {@value #FAILED} failed, {@value #WRONG_USAGE} wrong usage.
 */
@Command(
        name = "longhorn",
        description = "Distributed block storage as an embeddable Java library.",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = VersionCommand.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed", "2:wrong usage"},
        subcommands = {
            ReplicaCommand.class,
            ServeCommand.class,
            VolumeCommand.class,
            SnapshotCommand.class,
            BackupCommand.class,
            FrontendCommand.class,
            BenchCommand.class,
            CheckCommand.class,
            DemoCommand.class,
            CompletionCommand.class,
            VersionCommand.class,
            BenchPartCommand.class
        })
public final class Main implements Runnable {

    public static final int DONE = CommandLine.ExitCode.OK;
    public static final int FAILED = CommandLine.ExitCode.SOFTWARE;
    static final int WRONG_USAGE = CommandLine.ExitCode.USAGE;

    /** Read by logback.xml. */
    private static final String LOG_LEVEL_PROPERTY = "longhorn.log.level";

    /** Read by Netty. Its search for leaks takes the stack of one buffer in 128, which costs the loop of a busy frontend a fifteenth of its time; tests look at every buffer instead. */
    private static final String LEAK_DETECTION_PROPERTY = "io.netty.leakDetection.level";

    @Spec
    private @Nullable CommandSpec spec;

    /** Found there by {@link DaemonAccess}. */
    @Mixin
    @SuppressWarnings("UnusedVariable") // picocli fills it, and DaemonAccess asks picocli for it.
    private ApiOptions api = new ApiOptions();

    private boolean verbose;

    private Main() {}

    public static void main(String[] arguments) {
        // Figures look the same on every machine.
        Locale.setDefault(Locale.ROOT);
        System.getProperties().putIfAbsent(LEAK_DETECTION_PROPERTY, "disabled");
        System.exit(command().execute(arguments));
    }

    static CommandLine command() {
        Main main = new Main();
        return new CommandLine(main)
                .registerConverter(HostPort.class, converter(HostPort::parse))
                .registerConverter(ByteSize.class, converter(ByteSize::parse))
                .registerConverter(DeviceMechanism.class, converter(DeviceMechanism::ofLabel))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Main::reportWrongUsage)
                .setExecutionExceptionHandler(main::reportFailure);
    }

    /** Comes before anything logs, because the log's set-up reads the property once. */
    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Log what happens, and print the stack trace of a failure.")
    void setVerbose(boolean on) {
        verbose = on;
        if (on) {
            System.setProperty(LOG_LEVEL_PROPERTY, "INFO");
        }
    }

    /** Reached only without a subcommand. */
    @Override
    public void run() {
        if (spec == null) {
            throw new IllegalStateException("run outside of the command line");
        }
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /** What a wrong argument throws is told as wrong usage. */
    private static <T> CommandLine.ITypeConverter<T> converter(Function<String, T> parse) {
        return text -> {
            try {
                return parse.apply(text);
            } catch (IllegalArgumentException e) {
                throw new CommandLine.TypeConversionException(e.getMessage());
            }
        };
    }

    private static int reportWrongUsage(ParameterException wrong, String[] arguments) {
        CommandLine command = wrong.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        command.getErr().println(name + ": " + FailureLine.of(wrong) + "; see \"" + name + " --help\"");
        return WRONG_USAGE;
    }

    /** One line for the person at the terminal. */
    private int reportFailure(Exception failure, CommandLine command, CommandLine.ParseResult arguments) {
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + FailureLine.of(failure));
        if (verbose) {
            failure.printStackTrace(command.getErr());
        }
        return FAILED;
    }
}
