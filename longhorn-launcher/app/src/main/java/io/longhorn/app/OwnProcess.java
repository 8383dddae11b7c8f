package io.longhorn.app;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** This program once more, in a process of its own: the same Java, class path and memory settings. */
public final class OwnProcess {

    /** From here on the JVM warns when native code is loaded without this; the jar's manifest counts only for -jar. */
    private static final int NATIVE_ACCESS_FEATURE = 22;

    private OwnProcess() {}

    /**
     * A builder for {@code java ... Main arguments}.
     *
     * @param prefix what comes before {@code java}, such as {@code taskset -c 1}
     */
    public static ProcessBuilder builder(List<String> prefix, List<String> arguments) {
        return builder(prefix, List.of(), arguments);
    }

    /** As {@link #builder(List, List)}, with more flags for the JVM. */
    public static ProcessBuilder builder(List<String> prefix, List<String> jvmFlags, List<String> arguments) {
        return builder(prefix, jvmFlags, Main.class, arguments);
    }

    /** A builder for another program of this class path. */
    static ProcessBuilder builder(List<String> prefix, Class<?> mainClass, List<String> arguments) {
        return builder(prefix, List.of(), mainClass, arguments);
    }

    private static ProcessBuilder builder(
            List<String> prefix, List<String> jvmFlags, Class<?> mainClass, List<String> arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // Small heaps on shared machines; a parallel collector's threads would only compete with the data path.
        command.add("-XX:+UseSerialGC");
        if (Runtime.version().feature() >= NATIVE_ACCESS_FEATURE) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(jvmFlags);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(mainClass.getName());
        command.addAll(arguments);
        return new ProcessBuilder(command);
    }
}
