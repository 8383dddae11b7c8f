package io.longhorn;

import java.time.Duration;

/**
 * How long things may take.
 *
 * @param operation the longest that a blocking call waits, or a stage stays open. Default 30 s: well above a replica's
 *     removal and one resend, and below the 60 s after which file systems and databases commonly give up
 * @param opening the longest that opening a volume takes, waiting for an older engine's lease included. Default 30 s
 * @param connect the longest for reaching a replica server, TLS and hello included. Default 5 s: three lost SYNs
 * @param silenceRemoval a replica leaves the view when it was silent for this long while a peer answered. Default 800 ms:
 *     far above a garbage collection pause or a slow sync, short enough that a writer barely notices a dead server
 * @param lease how long reads may be answered after all of the view last acknowledged; an opener waits that long for an
 *     engine that it cannot prove dead. Default 3 s: long enough that one removal of a silent replica does not stop
 *     reads. Longer than silenceRemoval, shorter than opening
 * @param reconnect scale of the pauses between attempts to reach an absent replica server: an eighth of the time that it has been away, from a sixteenth of this to
 *     sixteen times this. Default 1 s
 * @param registryCheck how often an engine with traffic reads its record again to see whether it was taken over.
 *     Default 2 s
 */
public record TimeLimits(
        Duration operation,
        Duration opening,
        Duration connect,
        Duration silenceRemoval,
        Duration lease,
        Duration reconnect,
        Duration registryCheck) {

    /** Nobody waits longer on purpose. Comes before {@link #DEFAULTS}, which is checked against it. */
    private static final Duration MAX = Duration.ofDays(1);

    /** What holds if nothing is set. */
    public static final TimeLimits DEFAULTS = new TimeLimits(
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            Duration.ofSeconds(5),
            Duration.ofMillis(800),
            Duration.ofSeconds(3),
            Duration.ofSeconds(1),
            Duration.ofSeconds(2));

    public TimeLimits {
        check("operation", operation);
        check("opening", opening);
        check("connect", connect);
        check("silenceRemoval", silenceRemoval);
        check("lease", lease);
        check("reconnect", reconnect);
        check("registryCheck", registryCheck);
        requireShorter("silenceRemoval", silenceRemoval, "lease", lease, "a dead replica would stop reads");
        requireShorter("silenceRemoval", silenceRemoval, "operation", operation, "a dead replica would fail writes");
        requireShorter("lease", lease, "opening", opening, "taking over from a dead engine would never succeed");
    }

    private static void check(String name, Duration limit) {
        if (limit.isNegative() || limit.isZero() || limit.compareTo(MAX) > 0) {
            throw new IllegalArgumentException(name + " must be positive and at most a day, was " + limit);
        }
    }

    private static void requireShorter(String name, Duration shorter, String otherName, Duration longer, String why) {
        if (shorter.compareTo(longer) >= 0) {
            throw new IllegalArgumentException(
                    name + " " + shorter + " must be shorter than " + otherName + " " + longer + ": " + why);
        }
    }
}
