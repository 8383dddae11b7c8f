package io.longhorn.examples;

import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.Volume;
import io.longhorn.VolumeHealth;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.ReplicaServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A volume whose replicas are on three replica servers. To try it out, {@link #main} runs the servers in this process;
 * in earnest each runs on a machine of its own, started by {@code longhorn replica}.
 */
public final class RemoteReplicas {

    private RemoteReplicas() {}

    /** The argument is an existing directory for disks and registry. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments.length > 0 ? arguments[0] : ".");
        String secret = "a secret that engines and replica servers share";
        try (ReplicaServer first = server(directory.resolve("disk-1"), secret);
                ReplicaServer second = server(directory.resolve("disk-2"), secret);
                ReplicaServer third = server(directory.resolve("disk-3"), secret)) {
            List<HostPort> servers = List.of(first.address(), second.address(), third.address());
            System.out.println(run(directory.resolve("registry"), servers, secret));
        }
    }

    static VolumeHealth run(Path registry, List<HostPort> servers, String secret) {
        LonghornConfig config = LonghornConfig.builder()
                .registry(registry) // which volumes there are, and who may write to them
                .replicaServer(servers.get(0).toString())
                .replicaServer(servers.get(1).toString())
                .replicaServer(servers.get(2).toString())
                .token(secret)
                .build();
        try (Longhorn longhorn = Longhorn.connect(config)) {
            Volume volume = longhorn.create(
                    VolumeSpec.named("journal").sizeBytes(1L << 30).build());
            volume.subscribe(event -> System.out.println("event: " + event));

            CompletionStage<Void> written = volume.writeAsync(4096, StandardCharsets.UTF_8.encode("asynchronous"))
                    .thenCompose(confirmed -> volume.flushAsync());
            written.toCompletableFuture().join();

            ByteBuffer found = ByteBuffer.allocate(12);
            volume.read(4096, found);
            if (!StandardCharsets.UTF_8.decode(found.flip()).toString().equals("asynchronous")) {
                throw new IllegalStateException("read something else than was written");
            }
            return volume.health();
        }
    }

    private static ReplicaServer server(Path disk, String secret) throws IOException {
        return ReplicaServer.builder()
                .directory(Files.createDirectories(disk))
                .listen(new HostPort("127.0.0.1", 0)) // any free port
                .token(secret)
                .start();
    }
}
