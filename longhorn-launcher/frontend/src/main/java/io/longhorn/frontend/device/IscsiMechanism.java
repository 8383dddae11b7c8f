package io.longhorn.frontend.device;

import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's iSCSI initiator, logged in by iscsiadm. The session outlives this process: operations wait for as long as the node record's replacement timeout says, which we
 * set, and go on when the target is back under the same address. So what an earlier process left is used again by {@link #attach}, and taken away only by {@link #cleanUp}.
 */
final class IscsiMechanism implements Mechanism {

    private static final Logger LOG = LoggerFactory.getLogger(IscsiMechanism.class);

    private static final String URI_KEY = "uri";

    /** How long operations wait for a target that is away before they fail: a day, so that whoever restarts the daemon can take his time, and still not for ever. */
    private static final String REPLACEMENT_TIMEOUT_SECONDS = "86400";

    // Exit codes of iscsiadm, see its manual.
    private static final int SESSION_NOT_FOUND = 2;
    private static final int SESSION_EXISTS = 15;
    private static final int NO_DAEMON = 20;
    private static final int NO_OBJECTS = 21;

    private final Host host;
    private final Commands commands;
    private final Optional<DeviceServer> target;
    private final Quiescence quiescence;

    IscsiMechanism(Host host, Commands commands, Optional<DeviceServer> target) {
        this.host = host;
        this.commands = commands;
        this.target = target;
        this.quiescence = new Quiescence(new DeviceUsers(host));
    }

    @Override
    public DeviceMechanism kind() {
        return DeviceMechanism.ISCSI;
    }

    @Override
    public Optional<String> missing() {
        if (target.isEmpty()) {
            return Optional.of("no iSCSI target was given");
        }
        if (host.command("iscsiadm").isEmpty()) {
            return Optional.of("there is no iscsiadm (install the package open-iscsi)");
        }
        if (!host.has("/sys/class/iscsi_transport/tcp")) {
            return Optional.of("there is no /sys/class/iscsi_transport/tcp (modprobe iscsi_tcp)");
        }
        return isDaemonRunning() ? Optional.empty() : Optional.of("iscsid does not run (systemctl start iscsid)");
    }

    /** It listens on a socket of an abstract name. */
    private boolean isDaemonRunning() {
        try {
            return Files.readString(host.path("/proc/net/unix")).contains("ISCSIADM_ABSTRACT_NAMESPACE");
        } catch (IOException e) {
            LOG.debug("cannot see the Unix sockets of this host", e);
            return false;
        }
    }

    @Override
    public AttachedDevice attach(BlockDevice device, DeviceRecord record) throws IOException, InterruptedException {
        DeviceServer server = target.orElseThrow();
        URI uri = server.serve(device);
        try {
            record.put(URI_KEY, uri.toString());
            IscsiAddress address = IscsiAddress.of(uri);
            login(address);
            if (!Quiescence.await(() -> findDisk(address).isPresent())) {
                throw new IOException("target " + address.target() + " was logged in to, and no disk of unit "
                        + address.unit() + " came");
            }
            return new IscsiDevice(device.name(), address, findDisk(address).orElseThrow(), server);
        } catch (IOException | InterruptedException | RuntimeException e) {
            server.withdraw(device.name());
            throw e;
        }
    }

    private void login(IscsiAddress address) throws IOException, InterruptedException {
        if (hasSession(address)) {
            LOG.info("the session of an earlier process is used again target={}", address.target());
            return;
        }
        run(node(address, "-o", "new"));
        update(address, "node.startup", "manual");
        update(address, "node.session.timeo.replacement_timeout", REPLACEMENT_TIMEOUT_SECONDS);
        // Whether the target answers is asked often enough to notice its return; that it does not must not end
        // anything.
        update(address, "node.conn[0].timeo.noop_out_interval", "5");
        update(address, "node.conn[0].timeo.noop_out_timeout", "5");
        run(node(address, "--login"), SESSION_EXISTS);
    }

    private void update(IscsiAddress address, String name, String value) throws IOException, InterruptedException {
        run(node(address, "-o", "update", "-n", name, "-v", value));
    }

    private List<String> node(IscsiAddress address, String... more) {
        List<String> command = new ArrayList<>(List.of(
                host.command("iscsiadm").orElse("iscsiadm"),
                "-m",
                "node",
                "-T",
                address.target(),
                "-p",
                address.portal()));
        command.addAll(List.of(more));
        return command;
    }

    private void run(List<String> command, int... alsoFine) throws IOException, InterruptedException {
        Commands.Outcome outcome = commands.run(command);
        for (int code : alsoFine) {
            if (outcome.exitCode() == code) {
                return;
            }
        }
        if (outcome.exitCode() == NO_DAEMON) {
            throw new IOException("iscsid does not answer (systemctl start iscsid): " + outcome.output());
        }
        outcome.orFail(command);
    }

    private boolean hasSession(IscsiAddress address) throws IOException {
        return findSession(address).isPresent();
    }

    /** The session's directory under {@code /sys}. */
    private Optional<Path> findSession(IscsiAddress address) throws IOException {
        Path sessions = host.path("/sys/class/iscsi_session");
        if (!Files.isDirectory(sessions)) {
            return Optional.empty();
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(sessions, "session*")) {
            for (Path session : entries) {
                Path name = session.resolve("targetname");
                if (Files.exists(name) && Files.readString(name).strip().equals(address.target())) {
                    return Optional.of(session.resolve("device"));
                }
            }
            return Optional.empty();
        }
    }

    /** {@code /dev/sdb}: under the session's directory is one per target, under that one per unit, {@code HOST:CHANNEL:TARGET:UNIT}. */
    Optional<Path> findDisk(IscsiAddress address) throws IOException {
        Optional<Path> session = findSession(address);
        if (session.isEmpty() || !Files.isDirectory(session.get())) {
            return Optional.empty();
        }
        try (DirectoryStream<Path> targets = Files.newDirectoryStream(session.get(), "target*")) {
            for (Path target : targets) {
                Optional<Path> disk = findDisk(target, address.unit());
                if (disk.isPresent()) {
                    return disk;
                }
            }
            return Optional.empty();
        }
    }

    private static Optional<Path> findDisk(Path target, int unit) throws IOException {
        try (DirectoryStream<Path> units = Files.newDirectoryStream(target, "*:*:*:" + unit)) {
            for (Path found : units) {
                Path disks = found.resolve("block");
                if (Files.isDirectory(disks)) {
                    try (DirectoryStream<Path> names = Files.newDirectoryStream(disks)) {
                        for (Path name : names) {
                            return Optional.of(Path.of("/dev").resolve(name.getFileName()));
                        }
                    }
                }
            }
            return Optional.empty();
        }
    }

    /** It waits to be attached again, unless it never came to a session. */
    @Override
    public boolean cleanUpAtStart(DeviceRecord record) throws IOException, InterruptedException {
        Optional<IscsiAddress> address = address(record);
        if (address.isPresent() && hasSession(address.get())) {
            return false;
        }
        cleanUp(record);
        return true;
    }

    @Override
    public void cleanUp(DeviceRecord record) throws IOException, InterruptedException {
        Optional<IscsiAddress> address = address(record);
        if (address.isPresent()) {
            Optional<Path> disk = findDisk(address.get());
            if (disk.isPresent()) {
                quiescence.await(record.name(), disk.get());
            }
            logout(address.get());
        }
    }

    private static Optional<IscsiAddress> address(DeviceRecord record) {
        return record.get(URI_KEY).map(URI::create).map(IscsiAddress::of);
    }

    private void logout(IscsiAddress address) throws IOException, InterruptedException {
        run(node(address, "--logout"), SESSION_NOT_FOUND, NO_OBJECTS);
        run(node(address, "-o", "delete"), NO_OBJECTS);
    }

    private final class IscsiDevice implements AttachedDevice {

        private final String name;
        private final IscsiAddress address;
        private final Path path;
        private final DeviceServer server;

        IscsiDevice(String name, IscsiAddress address, Path path, DeviceServer server) {
            this.name = name;
            this.address = address;
            this.path = path;
            this.server = server;
        }

        @Override
        public Path path() {
            return path;
        }

        @Override
        public void refreshSize() throws IOException, InterruptedException {
            run(node(address, "--rescan"));
        }

        @Override
        public void detach() throws IOException, InterruptedException {
            quiescence.await(name, path);
            logout(address);
            server.withdraw(name);
        }
    }
}
