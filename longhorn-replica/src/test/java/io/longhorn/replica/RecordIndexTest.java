package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RecordIndexTest {

    @Test
    void holdsWhatWasAddedThroughDropsAndTrims() {
        Random random = new Random(1);
        RecordIndex index = new RecordIndex();
        index.startAt(7);
        ArrayDeque<Long> positions = new ArrayDeque<>();
        long first = 7;
        long position = 0;
        for (int step = 0; step < 500; step++) {
            for (int i = random.nextInt(200); i > 0; i--) {
                index.add(position, 64, 3, 1, position / 64, 2, (int) position);
                positions.add(position);
                position += 64;
            }
            int dropped = random.nextInt(4) == 0 ? positions.size() : random.nextInt(positions.size() + 1);
            for (int i = 0; i < dropped; i++) {
                positions.remove();
            }
            first += dropped;
            index.dropBefore(first);
            if (random.nextInt(5) == 0) {
                index.trim();
            }
            assertSame(index, first, positions);
        }
    }

    private static void assertSame(RecordIndex index, long first, ArrayDeque<Long> positions) {
        assertThat(index.firstSequence()).isEqualTo(first);
        assertThat(index.endSequence()).isEqualTo(first + positions.size());
        long sequence = first;
        for (long expected : positions) {
            assertThat(index.position(sequence)).isEqualTo(expected);
            assertThat(index.endPosition(sequence)).isEqualTo(expected + 64);
            assertThat(index.type(sequence)).isEqualTo(3);
            assertThat(index.flags(sequence)).isEqualTo(1);
            assertThat(index.firstBlock(sequence)).isEqualTo(expected / 64);
            assertThat(index.blockCount(sequence)).isEqualTo(2);
            assertThat(index.firstCrc(sequence)).isEqualTo((int) expected);
            sequence++;
        }
        assertThat(index.holds(sequence)).isFalse();
        assertThatThrownBy(() -> index.position(first - 1)).isInstanceOf(IllegalStateException.class);
    }
}
