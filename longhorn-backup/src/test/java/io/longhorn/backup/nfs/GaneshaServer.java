package io.longhorn.backup.nfs;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** A real NFS server, nfs-ganesha, on a port of its own at the loopback address, with one export at {@code /exp}. Takes root. */
public final class GaneshaServer implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(10);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final Path directory;
    private final Path exported;
    private final int port;
    private final Path configuration;
    private Process process;

    private GaneshaServer(Path directory, Path exported, int port) {
        this.directory = directory;
        this.exported = exported;
        this.port = port;
        this.configuration = directory.resolve("ganesha.conf");
    }

    /**
     * Starts a server.
     *
     * @param directory an empty one for what the server writes
     * @param exported what it exports
     */
    public static GaneshaServer start(Path directory, Path exported) throws IOException {
        return start(directory, exported, "Access_Type = RW;");
    }

    /** The same, with something else in the export's part of the configuration than {@code Access_Type = RW;}. */
    public static GaneshaServer start(Path directory, Path exported, String exportOptions) throws IOException {
        GaneshaServer server = new GaneshaServer(directory, exported, freePort());
        Files.createDirectories(directory.resolve("run"));
        Files.writeString(server.configuration, server.configuration(exportOptions));
        server.start();
        return server;
    }

    private static int freePort() throws IOException {
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return any.getLocalPort();
        }
    }

    private String configuration(String exportOptions) {
        return """
                NFS_CORE_PARAM {
                  NFS_Port = %d; Bind_addr = 127.0.0.1; Protocols = 4;
                  Enable_NLM = false; Enable_RQUOTA = false; mount_path_pseudo = true;
                }
                NFSV4 {
                  Graceless = true; Only_Numeric_Owners = true; Lease_Lifetime = 5;
                  RecoveryBackend = fs; RecoveryRoot = "%s"; Minor_Versions = 1,2;
                }
                EXPORT {
                  Export_Id = 1; Path = "%s"; Pseudo = /exp; Squash = No_Root_Squash; SecType = sys;
                  Protocols = 4; Transports = TCP;
                  FSAL { Name = VFS; }
                  %s
                }
                """.formatted(port, directory.resolve("run"), exported, exportOptions);
    }

    /** Starts it again on the same port, after {@link #kill}. */
    public void start() throws IOException {
        ProcessBuilder command = new ProcessBuilder(
                executable().toString(),
                "-F",
                "-f",
                configuration.toString(),
                "-L",
                log().toString(),
                "-p",
                directory.resolve("run/pid").toString());
        command.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("out").toFile()));
        process = command.start();
        long end = System.nanoTime() + START_LIMIT.toNanos();
        while (!accepts()) {
            if (!process.isAlive() || System.nanoTime() > end) {
                kill();
                throw new IOException(
                        "nfs-ganesha does not start: " + lastOf(log()) + lastOf(directory.resolve("out")));
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private static Path executable() throws IOException {
        Stream<String> places = Stream.concat(
                Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1)),
                // Not on every user's path.
                Stream.of("/usr/sbin", "/usr/bin"));
        return places.map(place -> Path.of(place, "ganesha.nfsd"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IOException("ganesha.nfsd is not installed: run bin/install-test-tools"));
    }

    private boolean accepts() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static String lastOf(Path file) throws IOException {
        if (!Files.exists(file)) {
            return "";
        }
        List<String> lines = Files.readAllLines(file);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    private Path log() {
        return directory.resolve("log");
    }

    public int port() {
        return port;
    }

    /** What is exported, as the file system has it. */
    public Path exported() {
        return exported;
    }

    /**
     * The URL of a directory in the export.
     *
     * @param options such as {@code timeo=50,retrans=1}; may be empty
     */
    public URI url(String path, String options) {
        return URI.create(
                "nfs://127.0.0.1:" + port + "/exp/" + path + (options.isEmpty() ? "" : "?nfsOptions=" + options));
    }

    /** Ends it as a crash does. */
    public void kill() throws IOException {
        process.destroyForcibly();
        try {
            if (!process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("nfs-ganesha does not end, process " + process.pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while nfs-ganesha ends, process " + process.pid(), e);
        }
    }

    @Override
    public void close() throws IOException {
        kill();
    }
}
