package io.longhorn.app.bench;

import io.longhorn.app.CommandFailure;
import io.longhorn.app.ExternalTool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Servers of block devices that others wrote, each until it is closed. Used by one thread. */
final class Baselines {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    /** Apart from that of a tgtd which the machine may run. */
    private static final String TGT_CONTROL = "27";

    private static final String TGT_IQN = "iqn.2026-01.io.longhorn.bench:tgt";

    private final Path scratch;
    private int servers;

    Baselines(Path scratch) {
        this.scratch = scratch;
    }

    Path scratch() {
        return scratch;
    }

    /** What has to be undone. */
    private interface Undoing {
        void run() throws IOException, InterruptedException;
    }

    /** A server, and where clients find what it serves. */
    record Server(String uri, List<Undoing> undoings) implements AutoCloseable {
        @Override
        public void close() {
            for (Undoing each : undoings) {
                try {
                    each.run();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new CommandFailure("interrupted", e);
                }
            }
        }
    }

    /** nbdkit on a Unix socket. */
    Server nbdkit(String plugin, String argument) throws InterruptedException {
        Path socket = scratch.resolve("nbdkit-" + ++servers + ".sock");
        ForeignServer server = ForeignServer.start(
                scratch.resolve("nbdkit.log"),
                () -> Files.exists(socket),
                "nbdkit",
                "nbdkit",
                List.of("-f", "-U", socket.toString(), plugin, argument));
        return new Server("nbd+unix:///?socket=" + socket, List.of(server::close));
    }

    /** Debian's iSCSI target on a file. */
    Server tgt(long sizeBytes) throws IOException, InterruptedException {
        Path image = image(sizeBytes);
        int port = freePort();
        ForeignServer server = ForeignServer.start(
                scratch.resolve("tgtd.log"),
                () -> answers(port),
                "tgtd",
                "tgt",
                List.of("-f", "--iscsi", "portal=127.0.0.1:" + port, "-C", TGT_CONTROL));
        tgtadm("--op", "new", "--mode", "target", "--tid", "1", "-T", TGT_IQN);
        tgtadm("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", image.toString());
        tgtadm("--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL");
        return new Server(
                "iscsi://127.0.0.1:" + port + "/" + TGT_IQN + "/1", List.of(server::close, () -> Files.delete(image)));
    }

    private void tgtadm(String... arguments) throws InterruptedException {
        String[] all = new String[arguments.length + 4];
        all[0] = "-C";
        all[1] = TGT_CONTROL;
        all[2] = "--lld";
        all[3] = "iscsi";
        System.arraycopy(arguments, 0, all, 4, arguments.length);
        require("tgtadm", "tgt", all);
    }

    /** A block device of the kernel by nbdkit's file plugin, nbdfuse and a loop device; {@link Server#uri} is its path. */
    Server fileDevice(long sizeBytes) throws IOException, InterruptedException {
        Path image = image(sizeBytes);
        Server served = nbdkit("file", image.toString());
        Path mount = Files.createDirectory(scratch.resolve("nbdfuse"));
        Path file = mount.resolve("image");
        ForeignServer fuse = ForeignServer.start(
                scratch.resolve("nbdfuse.log"),
                () -> Files.exists(file),
                "nbdfuse",
                "libnbd-bin",
                List.of(file.toString(), served.uri()));
        String device = require("losetup", "mount", "-f", "--show", "--direct-io=on", file.toString());
        return new Server(
                device,
                List.of(
                        () -> require("losetup", "mount", "-d", device),
                        () -> require("umount", "mount", mount.toString()),
                        fuse::close,
                        served::close,
                        () -> Files.delete(image)));
    }

    private String require(String tool, String debianPackage, String... arguments) throws InterruptedException {
        ExternalTool.Result result = ExternalTool.require(tool, debianPackage).run(scratch, LIMIT, arguments);
        if (result.exitCode() != 0) {
            throw new CommandFailure(tool + " " + String.join(" ", arguments) + " ended with " + result.exitCode()
                    + ": " + result.output());
        }
        return result.output();
    }

    /** A new file of random bytes. */
    Path image(long sizeBytes) throws IOException {
        Path image = scratch.resolve("image-" + ++servers);
        RandomImage.write(image, sizeBytes);
        return image;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static boolean answers(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}
