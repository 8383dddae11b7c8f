package io.longhorn.frontend.device;

import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's NBD client, set up by nbd-client through ioctl rather than netlink, because only then can the size be changed later. The connection does not outlive our
 * server: operations fail from then on, and a later process disconnects the device.
 */
final class NbdMechanism implements Mechanism {

    private static final Logger LOG = LoggerFactory.getLogger(NbdMechanism.class);

    private static final String DEVICE = "device";
    private static final int TRIES_MAX = 8;

    private final Host host;
    private final Commands commands;
    private final Optional<DeviceServer> server;
    private final int blockBytes;
    private final Quiescence quiescence;

    /** Devices that an attach in this process has chosen and not connected yet. */
    private final Set<Path> chosen = new HashSet<>();

    NbdMechanism(Host host, Commands commands, Optional<DeviceServer> server, int blockBytes) {
        this.host = host;
        this.commands = commands;
        this.server = server;
        this.blockBytes = blockBytes;
        this.quiescence = new Quiescence(new DeviceUsers(host));
    }

    @Override
    public DeviceMechanism kind() {
        return DeviceMechanism.NBD;
    }

    @Override
    public Optional<String> missing() {
        if (server.isEmpty()) {
            return Optional.of("no NBD server was given");
        }
        if (!host.has("/sys/block/nbd0")) {
            return Optional.of("there is no /sys/block/nbd0 (modprobe nbd)");
        }
        if (host.command("nbd-client").isEmpty()) {
            return Optional.of("there is no nbd-client (install the package nbd-client)");
        }
        return Optional.ofNullable(NativeAccess.missing()).map(what -> "it needs " + what);
    }

    @Override
    public AttachedDevice attach(BlockDevice device, DeviceRecord record) throws IOException, InterruptedException {
        DeviceServer nbd = server.orElseThrow();
        URI uri = nbd.serve(device);
        try {
            Path path = connect(uri, device, record);
            return new NbdDevice(device, path, nbd);
        } catch (IOException | InterruptedException | RuntimeException e) {
            nbd.withdraw(device.name());
            throw e;
        }
    }

    private Path connect(URI uri, BlockDevice device, DeviceRecord record) throws IOException, InterruptedException {
        for (int i = 1; ; i++) {
            Path path = choose();
            try {
                record.put(DEVICE, path.toString());
                List<String> command = connectCommand(client(), uri, path, device.isReadOnly(), blockBytes);
                Commands.Outcome outcome = commands.run(command);
                // Another program may have taken the device since.
                if (outcome.exitCode() != 0 && isConnected(path) && i < TRIES_MAX) {
                    continue;
                }
                outcome.orFail(command);
                return path;
            } finally {
                release(path);
            }
        }
    }

    /** A device that is not connected. */
    private synchronized Path choose() throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(host.path("/sys/block"), "nbd*")) {
            devices.forEach(device -> names.add(device.getFileName().toString()));
        }
        names.sort((a, b) -> a.length() == b.length() ? a.compareTo(b) : Integer.compare(a.length(), b.length()));
        for (String name : names) {
            Path path = Path.of("/dev", name);
            if (!isConnected(path) && chosen.add(path)) {
                return path;
            }
        }
        throw new IOException("all " + names.size() + " NBD devices are in use (modprobe nbd nbds_max=...)");
    }

    private synchronized void release(Path path) {
        chosen.remove(path);
    }

    private boolean isConnected(Path path) {
        return host.has("/sys/block/" + path.getFileName() + "/pid");
    }

    private String client() {
        return host.command("nbd-client").orElse("nbd-client");
    }

    /** @param uri see {@link DeviceServer#serve} */
    static List<String> connectCommand(String client, URI uri, Path device, boolean readOnly, int blockBytes) {
        List<String> command = new ArrayList<>(List.of(client));
        String export = uri.getPath().substring(1);
        if ("nbd+unix".equals(uri.getScheme())) {
            command.addAll(List.of("-unix", socket(uri), device.toString()));
        } else if ("nbd".equals(uri.getScheme()) && uri.getHost() != null) {
            int port = uri.getPort() < 0 ? 10809 : uri.getPort();
            command.addAll(List.of(withoutBrackets(uri.getHost()), Integer.toString(port), device.toString()));
        } else {
            throw new IllegalArgumentException("not a URI of an NBD server: " + uri);
        }
        command.addAll(List.of("-N", export, "-nonetlink", "-block-size", Integer.toString(blockBytes)));
        if (readOnly) {
            command.add("-readonly");
        }
        return command;
    }

    private static String socket(URI uri) {
        String query = uri.getQuery() == null ? "" : uri.getQuery();
        for (String parameter : query.split("&", -1)) {
            if (parameter.startsWith("socket=")) {
                return parameter.substring("socket=".length());
            }
        }
        throw new IllegalArgumentException("not a URI of an NBD server: " + uri + " names no socket");
    }

    private static String withoutBrackets(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    @Override
    public boolean cleanUpAtStart(DeviceRecord record) throws IOException, InterruptedException {
        cleanUp(record);
        return true;
    }

    /** Its server is gone, so the device can do nothing any more, whoever uses it. The kernel keeps it until nobody does. */
    @Override
    public void cleanUp(DeviceRecord record) throws IOException, InterruptedException {
        Optional<String> device = record.get(DEVICE);
        if (device.isPresent() && isConnected(Path.of(device.get()))) {
            Path path = Path.of(device.get());
            if (disconnect(path)) {
                LOG.info("a device of an earlier process was taken away device={}", path);
            } else {
                LOG.warn(
                        "a device of an earlier process goes when its users have gone device={} user={}",
                        path,
                        quiescence.user(path));
            }
        }
    }

    /** Whether the kernel has let go of it. */
    private boolean disconnect(Path path) throws IOException, InterruptedException {
        List<String> command = List.of(client(), "-d", path.toString());
        commands.run(command).orFail(command);
        return Quiescence.await(() -> !isConnected(path));
    }

    private final class NbdDevice implements AttachedDevice {

        private static final long SET_BLOCK_COUNT = 0xAB07;

        private final BlockDevice device;
        private final Path path;
        private final DeviceServer nbd;

        NbdDevice(BlockDevice device, Path path, DeviceServer nbd) {
            this.device = device;
            this.path = path;
            this.nbd = nbd;
        }

        @Override
        public Path path() {
            return path;
        }

        @Override
        public void refreshSize() throws IOException {
            int descriptor = KernelCalls.open(path.toString(), KernelCalls.READ_ONLY);
            try {
                long blocks = device.sizeBytes() / blockBytes;
                KernelCalls.ioctl("cannot resize " + path, descriptor, SET_BLOCK_COUNT, blocks);
            } finally {
                KernelCalls.close(descriptor);
            }
        }

        @Override
        public void detach() throws IOException, InterruptedException {
            if (isConnected(path)) {
                quiescence.await(device.name(), path);
                if (!disconnect(path)) {
                    throw new IOException(path + " was told to disconnect and did not");
                }
            }
            nbd.withdraw(device.name());
        }
    }
}
