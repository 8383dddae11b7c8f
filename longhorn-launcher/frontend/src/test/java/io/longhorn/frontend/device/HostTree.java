package io.longhorn.frontend.device;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Files as a host has them, below another root. */
record HostTree(Path root) {

    /** A host on which one process runs, this one. */
    static HostTree create(Path root) throws IOException {
        HostTree tree = new HostTree(root);
        tree.file("proc/17/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
        Files.createSymbolicLink(root.resolve("proc/self"), Path.of("17"));
        Files.createDirectories(root.resolve("proc/17/fd"));
        return tree;
    }

    Host host() {
        return new Host(root);
    }

    void file(String path, String content) {
        try {
            Files.createDirectories(root.resolve(path).getParent());
            Files.writeString(root.resolve(path), content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void delete(String path) {
        try {
            Files.delete(root.resolve(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An installed command. */
    void command(String name) throws IOException {
        file("usr/sbin/" + name, "");
        Files.setPosixFilePermissions(
                root.resolve("usr/sbin/" + name), Set.copyOf(PosixFilePermissions.fromString("rwxr-xr-x")));
    }
}
