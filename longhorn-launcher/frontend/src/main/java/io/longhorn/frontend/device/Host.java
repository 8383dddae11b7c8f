package io.longhorn.frontend.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What the host shows of itself in files. Tests put a copy of such files in another root. */
record Host(Path root) {

    /** Where administrators' commands are, whatever the path of the user says. */
    private static final List<String> COMMAND_DIRECTORIES =
            List.of("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin");

    /** The host that this process runs on. */
    static Host real() {
        return new Host(Path.of("/"));
    }

    /** @param absolute such as {@code /sys/block} */
    Path path(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    boolean has(String absolute) {
        return Files.exists(path(absolute));
    }

    /** The command's path; empty if it is not installed. */
    Optional<String> command(String name) {
        return COMMAND_DIRECTORIES.stream()
                .map(directory -> directory + "/" + name)
                .filter(path -> Files.isExecutable(path(path)))
                .findFirst();
    }

    /** A file of one line, without its end. */
    String line(String absolute) throws IOException {
        return Files.readString(path(absolute)).strip();
    }
}
