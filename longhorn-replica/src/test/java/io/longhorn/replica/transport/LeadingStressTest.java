package io.longhorn.replica.transport;

import static io.longhorn.replica.transport.TestPeer.on;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Many threads enter, lead, queue tasks and are interrupted, against real sockets. What is checked: never two threads in the loop at once, no
 * operation left without an answer, no interrupt lost, no connection closed.
 */
class LeadingStressTest {
    private static final long RUN_NANOS = 2_000_000_000L;
    /** A run on a loaded machine goes on until it did so much. */
    private static final int OPERATIONS_MIN = 100;
    /** Much longer than any operation takes, much shorter than what would be noticed anyhow. */
    private static final long STUCK_NANOS = 20_000_000_000L;

    private final ConcurrentLinkedQueue<Throwable> thrown = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<String> troubles = new ConcurrentLinkedQueue<>();
    private final NioLoop near = new NioLoop("test-near", thrown::add);
    private final NioLoop far = new NioLoop("test-far", thrown::add);
    private final AtomicLong numbers = new AtomicLong();

    /** Plain state of the near loop: any race or double holding would break it. */
    private final Map<Long, Operation> waiting = new HashMap<>();

    private long submitted;
    private long answered;
    private @Nullable Thread inside;

    private static final class Operation implements BooleanSupplier {
        private final long number;
        private final Thread caller;
        private volatile boolean done;

        Operation(long number, Thread caller) {
            this.number = number;
            this.caller = caller;
        }

        @Override
        public boolean getAsBoolean() {
            return done;
        }
    }

    private void enterCheck() {
        if (inside != null || !near.inLoop()) {
            troubles.add(Thread.currentThread() + " came in while " + inside + " was inside");
        }
        inside = Thread.currentThread();
    }

    private void leaveCheck() {
        if (inside != Thread.currentThread()) {
            troubles.add(Thread.currentThread() + " was joined by " + inside);
        }
        inside = null;
    }

    private void submit(EchoPair pair, Operation operation, int blocks) {
        enterCheck();
        waiting.put(operation.number, operation);
        submitted++;
        pair.send(operation.number, blocks);
        leaveCheck();
    }

    private void answer(long number) {
        enterCheck();
        Operation operation = waiting.remove(number);
        answered++;
        if (operation == null) {
            troubles.add("answer to an unknown operation");
        } else {
            operation.done = true;
            near.unblock(operation.caller);
        }
        leaveCheck();
    }

    /** One blocking operation, as an engine does it. */
    private void operate(EchoPair pair, SplittableRandom random) {
        Operation operation = new Operation(numbers.getAndIncrement(), Thread.currentThread());
        int blocks = random.nextInt(8) == 0 ? random.nextInt(64) : 1;
        boolean viaTask = random.nextInt(4) == 0 || !near.tryEnter();
        if (viaTask) {
            near.execute(() -> submit(pair, operation, blocks));
        } else {
            submit(pair, operation, blocks);
            if (random.nextInt(8) == 0) {
                near.exit();
            }
        }
        near.awaitLeading(operation, System.nanoTime() + STUCK_NANOS);
        if (!operation.done) {
            troubles.add("operation " + operation.number + " got no answer; via task: " + viaTask);
        }
        if (near.inLoop()) {
            troubles.add("still in the loop after " + operation.number);
        }
    }

    private void think(SplittableRandom random) {
        int what = random.nextInt(100);
        // Mostly none, sometimes longer than the loop's thread stands by.
        long nanos = what < 80 ? 0 : what < 98 ? random.nextInt(50_000) : random.nextInt(4_000_000);
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    private void run(EchoPair.Opener opener, int callers, boolean interrupts, boolean others) throws Exception {
        try (EchoPair pair = new EchoPair(near, far, opener)) {
            on(near, () -> pair.onAnswer = this::answer);
            long end = System.nanoTime() + RUN_NANOS;
            List<Thread> threads = new ArrayList<>();
            AtomicLong interruptsSeen = new AtomicLong();
            AtomicLong operations = new AtomicLong();
            BooleanSupplier goesOn = () -> troubles.isEmpty()
                    && (System.nanoTime() - end < 0
                            || operations.get() < OPERATIONS_MIN
                            || (interrupts && interruptsSeen.get() == 0));
            for (int i = 0; i < callers; i++) {
                SplittableRandom random = new SplittableRandom(i);
                threads.add(new Thread(() -> {
                    while (goesOn.getAsBoolean()) {
                        operate(pair, random);
                        operations.incrementAndGet();
                        if (Thread.interrupted()) {
                            interruptsSeen.incrementAndGet();
                        }
                        think(random);
                    }
                }));
            }
            List<Thread> victims = List.copyOf(threads);
            if (interrupts) {
                threads.add(new Thread(() -> {
                    SplittableRandom random = new SplittableRandom(99);
                    while (goesOn.getAsBoolean()) {
                        victims.get(random.nextInt(victims.size())).interrupt();
                        Thread.onSpinWait();
                    }
                }));
            }
            if (others) {
                threads.add(new Thread(() -> {
                    SplittableRandom random = new SplittableRandom(98);
                    while (goesOn.getAsBoolean()) {
                        near.execute(() -> {
                            enterCheck();
                            near.schedule(random.nextInt(3_000_000), () -> {
                                enterCheck();
                                leaveCheck();
                            });
                            leaveCheck();
                        });
                        if (near.tryEnter()) {
                            enterCheck();
                            near.expectInput(1);
                            near.afterInput(() -> near.expectInput(-1));
                            leaveCheck();
                            near.exit();
                        }
                        think(random);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(troubles).isEmpty();
            assertThat(pair.troubles).isEmpty();
            assertThat(thrown).isEmpty();
            on(near, () -> {
                assertThat(waiting).isEmpty();
                assertThat(answered).isEqualTo(submitted).isEqualTo(operations.get());
            });
        }
    }

    @Test
    void oneCaller() throws Exception {
        run(EchoPair::overTcp, 1, false, false);
    }

    @Test
    void oneCallerBesideTasksTimersAndAsynchronousWork() throws Exception {
        run(EchoPair::overTcp, 1, false, true);
    }

    @Test
    void oneCallerThatIsInterruptedAllTheTime() throws Exception {
        run(EchoPair::overTcp, 1, true, false);
    }

    @Test
    void twoCallers() throws Exception {
        run(EchoPair::overTcp, 2, false, false);
    }

    @Test
    void manyCallersWithEverythingElse() throws Exception {
        run(EchoPair::overTcp, 5, true, true);
    }

    @Test
    void manyCallersInsideTheProcess() throws Exception {
        run(EchoPair::inProcess, 3, true, true);
    }
}
