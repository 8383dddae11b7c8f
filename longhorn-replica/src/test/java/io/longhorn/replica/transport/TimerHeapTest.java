package io.longhorn.replica.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TimerHeapTest {

    @Test
    void behavesLikeASortedMapUnderRandomUse() {
        long seed = Long.getLong("longhorn.seed", new Random().nextLong());
        Random random = new Random(seed);
        TimerHeap heap = new TimerHeap();
        // By due time, then by creation, as the heap promises.
        TreeMap<Long, Integer> model = new TreeMap<>();
        List<Loop.Timer> timers = new ArrayList<>();
        List<Long> keys = new ArrayList<>();
        List<Integer> ran = new ArrayList<>();
        List<Integer> expected = new ArrayList<>();

        for (int step = 0; step < 20_000; step++) {
            int what = random.nextInt(10);
            if (what < 5) {
                long due = random.nextInt(500);
                int number = timers.size();
                timers.add(heap.add(due, () -> ran.add(number)));
                keys.add(due << 32 | number);
                model.put(due << 32 | number, number);
            } else if (what < 8 && !timers.isEmpty()) {
                int victim = random.nextInt(timers.size());
                timers.get(victim).cancel();
                model.remove(keys.get(victim));
            } else {
                long now = random.nextInt(500);
                Runnable task = heap.pollDue(now, heap.created());
                boolean due = !model.isEmpty() && model.firstKey() >> 32 <= now;
                assertThat(task != null).as("seed %d step %d", seed, step).isEqualTo(due);
                if (task != null) {
                    task.run();
                    expected.add(model.pollFirstEntry().getValue());
                }
            }
            assertThat(heap.size()).as("seed %d", seed).isEqualTo(model.size());
            assertThat(ran).as("seed %d", seed).hasSameSizeAs(expected);
        }
        assertThat(ran).as("seed %d", seed).isEqualTo(expected);
    }

    @Test
    void timeMayWrapAround() {
        TimerHeap heap = new TimerHeap();
        List<String> ran = new ArrayList<>();
        heap.add(Long.MIN_VALUE + 5, () -> ran.add("after the wrap"));
        heap.add(Long.MAX_VALUE - 5, () -> ran.add("before the wrap"));

        Runnable first = heap.pollDue(Long.MAX_VALUE, heap.created());
        assertThat(first).isNotNull();
        first.run();
        assertThat(heap.pollDue(Long.MAX_VALUE, heap.created())).isNull();
        assertThat(ran).containsExactly("before the wrap");
    }
}
