package io.longhorn.engine;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Which host this is, and which of its boots.
 *
 * @param hostId the same over boots and different between hosts
 * @param bootId different at each boot; empty where the system does not tell, which proves nothing about anybody
 */
record HostIdentity(String hostId, String bootId) {

    /** This host, as the operating system describes it. */
    static HostIdentity current() {
        return new HostIdentity(
                firstLine(Path.of("/etc/machine-id"), hostName()),
                firstLine(Path.of("/proc/sys/kernel/random/boot_id"), ""));
    }

    private static String firstLine(Path file, String otherwise) {
        try {
            String line = Files.readString(file).trim();
            return line.isEmpty() ? otherwise : line;
        } catch (IOException e) {
            return otherwise;
        }
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (IOException e) {
            return "localhost";
        }
    }
}
