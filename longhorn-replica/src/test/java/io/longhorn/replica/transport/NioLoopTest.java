package io.longhorn.replica.transport;

import static io.longhorn.replica.transport.TestPeer.get;
import static io.longhorn.replica.transport.TestPeer.on;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.replica.wire.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.ObjIntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NioLoopTest {
    private static final int FLOODING_THREADS = 4;
    private static final int TASKS_OF_EACH = 30_000;

    private final LinkedBlockingQueue<Throwable> thrown = new LinkedBlockingQueue<>();
    private final NioLoop loop = new NioLoop("test-loop", thrown::add);

    @AfterEach
    void close() {
        loop.close();
    }

    @Test
    void tasksRunOnTheLoopInTheOrderOfTheCalls() {
        List<Integer> order = new ArrayList<>();
        CompletableFuture<Boolean> inLoop = new CompletableFuture<>();
        for (int i = 0; i < 20_000; i++) {
            int number = i;
            loop.execute(() -> order.add(number));
        }
        loop.execute(() -> inLoop.complete(loop.inLoop()));

        assertThat(get(inLoop)).isTrue();
        assertThat(loop.inLoop()).isFalse();
        assertThat(order).hasSize(20_000).isSorted();
    }

    @Test
    void eachThreadsTasksKeepTheirOrderWhenManyThreadsFloodTheLoop() throws Exception {
        int[] last = new int[FLOODING_THREADS];
        int[] disorder = new int[1];
        CountDownLatch done = new CountDownLatch(FLOODING_THREADS * TASKS_OF_EACH);
        flood((thread, number) -> loop.execute(() -> {
            if (last[thread] + 1 != number) {
                disorder[0]++;
            }
            last[thread] = number;
            done.countDown();
        }));

        assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
        on(loop, () -> assertThat(disorder[0]).isZero());
    }

    @Test
    void aPromptTaskOfAQuietLoopRunsOnTheCaller() {
        List<Object> ran = new ArrayList<>();
        do {
            // The loop may be awake for reasons of its own.
            ran.clear();
            CompletableFuture<Void> done = new CompletableFuture<>();
            loop.executePromptly(() -> {
                ran.add(Thread.currentThread());
                ran.add(loop.inLoop());
                loop.executePromptly(() -> ran.add("task"));
                loop.afterInput(() -> {
                    ran.add("end");
                    done.complete(null);
                });
            });
            get(done);
        } while (ran.get(0) != Thread.currentThread());

        assertThat(ran).containsExactly(Thread.currentThread(), true, "task", "end");
        assertThat(loop.inLoop()).isFalse();
    }

    @Test
    void aLoopOnItsOwnThreadLendsItselfToNobody() {
        try (NioLoop own = NioLoop.onOwnThread("test-own", thrown::add)) {
            for (int i = 0; i < 1000; i++) {
                AtomicBoolean done = new AtomicBoolean();
                CompletableFuture<Thread> prompt = new CompletableFuture<>();
                Thread caller = Thread.currentThread();

                own.executePromptly(() -> prompt.complete(Thread.currentThread()));
                assertThat(own.tryEnter()).isFalse();
                own.execute(() -> {
                    done.set(Thread.currentThread() != caller);
                    own.unblock(caller);
                });
                own.awaitLeading(done::get, own.nanoTime() + TimeUnit.SECONDS.toNanos(30));

                assertThat(done).isTrue();
                assertThat(get(prompt).getName()).isEqualTo("test-own");
            }
        }
    }

    @Test
    void aPromptTaskRunsOnTheLoopsThreadWhileAnswersAreExpected() {
        on(loop, () -> loop.expectInput(1));
        sleeps();
        CompletableFuture<String> thread = new CompletableFuture<>();

        loop.executePromptly(() -> thread.complete(Thread.currentThread().getName()));

        assertThat(get(thread)).isEqualTo("test-loop");
        on(loop, () -> loop.expectInput(-1));
    }

    @Test
    void aTimerSetByAPromptTaskFires() {
        sleeps();
        CompletableFuture<String> thread = new CompletableFuture<>();

        loop.executePromptly(() -> loop.schedule(
                1_000_000, () -> thread.complete(Thread.currentThread().getName())));

        assertThat(get(thread)).isEqualTo("test-loop");
    }

    @Test
    void whatAPromptTaskThrowsIsReportedAndKeptFromTheCaller() throws Exception {
        sleeps();
        IllegalStateException failure = new IllegalStateException("on purpose");

        loop.executePromptly(() -> {
            throw failure;
        });

        assertThat(thrown.poll(10, TimeUnit.SECONDS)).isSameAs(failure);
        on(loop, () -> assertThat(loop.inLoop()).isTrue());
    }

    @Test
    void promptTasksOfManyThreadsRunOneAtATimeAndNoneIsLost() throws Exception {
        int[] count = new int[1];
        CountDownLatch done = new CountDownLatch(FLOODING_THREADS * TASKS_OF_EACH);
        flood((thread, number) -> loop.executePromptly(() -> {
            count[0]++;
            done.countDown();
        }));

        assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
        on(loop, () -> assertThat(count[0]).isEqualTo(FLOODING_THREADS * TASKS_OF_EACH));
    }

    /** Has several threads give tasks at once; each is told its own number, from 0, and that of the task, from 1. */
    private static void flood(ObjIntConsumer<Integer> giving) throws InterruptedException {
        List<Thread> started = new ArrayList<>();
        for (int t = 0; t < FLOODING_THREADS; t++) {
            int thread = t;
            Thread producer = new Thread(() -> {
                for (int i = 1; i <= TASKS_OF_EACH; i++) {
                    giving.accept(thread, i);
                }
            });
            producer.start();
            started.add(producer);
        }
        for (Thread producer : started) {
            producer.join();
        }
    }

    @Test
    void aClosedLoopRefusesPromptTasks() {
        loop.close();

        assertThatThrownBy(() -> loop.executePromptly(() -> {})).isInstanceOf(RejectedExecutionException.class);
    }

    /** Returns when nobody runs the loop. */
    private void sleeps() {
        while (!loop.tryEnter()) {
            Thread.onSpinWait();
        }
        loop.exit();
    }

    @Test
    void aTurnRunsTasksThenWhatWaitsForItsEndThenTimers() {
        List<String> order = new ArrayList<>();
        CompletableFuture<Void> done = new CompletableFuture<>();
        on(loop, () -> {
            loop.schedule(0, () -> {
                order.add("timer");
                done.complete(null);
            });
            loop.afterInput(() -> order.add("end"));
            loop.execute(() -> order.add("task"));
        });
        get(done);

        assertThat(order).containsExactly("task", "end", "timer");
    }

    @Test
    void timersRunInOrderOfTheirTimeAndNotBeforeIt() {
        List<Integer> order = new ArrayList<>();
        CompletableFuture<Long> last = new CompletableFuture<>();
        CompletableFuture<Long> start = new CompletableFuture<>();
        on(loop, () -> {
            start.complete(loop.nanoTime());
            for (int millis : new int[] {30, 10, 20, 10}) {
                loop.schedule(millis * 1_000_000L, () -> {
                    order.add(millis);
                    if (order.size() == 4) {
                        last.complete(loop.nanoTime());
                    }
                });
            }
        });

        assertThat(get(last) - get(start)).isGreaterThanOrEqualTo(30_000_000L);
        assertThat(order).containsExactly(10, 10, 20, 30);
    }

    @Test
    void aCancelledTimerDoesNotRun() {
        List<String> ran = new ArrayList<>();
        CompletableFuture<Void> done = new CompletableFuture<>();
        on(loop, () -> {
            Loop.Timer first = loop.schedule(5_000_000, () -> ran.add("first"));
            Loop.Timer second = loop.schedule(6_000_000, () -> ran.add("second"));
            loop.schedule(7_000_000, () -> {
                ran.add("third");
                second.cancel();
                done.complete(null);
            });
            first.cancel();
            first.cancel();
        });
        get(done);

        assertThat(ran).containsExactly("second", "third");
    }

    @Test
    void aTimerSetByATimerWithoutDelayLetsOthersRun() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        on(
                loop,
                () -> loop.schedule(0, new Runnable() {
                    private int rounds;

                    @Override
                    public void run() {
                        if (++rounds == 3) {
                            loop.execute(() -> done.complete(null));
                        }
                        if (!done.isDone()) {
                            loop.schedule(0, this);
                        }
                    }
                }));

        get(done);
    }

    @Test
    void aTaskThatThrowsIsReportedAndTheLoopGoesOn() throws Exception {
        IllegalStateException planted = new IllegalStateException("planted");
        on(loop, () -> {
            loop.execute(() -> {
                throw planted;
            });
            loop.afterInput(() -> {
                throw planted;
            });
            loop.schedule(0, () -> {
                throw planted;
            });
        });

        for (int i = 0; i < 3; i++) {
            assertThat(thrown.poll(30, TimeUnit.SECONDS)).isSameAs(planted);
        }
        on(loop, () -> assertThat(loop.inLoop()).isTrue());
    }

    @Test
    void closingRunsWhatWasQueuedAndRefusesTheRest() {
        CountDownLatch ran = new CountDownLatch(1000);
        for (int i = 0; i < 1000; i++) {
            loop.execute(ran::countDown);
        }
        loop.close();
        loop.close();

        assertThat(ran.getCount()).isZero();
        assertThatThrownBy(() -> loop.execute(ran::countDown))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("test-loop");
    }

    @Test
    void aLoopMayCloseItself() {
        on(loop, loop::close);
        loop.close();

        assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void whatWaitsForTheEndOfATurnRunsAlsoIfTheLoopEndsFirst() {
        List<String> ran = new ArrayList<>();
        on(loop, () -> {
            loop.add(() -> loop.afterInput(() -> ran.add("of what was told that the loop ends")));
            loop.close();
            loop.afterInput(() -> ran.add("of the turn that closed it"));
        });
        loop.close();

        assertThat(ran).containsExactly("of the turn that closed it", "of what was told that the loop ends");
    }

    @Test
    void anIdleLoopSleeps() throws Exception {
        on(loop, () -> {});
        java.lang.management.ThreadMXBean threads = java.lang.management.ManagementFactory.getThreadMXBean();
        CompletableFuture<Long> id = new CompletableFuture<>();
        loop.execute(() -> id.complete(Thread.currentThread().getId()));
        long before = threads.getThreadCpuTime(get(id));
        // Waiting for something that never comes, in place of a sleep.
        assertThat(thrown.poll(200, TimeUnit.MILLISECONDS)).isNull();

        assertThat(threads.getThreadCpuTime(get(id)) - before).isLessThan(50_000_000L);
    }
}
