package io.longhorn.app;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;

/**
 * An ext4 file system in a file, made from copies of files of this machine.
 *
 * @param file the image; nobody changes it after it was made
 * @param sizeBytes its length
 * @param files how many files it holds
 * @param fileBytes what they hold together
 */
record FileSystemImage(Path file, long sizeBytes, int files, long fileBytes) {

    private static final Duration TOOL_LIMIT = Duration.ofMinutes(2);
    private static final int FILES_MAX = 6000;
    /** One large file, such as the JDK's own library, must not crowd out all others. */
    private static final long FILE_BYTES_MAX = 24L << 20;

    /** The part of what was asked for that is worth ending the search. */
    private static final double ENOUGH = 0.95;

    private static final String LABEL = "longhorn-demo";

    /**
     * Collects files of the JDK and of the system that anybody may read, and makes a file system of them.
     *
     * @param directory an empty one for the image and what is needed meanwhile
     * @param contentBytes about how much file content to collect
     * @param sizeBytes the size of the image; must have room for the content
     */
    static FileSystemImage build(ExternalTool mke2fs, Path directory, long contentBytes, long sizeBytes)
            throws IOException, InterruptedException {
        Path staging = Files.createDirectory(directory.resolve("files"));
        Collector collector = new Collector(staging, contentBytes);
        for (Path source : List.of(Path.of("/etc"), Path.of(System.getProperty("java.home")), Path.of("/usr"))) {
            if (Files.isDirectory(source)) {
                Files.walkFileTree(source.toRealPath(), collector);
            }
        }
        Path image = directory.resolve("image.ext4");
        ExternalTool.Result made = mke2fs.run(
                directory,
                TOOL_LIMIT,
                "-q",
                "-F",
                "-t",
                "ext4",
                "-b",
                "4096",
                "-L",
                LABEL,
                // Files, directories, and some to spare; the default depends on the size alone.
                "-N",
                Integer.toString(2 * collector.files + 1024),
                "-d",
                staging.toString(),
                image.toString(),
                (sizeBytes >> 10) + "k");
        if (made.exitCode() != 0) {
            throw new CommandFailure("mke2fs failed with exit code " + made.exitCode() + ": " + made.output());
        }
        ScratchDirectory.delete(staging);
        return new FileSystemImage(image, Files.size(image), collector.files, collector.bytes);
    }

    /**
     * Has {@code e2fsck -fn} look at an image; it changes nothing.
     *
     * @return its summary line
     * @throws CommandFailure if it finds anything wrong
     */
    static String check(ExternalTool e2fsck, Path image, Path scratch) throws InterruptedException {
        ExternalTool.Result result = e2fsck.run(scratch, TOOL_LIMIT, "-f", "-n", image.toString());
        if (result.exitCode() != 0) {
            throw new CommandFailure(
                    "e2fsck -fn finds " + image + " damaged (exit code " + result.exitCode() + "): " + result.output());
        }
        return result.output().lines().reduce("", (earlier, line) -> line);
    }

    /** SHA-256 of a whole file, as hex. */
    static String sha256(Path file) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream content = new DigestInputStream(Files.newInputStream(file), digest)) {
                byte[] buffer = new byte[1 << 20];
                int count;
                do {
                    count = content.read(buffer);
                } while (count >= 0);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Reads the buffer full from an offset of a file. */
    static void read(FileChannel file, long offsetBytes, ByteBuffer destination) throws IOException {
        long position = offsetBytes;
        while (destination.hasRemaining()) {
            int count = file.read(destination, position);
            if (count < 0) {
                throw new IOException("the file ends before offset " + (position + destination.remaining()));
            }
            position += count;
        }
    }

    FileChannel open() throws IOException {
        return FileChannel.open(file, StandardOpenOption.READ);
    }

    /** Copies files until it has enough. Goes around what it may not read and what vanishes meanwhile. */
    private static final class Collector extends SimpleFileVisitor<Path> {

        private final Path staging;
        private final long bytesMax;
        private int files;
        private long bytes;

        Collector(Path staging, long bytesMax) {
            this.staging = staging;
            this.bytesMax = bytesMax;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            return Files.isReadable(directory) && Files.isExecutable(directory)
                    ? FileVisitResult.CONTINUE
                    : FileVisitResult.SKIP_SUBTREE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            if (files >= FILES_MAX || bytes >= bytesMax * ENOUGH) {
                return FileVisitResult.TERMINATE;
            }
            if (attributes.isRegularFile()
                    && attributes.size() <= Math.min(FILE_BYTES_MAX, bytesMax - bytes)
                    && isPublic(file)) {
                Path copy = staging.resolve(Path.of("/").relativize(file));
                Files.createDirectories(copy.getParent());
                try {
                    Files.copy(file, copy);
                } catch (IOException e) {
                    // Replaced or removed while we looked; any other file does as well.
                    Files.deleteIfExists(copy);
                    return FileVisitResult.CONTINUE;
                }
                files++;
                bytes += Files.size(copy);
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) {
            return FileVisitResult.CONTINUE;
        }

        /** Keys and passwords of the machine have no business in an image, even one that is deleted a minute later. */
        private static boolean isPublic(Path file) throws IOException {
            return Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ);
        }
    }
}
