package io.longhorn.backup.s3;

import java.time.Duration;

/**
 * How long a call goes on, and how much it asks for at once.
 *
 * @param attemptsMax of one request, the first among them
 * @param backOff before the second attempt at most; doubles with each one, and a random part of it is waited
 * @param backOffMax what it doubles up to
 * @param connecting to the server, at most
 * @param silence within a request, until it counts as failed: no byte sent, none received
 * @param call all attempts at one request together, when it moves few bytes
 * @param pageObjects in one page of a listing, and in one deletion; the protocol allows 1000
 */
record S3Limits(
        int attemptsMax,
        Duration backOff,
        Duration backOffMax,
        Duration connecting,
        Duration silence,
        Duration call,
        int pageObjects) {

    /** Outlasts a restart of a server. A call on a lock must fail before the lock expires, after 150 s. */
    static final S3Limits DEFAULT = new S3Limits(
            8,
            Duration.ofMillis(250),
            Duration.ofSeconds(20),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofSeconds(120),
            1000);

    /** A slower line cannot hold a backup. */
    private static final long BYTES_PER_SECOND_MIN = 256 << 10;

    S3Limits {
        if (attemptsMax < 1 || pageObjects < 1 || pageObjects > 1000) {
            throw new IllegalArgumentException(
                    "attemptsMax is 1 or more, pageObjects 1 to 1000, were " + attemptsMax + " and " + pageObjects);
        }
    }

    /** All attempts at a request that moves up to so many bytes. */
    Duration call(long bytesMax) {
        return call.plusSeconds(bytesMax / BYTES_PER_SECOND_MIN);
    }
}
