package io.longhorn.frontend.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SideBySideTest {

    private final Set<String> tried = ConcurrentHashMap.newKeySet();

    private static List<String> names(int count) {
        return IntStream.range(0, count).mapToObj(number -> "disk-" + number).toList();
    }

    @Test
    void oneThatWaitsDoesNotHoldUpTheOthers() throws Exception {
        CyclicBarrier together = new CyclicBarrier(SideBySide.THREADS_MAX);
        List<String> names = names(2 * SideBySide.THREADS_MAX);
        SideBySide.run(names, name -> {
            await(together);
            tried.add(name);
        });
        assertThat(tried).containsExactlyInAnyOrderElementsOf(names);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new AssertionError("not at the same time", e);
        }
    }

    @Test
    void theFirstFailureIsToldWithTheOthersAfterAllWereTried() {
        List<String> names = names(40);
        assertThatThrownBy(() -> SideBySide.run(names, name -> {
                    tried.add(name);
                    if (name.endsWith("7")) {
                        throw new DeviceBusyException(name, "mounted");
                    }
                }))
                .isInstanceOf(DeviceBusyException.class)
                .hasMessageContaining("disk-7")
                .satisfies(failure -> assertThat(failure.getSuppressed())
                        .extracting(Throwable::getMessage)
                        .satisfiesExactly(
                                second -> assertThat(second).contains("disk-17"),
                                third -> assertThat(third).contains("disk-27"),
                                fourth -> assertThat(fourth).contains("disk-37")));
        assertThat(tried).containsExactlyInAnyOrderElementsOf(names);
    }

    @Test
    void nothingNeedsNoThread() throws Exception {
        SideBySide.run(List.of(), tried::add);
        assertThat(tried).isEmpty();
    }
}
