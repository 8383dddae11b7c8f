package io.longhorn.frontend.scsi;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Keeps reservations in a directory, also of a file system that several hosts share: a file per target and version, of which the highest counts. A version is made by a
 * hard link, which fails if it is there already; so of two who replace the same version one is refused.
 */
public final class FileReservationStore implements ReservationStore {

    private static final String SUFFIX = ".reservations.";
    private static final String BESIDE = "new.";

    /** More than reservations ever have. */
    private static final long FILE_BYTES_MAX = 1 << 20;

    private final Path directory;

    /** @param directory is made when it is missing */
    public FileReservationStore(Path directory) {
        this.directory = directory;
    }

    @Override
    public Optional<Kept> load(String target) throws IOException {
        OptionalLong version = highestVersion(target);
        if (version.isEmpty()) {
            return Optional.empty();
        }
        // Whoever wrote it may have died before its name was durable.
        force(directory);
        Path file = file(target, version.getAsLong());
        if (Files.size(file) > FILE_BYTES_MAX) {
            throw new IOException(file + " is longer than reservations can be");
        }
        return Optional.of(new Kept(version.getAsLong(), Files.readAllBytes(file)));
    }

    @Override
    public boolean save(String target, long expectedVersion, byte[] content) throws IOException {
        Files.createDirectories(directory);
        if (highestVersion(target).orElse(0) != expectedVersion) {
            return false;
        }
        Path beside = directory.resolve(BESIDE + UUID.randomUUID());
        write(beside, content);
        try {
            Files.createLink(file(target, expectedVersion + 1), beside);
        } catch (FileAlreadyExistsException e) {
            return false;
        } finally {
            Files.delete(beside);
        }
        force(directory);
        if (highestVersion(target).orElse(0) != expectedVersion + 1) {
            // The place was free only because others had replaced what they put there while this process slept.
            return false;
        }
        // What is replaced goes last: a crash in between leaves two versions, of which the higher one counts.
        Files.deleteIfExists(file(target, expectedVersion));
        return true;
    }

    private OptionalLong highestVersion(String target) throws IOException {
        String prefix = encoded(target) + SUFFIX;
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.startsWith(prefix)
                            && name.substring(prefix.length()).matches("[1-9][0-9]{0,17}"))
                    .mapToLong(name -> Long.parseLong(name.substring(prefix.length())))
                    .max();
        } catch (NoSuchFileException e) {
            return OptionalLong.empty();
        }
    }

    private Path file(String target, long version) {
        return directory.resolve(encoded(target) + SUFFIX + version);
    }

    /** The name, with everything but lower-case letters, digits, {@code .} and {@code -} as {@code _} and two hexadecimal digits per byte. */
    private static String encoded(String target) {
        StringBuilder name = new StringBuilder();
        for (byte each : target.getBytes(StandardCharsets.UTF_8)) {
            char letter = (char) (each & 0xff);
            boolean plain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
            if (plain || (letter == '.' && !name.isEmpty())) {
                name.append(letter);
            } else {
                name.append(String.format("_%02x", (int) letter));
            }
        }
        return name.toString();
    }

    private static void write(Path file, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    private static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
