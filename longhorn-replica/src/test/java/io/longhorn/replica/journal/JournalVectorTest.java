package io.longhorn.replica.journal;

import io.longhorn.replica.disk.GoldenFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Journal segments as version 1 writes and reads them. The vectors end behind the last record; the rest of a segment is zero. */
class JournalVectorTest {
    private final JournalRig rig = new JournalRig();

    @Test
    void aFirstSegmentFollowsItsVector() throws IOException {
        rig.openAndPrepare();
        rig.append(1, JournalRig.join(rig.write(1, 1), rig.discard(2)), new ArrayList<>());
        rig.sync();
        rig.append(2, JournalRig.join(rig.allocate(1)), new ArrayList<>());
        check("journal/v1/first-segment", 0, rig.journal().appendedPosition());
    }

    @Test
    void aLaterSegmentFollowsItsVector() throws IOException {
        rig.openAndPrepare();
        for (int i = 1; i <= 5; i++) {
            rig.append(1, i, 60);
        }
        rig.sync();
        rig.journal().release(rig.journal().durablePosition());
        rig.worker.runAll();
        rig.append(2, JournalRig.join(rig.discard(1)), new ArrayList<>());
        rig.journal().noteDurable();
        check(
                "journal/v1/later-segment-header",
                1,
                rig.journal().appendedPosition() / JournalRig.SEGMENT_BYTES * JournalRig.SEGMENT_BYTES + 4096);
    }

    @Test
    void aReleasedSegmentFollowsItsVector() throws IOException {
        rig.openAndPrepare();
        for (int i = 1; i <= 5; i++) {
            rig.append(1, i, 60);
        }
        rig.sync();
        long end = rig.journal().oldestPosition();
        rig.journal().release(rig.journal().durablePosition());
        rig.worker.runAll();
        check("journal/v1/released-segment-header", 0, end);
    }

    private void check(String vector, int index, long end) throws IOException {
        byte[] bytes = rig.disk.bytes(SegmentFile.name(index));
        byte[] written = Arrays.copyOf(bytes, (int) JournalRig.offsetOf(end));
        GoldenFile.check(vector, written, file -> {
            JournalRig reader = new JournalRig();
            reader.disk.put(SegmentFile.name(index), Arrays.copyOf(file, JournalRig.SEGMENT_BYTES));
            StringBuilder words = new StringBuilder(reader.header(SegmentFile.name(index)) + "\n");
            reader.open();
            reader.found.forEach(each -> words.append("position ")
                    .append(each.position())
                    .append(", slot ")
                    .append(each.slot())
                    .append(", sequence ")
                    .append(each.sequence())
                    .append(", ")
                    .append(each.frame().limit())
                    .append(" bytes\n"));
            return words.toString();
        });
    }
}
