package io.longhorn.app;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes as people write it: {@code 4096}, {@code 512KiB}, {@code 2GiB}.
 *
 * @param bytes 0 or more
 */
public record ByteSize(long bytes) {

    private static final List<String> UNITS = List.of("", "KiB", "MiB", "GiB", "TiB", "PiB");
    private static final int BITS_PER_UNIT = 10;
    private static final Pattern FORM = Pattern.compile("([0-9]{1,19}) ?([KMGTP]iB)?", Pattern.CASE_INSENSITIVE);

    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("bytes must be 0 or more, was " + bytes);
        }
    }

    /**
     * Reads one.
     *
     * @throws IllegalArgumentException if the text is none, or more than a {@code long} holds
     */
    public static ByteSize parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "a size is a number of bytes, or a whole number and KiB, MiB, GiB or TiB, was \"" + text + "\"");
        }
        int unit = 0;
        for (int i = 1; i < UNITS.size(); i++) {
            if (UNITS.get(i).equalsIgnoreCase(matcher.group(2))) {
                unit = i;
            }
        }
        try {
            return new ByteSize(Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << (BITS_PER_UNIT * unit)));
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException("a size of " + text + " is more than 64 bits hold", e);
        }
    }

    /** The largest unit with a number of at least 1, with one digit behind the point where it does not come out even. */
    @Override
    public String toString() {
        int unit = 0;
        while (unit + 1 < UNITS.size() && bytes >> (BITS_PER_UNIT * (unit + 1)) > 0) {
            unit++;
        }
        if (unit == 0) {
            return bytes + " B";
        }
        double value = (double) bytes / (1L << (BITS_PER_UNIT * unit));
        String number =
                value == Math.rint(value) ? String.valueOf((long) value) : String.format(Locale.ROOT, "%.1f", value);
        return number + " " + UNITS.get(unit);
    }
}
