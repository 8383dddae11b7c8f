package io.longhorn.replica.transport;

import static io.longhorn.replica.transport.TestPeer.get;
import static io.longhorn.replica.transport.TestPeer.on;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** A write's way to a peer and its answer's way back allocate nothing, on any thread. */
class TransportAllocationTest {
    private static final int ROUND_TRIPS = 5_000;
    /** When code is compiled is the JDK's affair, and a loaded machine delays it: so many rounds may pass before one allocates nothing. */
    private static final int ROUNDS_MAX = 60;
    /** A handful of objects that are not per operation, such as the JDK's own. */
    private static final double BYTES_PER_ROUND_TRIP = 4;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final NioLoop near = new NioLoop("test-near", e -> {});
    private final NioLoop far = new NioLoop("test-far", e -> {});

    private static final class Operation implements BooleanSupplier {
        private final Thread caller = Thread.currentThread();
        private volatile boolean done;

        @Override
        public boolean getAsBoolean() {
            return done;
        }
    }

    private interface RoundTrip {
        void run(Operation operation);
    }

    private void assertAllocatesNothing(EchoPair pair, Operation operation, RoundTrip roundTrip) {
        on(
                near,
                () -> pair.onAnswer = number -> {
                    operation.done = true;
                    near.unblock(operation.caller);
                });
        long[] ids = {Thread.currentThread().getId(), id(near), id(far)};
        List<Double> perRoundTrip = List.of();
        for (int round = 0; round < ROUNDS_MAX && !isNothing(perRoundTrip); round++) {
            long[] before = threads.getThreadAllocatedBytes(ids);
            for (int i = 0; i < ROUND_TRIPS; i++) {
                roundTrip.run(operation);
            }
            long[] after = threads.getThreadAllocatedBytes(ids);
            perRoundTrip = new ArrayList<>();
            for (int i = 0; i < ids.length; i++) {
                perRoundTrip.add((after[i] - before[i]) / (double) ROUND_TRIPS);
            }
        }
        assertThat(isNothing(perRoundTrip))
                .as("bytes per round trip of caller, near and far loop: %s", perRoundTrip)
                .isTrue();
    }

    private static boolean isNothing(List<Double> perRoundTrip) {
        return !perRoundTrip.isEmpty() && perRoundTrip.stream().allMatch(bytes -> bytes < BYTES_PER_ROUND_TRIP);
    }

    private static long id(NioLoop loop) {
        CompletableFuture<Long> id = new CompletableFuture<>();
        loop.execute(() -> id.complete(Thread.currentThread().getId()));
        return get(id);
    }

    @Test
    void leadingOverTcp() throws Exception {
        try (EchoPair pair = new EchoPair(near, far, EchoPair::overTcp)) {
            Runnable submit = () -> pair.send(1, 1);
            assertAllocatesNothing(pair, new Operation(), operation -> {
                operation.done = false;
                if (near.tryEnter()) {
                    submit.run();
                } else {
                    near.execute(submit);
                }
                near.awaitLeading(operation, System.nanoTime() + 30_000_000_000L);
            });
        }
    }

    @Test
    void tasksOverTcp() throws Exception {
        try (EchoPair pair = new EchoPair(near, far, EchoPair::overTcp)) {
            Runnable submit = () -> pair.send(1, 20);
            assertAllocatesNothing(pair, new Operation(), operation -> {
                operation.done = false;
                near.execute(submit);
                while (!operation.done) {
                    LockSupport.park(this);
                }
            });
        }
    }

    @Test
    void leadingInsideTheProcess() throws Exception {
        try (EchoPair pair = new EchoPair(near, far, EchoPair::inProcess)) {
            Runnable submit = () -> pair.send(1, 1);
            assertAllocatesNothing(pair, new Operation(), operation -> {
                operation.done = false;
                if (near.tryEnter()) {
                    submit.run();
                } else {
                    near.execute(submit);
                }
                near.awaitLeading(operation, System.nanoTime() + 30_000_000_000L);
            });
        }
    }
}
