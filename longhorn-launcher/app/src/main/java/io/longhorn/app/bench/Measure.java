package io.longhorn.app.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** What a bench can measure; the user names some of them. */
enum Measure {

    /** Reads and writes without end, beside baselines. */
    LOADS,

    /** What happens to a volume, and what it costs. */
    EVENTS,

    /** Many volumes, and a large one. */
    SCALE,

    /** Backups and restores. */
    BACKUPS,

    /** Volumes as block devices for programs that are not Java. */
    FRONTENDS;

    /** As the user writes it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** For the command line. */
    static final class Converter implements ITypeConverter<Measure> {

        @Override
        public Measure convert(String name) {
            return Arrays.stream(values())
                    .filter(measure -> measure.toString().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("there is nothing named \"" + name
                            + "\" to measure; choose from "
                            + Arrays.stream(values()).map(Measure::toString).collect(Collectors.joining(", "))));
        }
    }
}
