package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.ExternalTool;
import io.longhorn.app.Main;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/** A disk with this program, {@code longhorn}, and the Java that it takes, for guests that mount it at {@link #MOUNT}. */
final class ProgramImage {

    static final String MOUNT = "/program";

    /** What the program's libraries use of Java. */
    private static final String MODULES = "java.se,jdk.crypto.ec,jdk.management,jdk.unsupported,jdk.zipfs";

    private static final Pattern LIBRARY = Pattern.compile("=> (/\\S+)");
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private final Path tree;
    private final Path scratch;

    private ProgramImage(Path tree, Path scratch) {
        this.tree = tree;
        this.scratch = scratch;
    }

    /**
     * Makes it.
     *
     * @param scratch an empty directory
     * @return the image, of a file system
     */
    static Path make(Path scratch) throws Exception {
        Path tree = Files.createDirectory(scratch.resolve("program"));
        ProgramImage image = new ProgramImage(tree, scratch);
        image.linkJava();
        image.addLibraries();
        image.addProgram(image.addClasses());
        return image.pack(scratch.resolve("program.img"));
    }

    private void linkJava() throws InterruptedException {
        int exitCode = ToolProvider.findFirst("jlink")
                .orElseThrow()
                .run(
                        System.out,
                        System.err,
                        "--add-modules",
                        MODULES,
                        "--strip-debug",
                        "--no-header-files",
                        "--no-man-pages",
                        "--output",
                        tree.resolve("java").toString());
        assertThat(exitCode).isZero();
        // Classes of Java itself, ready to be used.
        ExternalTool.Result dump = new ExternalTool(tree.resolve("java/bin/java")).run(scratch, LIMIT, "-Xshare:dump");
        assertThat(dump.exitCode()).as(dump.output()).isZero();
    }

    /** Those of this host that Java is linked with; the guest has some of them itself. */
    private void addLibraries() throws Exception {
        Path libraries = Files.createDirectory(tree.resolve("lib"));
        ExternalTool ldd = ExternalTool.require("ldd", "libc-bin");
        for (Path file : List.of(tree.resolve("java/bin/java"), tree.resolve("java/lib/server/libjvm.so"))) {
            Matcher library =
                    LIBRARY.matcher(ldd.run(scratch, LIMIT, file.toString()).output());
            while (library.find()) {
                Path found = Path.of(library.group(1));
                if (!found.startsWith(tree)) {
                    Files.copy(
                            found,
                            libraries.resolve(String.valueOf(found.getFileName())),
                            StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    /** Copies what is on the class path; the answer is the guest's. */
    private String addClasses() throws IOException {
        Path classes = Files.createDirectory(tree.resolve("classes"));
        List<String> path = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path from = Path.of(entry);
            if (Files.exists(from)) {
                String name = path.size() + "-" + from.getFileName();
                copy(from, classes.resolve(name));
                path.add(MOUNT + "/classes/" + name);
            }
        }
        return String.join(":", path);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            files.forEach(file -> {
                try {
                    Files.copy(file, to.resolve(from.relativize(file).toString()));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    /** Optimized code would not pay: the guest is an emulation, and compiling is what it does slowest. */
    private void addProgram(String classPath) throws IOException {
        Path program = tree.resolve("longhorn");
        Files.writeString(program, """
                #!/bin/sh
                export LD_LIBRARY_PATH=/lib64:%1$s/lib
                exec %1$s/java/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m -cp %2$s %3$s "$@"
                """.formatted(MOUNT, classPath, Main.class.getName()));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Path pack(Path image) throws Exception {
        long bytes;
        try (Stream<Path> files = Files.walk(tree)) {
            bytes = files.mapToLong(file -> file.toFile().length()).sum();
        }
        String kib = (bytes + bytes / 4) / 1024 + "k";
        ExternalTool.Result made = ExternalTool.require("mke2fs", "e2fsprogs")
                .run(scratch, LIMIT, "-q", "-t", "ext4", "-d", tree.toString(), image.toString(), kib);
        assertThat(made.exitCode()).as(made.output()).isZero();
        return image;
    }
}
