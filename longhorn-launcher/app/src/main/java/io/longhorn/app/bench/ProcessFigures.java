package io.longhorn.app.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What Linux tells about a process.
 *
 * @param directory its own, see proc(5)
 */
record ProcessFigures(Path directory) {

    static ProcessFigures ofSelf() {
        return new ProcessFigures(Path.of("/proc/self"));
    }

    static ProcessFigures of(long pid) {
        return new ProcessFigures(Path.of("/proc", Long.toString(pid)));
    }

    double residentMebibytes() throws IOException {
        return status("VmRSS:") / 1024.0;
    }

    int threads() throws IOException {
        return Math.toIntExact(status("Threads:"));
    }

    int descriptors() throws IOException {
        try (Stream<Path> open = Files.list(directory.resolve("fd"))) {
            return Math.toIntExact(open.count());
        }
    }

    /** A line of its status: the number in it, without unit. */
    private long status(String key) throws IOException {
        Path file = directory.resolve("status");
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).strip().split(" ", -1)[0])
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElseThrow(() -> new IOException(file + " has no line " + key));
    }
}
