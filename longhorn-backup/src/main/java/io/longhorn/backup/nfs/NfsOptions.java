package io.longhorn.backup.nfs;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The options of a target, by the names that mount.nfs gives them.
 *
 * @param uid whose files they are at the server, and {@code gid} whose group; zero by default, since mounts of Longhorn are used by root, so the files of an existing store are
 *     root's
 * @param timeoTenths how many tenths of a second an answer is awaited; 300 as Longhorn sets it
 * @param retrans how often a call is repeated after that; 2 as mounts do it
 * @param retryMinutes how long the first connection is tried; zero by default, so that a wrong address is told at once
 * @param port zero if none is given
 * @param readBytesMax most bytes asked for at once, and {@code writeBytesMax} most bytes sent at once; the server may allow less
 */
record NfsOptions(
        int uid,
        int gid,
        int timeoTenths,
        int retrans,
        int retryMinutes,
        int port,
        int readBytesMax,
        int writeBytesMax) {
    static final int PORT_MAX = 65535;

    private record Range(int min, int max) {}

    private static final Map<String, Range> NUMBERS = Map.of(
            "uid", new Range(0, Integer.MAX_VALUE),
            "gid", new Range(0, Integer.MAX_VALUE),
            "timeo", new Range(1, 6000),
            "retrans", new Range(0, 100),
            "retry", new Range(0, 10_000),
            "port", new Range(0, PORT_MAX),
            "rsize", new Range(1024, Integer.MAX_VALUE),
            "wsize", new Range(1024, Integer.MAX_VALUE),
            // Nothing is cached.
            "actimeo", new Range(0, Integer.MAX_VALUE));

    private static final Map<String, Set<String>> WORDS = Map.of(
            "vers", Set.of("4", "4.1", "4.2"),
            "nfsvers", Set.of("4", "4.1", "4.2"),
            "minorversion", Set.of("1", "2"),
            "proto", Set.of("tcp", "tcp6"),
            "sec", Set.of("sys"));

    /** Those that change nothing: every call is given up in the end, nothing is cached, locks are not used, no port is a reserved one. */
    private static final Set<String> FLAGS = Set.of("soft", "softerr", "hard", "noac", "nolock", "noresvport");

    /**
     * Reads options.
     *
     * @throws IllegalArgumentException if one is unknown, or asks for what this client does not do
     */
    static NfsOptions parse(List<String> options) {
        Map<String, Integer> numbers = new HashMap<>();
        for (String option : options) {
            int equals = option.indexOf('=');
            String name = equals < 0 ? option : option.substring(0, equals);
            String value = equals < 0 ? "" : option.substring(equals + 1);
            Range range = NUMBERS.get(name);
            Set<String> words = WORDS.get(name);
            if (range != null) {
                numbers.put(name, number("the NFS option " + name, value, range.min, range.max));
            } else if (words != null) {
                checkWord(name, value, words);
            } else if (!FLAGS.contains(option)) {
                throw unknown(option);
            }
        }
        return new NfsOptions(
                numbers.getOrDefault("uid", 0),
                numbers.getOrDefault("gid", 0),
                numbers.getOrDefault("timeo", 300),
                numbers.getOrDefault("retrans", 2),
                numbers.getOrDefault("retry", 0),
                numbers.getOrDefault("port", 0),
                Math.min(numbers.getOrDefault("rsize", Integer.MAX_VALUE), ChannelLimits.DATA_BYTES_MAX),
                Math.min(numbers.getOrDefault("wsize", Integer.MAX_VALUE), ChannelLimits.DATA_BYTES_MAX));
    }

    private static void checkWord(String name, String value, Set<String> words) {
        if (!words.contains(value)) {
            throw new IllegalArgumentException("the NFS option " + name + " is "
                    + String.join(" or ", new TreeSet<>(words)) + ", was '" + value
                    + "': this client speaks NFSv4.1 over TCP, without Kerberos");
        }
    }

    /**
     * A whole number.
     *
     * @throws IllegalArgumentException if it is none, or out of range
     */
    static int number(String name, String value, int min, int max) {
        // Longer ones are out of every range.
        if (value.matches("[0-9]{1,10}")) {
            long number = Long.parseLong(value);
            if (number >= min && number <= max) {
                return (int) number;
            }
        }
        throw new IllegalArgumentException(name + " is a number from " + min + " to " + max + ", was '" + value + "'");
    }

    private static IllegalArgumentException unknown(String option) {
        Set<String> known = new TreeSet<>(FLAGS);
        NUMBERS.keySet().forEach(name -> known.add(name + "="));
        WORDS.keySet().forEach(name -> known.add(name + "="));
        return new IllegalArgumentException(
                "unknown NFS option '" + option + "'; known are " + String.join(", ", known));
    }
}
