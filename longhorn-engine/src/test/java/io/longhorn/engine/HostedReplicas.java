package io.longhorn.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What a server's disk holds. */
final class HostedReplicas {
    private HostedReplicas() {}

    /** The directories of replicas. One that was deleted is none from that moment on, though its space comes back behind that. */
    static List<Path> on(Path disk) throws IOException {
        try (Stream<Path> directories = Files.list(disk.resolve("replicas"))) {
            return directories
                    .filter(directory -> Files.exists(directory.resolve("replica.meta")))
                    .toList();
        }
    }
}
