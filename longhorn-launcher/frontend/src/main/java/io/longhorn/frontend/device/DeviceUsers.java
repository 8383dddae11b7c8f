package io.longhorn.frontend.device;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Finds who uses a block device of this host: mounts, swap, devices on top of it, and other processes that have it open. The NBD client that keeps a device connected has it open, too, and
 * is none of its users.
 */
final class DeviceUsers {

    /** As the kernel tells the names of programs. */
    private static final String NBD_CLIENT = "nbd-client";

    private static final int MOUNT_DEVICE_FIELD = 2;
    private static final int MOUNT_POINT_FIELD = 4;

    private final Host host;

    DeviceUsers(Host host) {
        this.host = host;
    }

    /**
     * Somebody who uses it.
     *
     * @param who for people, such as {@code mounted at /mnt}
     * @param lasting whether that lasts until somebody ends it; a process may only have looked at the device, as udev does with each new one
     */
    record User(String who, boolean lasting) {}

    /** One of them, lasting ones first. */
    Optional<User> find(Path device) throws IOException {
        String name = device.getFileName().toString();
        if (!host.has("/sys/block/" + name)) {
            return Optional.empty();
        }
        Optional<String> lasting = mount(device, host.line("/sys/block/" + name + "/dev"))
                .map(point -> "mounted at " + point)
                .or(() -> holder(name).map(holder -> "held by " + holder))
                .or(() -> swap(device).map(used -> "used for swapping"));
        if (lasting.isPresent()) {
            return lasting.map(who -> new User(who, true));
        }
        return process(device).map(process -> new User("open in process " + process, false));
    }

    private Optional<String> mount(Path device, String number) throws IOException {
        for (String line : Files.readAllLines(host.path("/proc/self/mountinfo"))) {
            String[] fields = line.split(" ", -1);
            // Some file systems have a number of their own and name the device behind the separator.
            int separator = List.of(fields).indexOf("-");
            boolean named =
                    separator > 0 && separator + 2 < fields.length && fields[separator + 2].equals(device.toString());
            if (fields.length > MOUNT_POINT_FIELD && (named || fields[MOUNT_DEVICE_FIELD].equals(number))) {
                return Optional.of(unescaped(fields[MOUNT_POINT_FIELD]));
            }
        }
        return Optional.empty();
    }

    /** The kernel writes blanks as three octal digits. */
    static String unescaped(String field) {
        return field.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }

    private Optional<String> holder(String name) {
        Path holders = host.path("/sys/block/" + name + "/holders");
        if (!Files.isDirectory(holders)) {
            return Optional.empty();
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(holders)) {
            for (Path entry : entries) {
                return Optional.of(entry.getFileName().toString());
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Optional<String> swap(Path device) {
        Path swaps = host.path("/proc/swaps");
        if (!Files.exists(swaps)) {
            return Optional.empty();
        }
        try {
            return Files.readAllLines(swaps).stream()
                    .filter(line -> line.startsWith(device + " "))
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** But for this one: it must not use its own devices, and one that serves many has many descriptors to look through. */
    private Optional<String> process(Path device) throws IOException {
        Path self = host.path("/proc/self").toRealPath().getFileName();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(host.path("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (!process.getFileName().equals(self) && hasOpen(process, device)) {
                    String command = command(process);
                    if (!command.equals(NBD_CLIENT)) {
                        return Optional.of(process.getFileName() + (command.isEmpty() ? "" : " (" + command + ")"));
                    }
                }
            }
            return Optional.empty();
        }
    }

    private static boolean hasOpen(Path process, Path device) {
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : descriptors) {
                if (Files.readSymbolicLink(descriptor).equals(device)) {
                    return true;
                }
            }
            return false;
        } catch (IOException | DirectoryIteratorException e) {
            // The process, or its descriptor, is gone, or is none of ours to look into.
            return false;
        }
    }

    /** Empty if it is gone. */
    private static String command(Path process) throws IOException {
        try {
            return Files.readString(process.resolve("comm")).strip();
        } catch (NoSuchFileException e) {
            return "";
        }
    }
}
