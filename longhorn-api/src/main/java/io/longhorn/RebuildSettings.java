package io.longhorn;

/**
 * How rebuilds and catch-ups behave.
 *
 * @param bytesPerSecondMax the most that one volume's rebuild transfers; 0 is unlimited. Default 0: rebuilds give way to
 *     foreground work by themselves, and the sooner one ends the shorter the volume is exposed
 */
public record RebuildSettings(long bytesPerSecondMax) {

    /** What holds if nothing is set. */
    public static final RebuildSettings DEFAULTS = new RebuildSettings(0);

    public RebuildSettings {
        if (bytesPerSecondMax < 0) {
            throw new IllegalArgumentException(
                    "rebuild bytesPerSecondMax must be 0 (no limit) or more, was " + bytesPerSecondMax);
        }
    }
}
