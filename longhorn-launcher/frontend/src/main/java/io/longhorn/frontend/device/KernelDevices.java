package io.longhorn.frontend.device;

import io.longhorn.EventSubscription;
import io.longhorn.FrontendException;
import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The devices of one process under {@code /dev/longhorn}. Each is a link to the kernel's block device, is made by one of the {@link DeviceMechanism}s, and follows the size of
 * what it shows. Safe to call from any thread, but not from one that completes stages or tells events of a volume: every call may wait for the kernel, for a command or
 * for the volume itself. Calls about one name wait for each other; those about different names do not.
 *
 * <p>What every call may throw besides what it names: {@link DeviceNotPermittedException}, and {@link DeviceFailedException} for whatever else the system refuses.
 *
 * <p>A process must not read, write or sync its own devices, directly or in a file system on them: the threads that would have to answer may be among those that wait.
 */
public final class KernelDevices implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(KernelDevices.class);

    private static final String LOCK = "lock";
    private static final String LINK = "link";

    /** How long the thread that passes new sizes on outlives the last of them. */
    private static final long RESIZER_IDLE_SECONDS = 5;

    private final Path directory;
    private final Path devicesDirectory;
    private final Optional<DeviceMechanism> wanted;
    private final List<Mechanism> mechanisms;
    private final FileChannel lock;
    private final NameLocks names = new NameLocks();
    private final Map<String, Attachment> attachments = new ConcurrentHashMap<>();

    /** Listeners must not block, so new sizes are passed on by a thread. At most one task per device waits for it. */
    private final ThreadPoolExecutor resizer;

    private KernelDevices(Path directory, KernelDeviceSettings settings, List<Mechanism> mechanisms, FileChannel lock) {
        this.directory = directory;
        this.devicesDirectory = settings.devicesDirectory().toAbsolutePath();
        this.wanted = settings.mechanism();
        this.mechanisms = mechanisms;
        this.lock = lock;
        resizer = new ThreadPoolExecutor(
                1, 1, RESIZER_IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "longhorn-device-resizer");
                    thread.setDaemon(true);
                    return thread;
                });
        resizer.allowCoreThreadTimeOut(true);
    }

    /**
     * Opens, and takes away what a process of the same state directory left behind when it ended without detaching: block devices that can only fail, and their links. One
     * that is still in use, by a mount for instance, goes when that ends. Sessions of {@link DeviceMechanism#ISCSI} go on: their devices stay until {@link #attach} takes
     * them up, or {@link #detach} takes them away.
     *
     * @throws DeviceBusyException if another process uses the state directory
     */
    public static KernelDevices open(KernelDeviceSettings settings) {
        try {
            Path directory = Files.createDirectories(settings.stateDirectory()).toRealPath();
            FileChannel lock = lock(directory);
            try {
                KernelDevices devices =
                        new KernelDevices(directory, settings, mechanisms(Host.real(), directory, settings), lock);
                devices.cleanUp();
                return devices;
            } catch (IOException | InterruptedException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException | InterruptedException e) {
            throw failure(settings.stateDirectory().toString(), e);
        }
    }

    private static FileChannel lock(Path directory) throws IOException {
        FileChannel channel =
                FileChannel.open(directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held;
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            held = null;
        }
        if (held == null) {
            channel.close();
            throw new DeviceBusyException(directory.toString(), "another process keeps its devices there");
        }
        return channel;
    }

    private static List<Mechanism> mechanisms(Host host, Path directory, KernelDeviceSettings settings) {
        Commands commands = new HostCommands(directory);
        return List.of(
                new FuseLoopMechanism(host, commands, directory, settings.blockBytes()),
                new NbdMechanism(host, commands, settings.nbdServer(), settings.blockBytes()),
                new IscsiMechanism(host, commands, settings.iscsiTarget()));
    }

    private void cleanUp() throws IOException, InterruptedException {
        if (mechanisms.get(0) instanceof FuseLoopMechanism fuse
                && fuse.missing().isEmpty()) {
            fuse.clearLeftovers();
        }
        for (DeviceRecord record : DeviceRecord.all(directory)) {
            Optional<Mechanism> mechanism = mechanism(record);
            if (mechanism.isPresent() && mechanism.get().cleanUpAtStart(record)) {
                removeLink(record);
                record.delete();
            }
        }
    }

    private Optional<Mechanism> mechanism(DeviceRecord record) {
        Optional<Mechanism> found = record.mechanism()
                .flatMap(kind -> mechanisms.stream()
                        .filter(mechanism -> mechanism.kind() == kind)
                        .findFirst());
        if (found.isEmpty()) {
            LOG.warn("device {} was made by another version, which must take it away", record.name());
        }
        return found;
    }

    /**
     * Makes the device appear under its name.
     *
     * @return the path in the devices directory, which can be used at once
     * @throws DeviceMechanismMissingException if the host does not offer what it takes
     * @throws DeviceBusyException if a device of that name is attached, or something else has its path
     */
    public Path attach(BlockDevice device) {
        return exclusively(device.name(), () -> attachLocked(device));
    }

    private Path attachLocked(BlockDevice device) throws IOException, InterruptedException {
        String name = device.name();
        Attachment present = attachments.get(name);
        if (present != null) {
            throw new DeviceBusyException(name, "attached as " + present.link);
        }
        Mechanism mechanism = choose();
        Path link = devicesDirectory.resolve(name);
        refuseForeign(name, link);
        DeviceRecord record = DeviceRecord.create(directory, name, mechanism.kind());
        record.put(LINK, link.toString());
        attach(device, mechanism, link, record);
        LOG.info("device {} is attached path={} device={}", name, link, Files.readSymbolicLink(link));
        return link;
    }

    private void attach(BlockDevice device, Mechanism mechanism, Path link, DeviceRecord record)
            throws IOException, InterruptedException {
        AttachedDevice attached = null;
        Attachment attachment = null;
        try {
            attached = mechanism.attach(device, record);
            attachment = new Attachment(device, attached, link, record);
            attachments.put(device.name(), attachment);
            attachment.follow();
            makeLink(link, attached.path());
        } catch (IOException | InterruptedException | RuntimeException e) {
            attachments.remove(device.name());
            undo(attached, attachment, record, e);
            throw e;
        }
    }

    private static void undo(
            @Nullable AttachedDevice attached,
            @Nullable Attachment attachment,
            DeviceRecord record,
            Exception failure) {
        try {
            if (attachment != null) {
                attachment.follows.close();
            }
            if (attached != null) {
                attached.detach();
            }
            record.delete();
        } catch (IOException | InterruptedException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private Mechanism choose() {
        List<String> missing = new ArrayList<>();
        for (Mechanism mechanism : mechanisms) {
            if (wanted.isEmpty() || wanted.get() == mechanism.kind()) {
                Optional<String> lack = mechanism.missing();
                if (lack.isEmpty()) {
                    return mechanism;
                }
                missing.add(mechanism.kind().label() + ": " + lack.get());
            }
        }
        throw new DeviceMechanismMissingException(String.join("; ", missing));
    }

    /** A path that we did not make belongs to somebody else, unless it is the link of a daemon that was killed and whose state directory is gone. */
    private void refuseForeign(String name, Path link) throws IOException {
        if (Files.exists(link, LinkOption.NOFOLLOW_LINKS)
                && DeviceRecord.find(directory, name).isEmpty()
                && !leadsToNoDevice(link)) {
            throw new DeviceBusyException(name, link + " is there and was not made by this daemon");
        }
    }

    /** Whether it is a link to a device of the kernel that is gone, or that nothing stands behind, which has no size. */
    private static boolean leadsToNoDevice(Path link) throws IOException {
        if (!Files.isSymbolicLink(link)) {
            return false;
        }
        Path device = Files.readSymbolicLink(link);
        Host host = Host.real();
        String size = "/sys/block/" + device.getFileName() + "/size";
        return device.startsWith("/dev")
                && (!Files.exists(device) || (host.has(size) && host.line(size).equals("0")));
    }

    private void makeLink(Path link, Path target) throws IOException {
        Files.createDirectories(devicesDirectory);
        // Names of devices never begin with a dot.
        Path beside = devicesDirectory.resolve("." + link.getFileName());
        Files.deleteIfExists(beside);
        Files.createSymbolicLink(beside, target);
        Files.move(beside, link, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void removeLink(DeviceRecord record) throws IOException {
        Optional<Path> link = record.get(LINK).map(Path::of);
        if (link.isPresent() && Files.isSymbolicLink(link.get())) {
            Files.delete(link.get());
        }
    }

    /**
     * Takes the device away; nothing of it is left on return. Does nothing if there is none of that name.
     *
     * @throws DeviceBusyException if it is mounted, or open, or a part of another device: it stays as it was
     */
    public void detach(String name) {
        var unused = exclusively(name, () -> detachLocked(name));
    }

    private boolean detachLocked(String name) throws IOException, InterruptedException {
        Attachment attachment = attachments.get(name);
        if (attachment != null) {
            attachment.detach();
            attachments.remove(name);
            LOG.info("device {} is detached", name);
            return true;
        }
        Optional<DeviceRecord> left = DeviceRecord.find(directory, name);
        Optional<Mechanism> mechanism = left.flatMap(this::mechanism);
        if (left.isEmpty() || mechanism.isEmpty()) {
            return false;
        }
        mechanism.get().cleanUp(left.get());
        removeLink(left.get());
        left.get().delete();
        return true;
    }

    /** The names of what is attached, and of what an earlier process left to be attached again; sorted. */
    public Set<String> names() {
        try {
            Set<String> all = new TreeSet<>(attachments.keySet());
            DeviceRecord.all(directory).forEach(record -> all.add(record.name()));
            return all;
        } catch (IOException e) {
            throw failure(directory.toString(), e);
        }
    }

    /** Tells the kernel the size that the device has now. Happens by itself when a volume grows; call it to wait for that. Does nothing if there is no device of that name. */
    public void refresh(String name) {
        var unused = exclusively(name, () -> refreshLocked(name));
    }

    private boolean refreshLocked(String name) throws IOException, InterruptedException {
        Attachment attachment = attachments.get(name);
        if (attachment == null) {
            return false;
        }
        attachment.attached.refreshSize();
        return true;
    }

    /**
     * Detaches all, many at the same time. Those that are in use stay attached and served, and this fails; it may then be called again, or the process may end: what happens to them then is said at
     * {@link DeviceMechanism}.
     *
     * @throws DeviceBusyException naming the first of them
     */
    @Override
    public void close() {
        try {
            SideBySide.run(List.copyOf(new TreeSet<>(attachments.keySet())), this::detach);
        } catch (InterruptedException e) {
            throw failure(directory.toString(), e);
        }
        resizer.shutdown();
        try {
            lock.close();
        } catch (IOException e) {
            throw failure(directory.toString(), e);
        }
    }

    private <T> T exclusively(String name, NameLocks.Work<T> work) {
        try {
            return names.hold(name, work);
        } catch (IOException | InterruptedException e) {
            throw failure(name, e);
        }
    }

    private static RuntimeException failure(String name, Exception cause) {
        if (cause instanceof InterruptedException) {
            Thread.currentThread().interrupt();
            return new DeviceFailedException(name, "interrupted");
        }
        if (cause instanceof AccessDeniedException
                || (cause instanceof CallFailedException call && call.isNotPermitted())) {
            return new DeviceNotPermittedException(name, cause);
        }
        return new DeviceFailedException(name, cause);
    }

    /** One device that is attached. */
    private final class Attachment {

        private final BlockDevice device;
        private final AttachedDevice attached;
        private final Path link;
        private final DeviceRecord record;
        private final AtomicBoolean resizing = new AtomicBoolean();
        private EventSubscription follows = () -> {};

        Attachment(BlockDevice device, AttachedDevice attached, Path link, DeviceRecord record) {
            this.device = device;
            this.attached = attached;
            this.link = link;
            this.record = record;
        }

        void follow() {
            long sizeBytes = device.sizeBytes();
            follows = device.onResize(size -> resizeLater());
            // It may have grown since the kernel asked.
            if (device.sizeBytes() != sizeBytes) {
                resizeLater();
            }
        }

        private void resizeLater() {
            if (resizing.compareAndSet(false, true)) {
                resizer.execute(this::resize);
            }
        }

        private void resize() {
            resizing.set(false);
            try {
                refresh(device.name());
            } catch (FrontendException e) {
                LOG.warn("device {} did not get its new size", device.name(), e);
            }
        }

        void detach() throws IOException, InterruptedException {
            attached.detach();
            follows.close();
            removeLink(record);
            record.delete();
        }
    }
}
