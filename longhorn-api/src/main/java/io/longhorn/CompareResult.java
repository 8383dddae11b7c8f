package io.longhorn;

/**
 * What {@link Volume#compareAndWrite} found.
 *
 * @param written whether the content was as expected, and therefore replaced
 * @param mismatchBytes how many bytes from the start of the range were as expected before the first that was not; -1 if
 *     all were
 */
public record CompareResult(boolean written, int mismatchBytes) {

    private static final CompareResult WRITTEN = new CompareResult(true, -1);

    public CompareResult {
        if (written != (mismatchBytes == -1) || mismatchBytes < -1) {
            throw new IllegalArgumentException("written " + written + " with mismatchBytes " + mismatchBytes);
        }
    }

    /** The content was as expected and has been replaced. */
    public static CompareResult replaced() {
        return WRITTEN;
    }

    /** The content differs from what was expected, first at this distance from the start of the range. */
    public static CompareResult mismatchAt(int mismatchBytes) {
        return new CompareResult(false, mismatchBytes);
    }
}
