package io.longhorn.frontend.device;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/**
 * A file in the state directory with what a later process must know of a device to clean up: its mechanism and what that has put down. There from before anything is made until
 * everything is gone. It need not survive the host, since no device does.
 */
final class DeviceRecord {

    private static final String SUFFIX = ".device";
    private static final String MECHANISM = "mechanism";

    private final Path file;
    private final Properties entries;

    private DeviceRecord(Path file, Properties entries) {
        this.file = file;
        this.entries = entries;
    }

    /** A new one, which replaces an older one of the name. */
    static DeviceRecord create(Path directory, String name, DeviceMechanism mechanism) throws IOException {
        DeviceRecord record = new DeviceRecord(directory.resolve(name + SUFFIX), new Properties());
        record.put(MECHANISM, mechanism.label());
        return record;
    }

    static Optional<DeviceRecord> find(Path directory, String name) throws IOException {
        Path file = directory.resolve(name + SUFFIX);
        return Files.exists(file) ? Optional.of(read(file)) : Optional.empty();
    }

    static List<DeviceRecord> all(Path directory) throws IOException {
        List<DeviceRecord> records = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            for (Path file : files) {
                records.add(read(file));
            }
        }
        return records;
    }

    private static DeviceRecord read(Path file) throws IOException {
        Properties entries = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            entries.load(in);
        }
        return new DeviceRecord(file, entries);
    }

    /** The name of the device. */
    String name() {
        String name = file.getFileName().toString();
        return name.substring(0, name.length() - SUFFIX.length());
    }

    /** Empty if another version wrote it. */
    Optional<DeviceMechanism> mechanism() {
        String label = entries.getProperty(MECHANISM, "");
        for (DeviceMechanism mechanism : DeviceMechanism.values()) {
            if (mechanism.label().equals(label)) {
                return Optional.of(mechanism);
            }
        }
        return Optional.empty();
    }

    Optional<String> get(String key) {
        return Optional.ofNullable(entries.getProperty(key));
    }

    /** Puts an entry down before it returns. */
    void put(String key, String value) throws IOException {
        entries.setProperty(key, value);
        Path beside = file.resolveSibling(file.getFileName() + ".new");
        try (OutputStream out = Files.newOutputStream(beside)) {
            entries.store(out, null);
        }
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    }

    void delete() throws IOException {
        Files.deleteIfExists(file);
    }
}
