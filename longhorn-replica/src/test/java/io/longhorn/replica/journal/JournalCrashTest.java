package io.longhorn.replica.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.disk.DiskWorker;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random work with crashes: nothing durable is lost, nothing comes back, nothing is called damage that is not. */
class JournalCrashTest {
    private static final int RUNS = 60;
    private static final int STEPS = 60;

    private final JournalRig rig = new JournalRig();
    /** Records that the journal must hold, oldest first, then those that it may hold. */
    private final List<JournalRig.Entry> appended = new ArrayList<>();

    private long released;
    private long sequence;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void durableRecordsSurviveAndTheRestIsAPrefix(long seedBase) throws IOException {
        for (long seed = seedBase * 1000; seed < seedBase * 1000 + RUNS; seed++) {
            JournalCrashTest run = new JournalCrashTest();
            run.rig.settings = JournalSettings.of(JournalSettings.SEGMENT_BYTES_MIN + (64 << 10), 5);
            try {
                run.run(new Random(seed));
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private void run(Random random) throws IOException {
        rig.open();
        for (int step = 0; step < STEPS; step++) {
            switch (random.nextInt(12)) {
                case 0, 1, 2, 3, 4 -> append(random);
                case 5 -> rig.journal().requestSync();
                case 6 -> rig.worker.runOne(DiskWorker.Lane.JOURNAL_SYNC);
                case 7 -> rig.worker.runOne(DiskWorker.Lane.CHECKPOINT);
                case 8 -> rig.worker.runAll();
                case 9 -> release(random);
                case 10 -> rig.journal().noteDurable();
                default -> crash(random);
            }
            assertThat(rig.failures).isEmpty();
        }
    }

    private void append(Random random) {
        ByteBuffer[] frames = new ByteBuffer[1 + random.nextInt(4)];
        for (int i = 0; i < frames.length; i++) {
            frames[i] = random.nextInt(4) == 0
                    ? rig.discard(++sequence)
                    : rig.write(++sequence, 1 + random.nextInt(random.nextBoolean() ? 2 : 20));
        }
        List<JournalRig.Entry> placed = new ArrayList<>();
        Journal.Appended outcome = rig.append(1 + random.nextInt(3), JournalRig.join(frames), placed);
        assertThat(outcome).isNotEqualTo(Journal.Appended.FAILED);
        appended.addAll(placed);
    }

    private void release(Random random) {
        long durable = rig.journal().durablePosition();
        List<JournalRig.Entry> candidates =
                appended.stream().filter(each -> end(each) <= durable).toList();
        if (!candidates.isEmpty()) {
            JournalRig.Entry last = candidates.get(random.nextInt(candidates.size()));
            released = Math.max(released, end(last));
            rig.journal().release(released);
        }
    }

    private static long end(JournalRig.Entry entry) {
        return entry.position() + entry.frame().limit();
    }

    private void crash(Random random) throws IOException {
        long durable = rig.journal().durablePosition();
        boolean power = random.nextBoolean();
        if (power) {
            rig.disk.crash(random);
        }
        rig.open();
        if (random.nextInt(4) == 0) {
            rig.disk.crash(random);
            rig.open();
        }
        List<JournalRig.Entry> needed =
                appended.stream().filter(each -> each.position() >= released).toList();
        List<JournalRig.Entry> found =
                rig.found.stream().filter(each -> each.position() >= released).toList();
        assertThat(rig.gaps).isEmpty();
        assertThat(found.size()).isLessThanOrEqualTo(needed.size());
        assertThat(found).isEqualTo(needed.subList(0, found.size()));
        long mustBeThere = needed.stream().filter(each -> end(each) <= durable).count();
        assertThat((long) found.size()).isGreaterThanOrEqualTo(mustBeThere);
        if (!power) {
            assertThat(found).hasSameSizeAs(needed);
        }
        appended.clear();
        appended.addAll(found);
        if (random.nextBoolean()) {
            rig.worker.runAll();
        }
    }

    @Test
    void aCrashInTheMiddleOfAWriteLeavesTheRecordsBeforeIt() throws IOException {
        for (long seed = 0; seed < 100; seed++) {
            JournalRig each = new JournalRig();
            each.openAndPrepare();
            JournalRig.Entry durable = each.append(1, 1, 3);
            each.sync();
            each.disk.failingWrite = "segment";
            each.append(1, JournalRig.join(each.write(2, 5), each.write(3, 5)), new ArrayList<>());
            each.disk.failingWrite = "-none-";
            each.disk.crash(new Random(seed));
            each.open();
            assertThat(each.found).startsWith(durable).hasSizeLessThanOrEqualTo(2);
            assertThat(each.gaps).isEmpty();
        }
    }
}
