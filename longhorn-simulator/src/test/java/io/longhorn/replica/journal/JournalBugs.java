package io.longhorn.replica.journal;

import java.util.List;
import net.bytebuddy.implementation.bind.annotation.Argument;

/** Wrong bodies for the journal's rules; each has the name of the method it stands in for. */
public final class JournalBugs {
    private JournalBugs() {}

    /** Appends behind what may be a torn tail. */
    public static Segment segmentToAppendTo(@Argument(0) List<Segment> segments) {
        return segments.get(Math.max(0, segments.size() - 2));
    }
}
