package io.longhorn.frontend.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.frontend.MemoryDevice;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

class FuseRequestsTest {

    private final FuseSession session = new FuseSession(new MemoryDevice(4096), (request, length) -> {}, 0, 0);
    private final FuseRequests requests =
            new FuseRequests(3, () -> new FuseRequest(session, 0, ByteBuffer.allocate(8)));

    @Test
    void theLastOneUsedIsUsedNext() {
        FuseRequest first = requests.take();
        FuseRequest second = requests.take();
        requests.giveBack(first);
        requests.giveBack(second);
        assertThat(requests.take()).isSameAs(second);
        assertThat(requests.take()).isSameAs(first);
        assertThat(requests.take()).isNotIn(first, second);
    }

    @Test
    void freeOnesAreShownAndStayFree() {
        List<FuseRequest> taken = List.of(requests.take(), requests.take());
        taken.forEach(requests::giveBack);
        List<FuseRequest> shown = new ArrayList<>();
        requests.forEachFree(shown::add);
        assertThat(shown).containsExactlyInAnyOrderElementsOf(taken);
        List<FuseRequest> drained = new ArrayList<>();
        requests.drain(drained::add);
        assertThat(drained).containsExactlyInAnyOrderElementsOf(taken);
    }

    @Test
    void noneIsLostOrGivenTwiceWhenOthersGiveBack() throws InterruptedException {
        BlockingQueue<FuseRequest> inUse = new LinkedBlockingQueue<>();
        int rounds = 100_000;
        Thread[] givers = new Thread[2];
        for (int i = 0; i < givers.length; i++) {
            givers[i] = new Thread(() -> {
                for (int round = 0; round < rounds / givers.length; round++) {
                    try {
                        requests.giveBack(inUse.take());
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
            });
            givers[i].start();
        }
        for (int round = 0; round < rounds; round++) {
            FuseRequest request = requests.take();
            assertThat(inUse.contains(request)).isFalse();
            inUse.add(request);
        }
        for (Thread giver : givers) {
            giver.join();
        }
        List<FuseRequest> all = new ArrayList<>();
        requests.drain(all::add);
        assertThat(all).hasSize(3).doesNotHaveDuplicates();
    }
}
