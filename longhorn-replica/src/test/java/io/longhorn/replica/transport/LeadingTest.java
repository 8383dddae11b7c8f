package io.longhorn.replica.transport;

import static io.longhorn.replica.transport.TestPeer.get;
import static io.longhorn.replica.transport.TestPeer.on;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Closeable;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Entering a loop and leading it, one step at a time; {@link LeadingStressTest} does it all at once. */
class LeadingTest {
    private static final long LIMIT_NANOS = 30_000_000_000L;

    private final List<Throwable> thrown = new ArrayList<>();
    private final NioLoop loop = new NioLoop("test-loop", thrown::add);

    @AfterEach
    void close() {
        loop.close();
        assertThat(thrown).isEmpty();
    }

    private static long limit() {
        return System.nanoTime() + LIMIT_NANOS;
    }

    /** Enters as soon as the loop's thread sleeps. */
    private void enter() {
        long limit = limit();
        while (!loop.tryEnter()) {
            assertThat(limit - System.nanoTime()).isPositive();
            Thread.onSpinWait();
        }
    }

    @Test
    void whoEntersIsInTheLoopAlone() throws Exception {
        enter();
        assertThat(loop.inLoop()).isTrue();
        assertThat(loop.tryEnter()).as("twice").isFalse();
        CompletableFuture<Boolean> other = CompletableFuture.supplyAsync(() -> loop.inLoop() || loop.tryEnter());
        assertThat(get(other)).isFalse();
        AtomicBoolean ran = new AtomicBoolean();
        Thread me = Thread.currentThread();
        AtomicReference<Thread> runner = new AtomicReference<>();
        CompletableFuture.runAsync(() -> loop.execute(() -> {
                    runner.set(Thread.currentThread());
                    ran.set(true);
                }))
                .get();
        assertThat(ran).as("while somebody else is inside").isFalse();

        loop.exit();

        assertThat(runner).hasValue(me);
        assertThat(loop.inLoop()).isFalse();
    }

    @Test
    void nobodyEntersWhileTheLoopRuns() {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch hold = new CountDownLatch(1);
        loop.execute(() -> {
            running.countDown();
            ConnectionContract.await(hold);
        });
        ConnectionContract.await(running);

        assertThat(loop.tryEnter()).isFalse();
        hold.countDown();
    }

    @Test
    void leavingWithoutEnteringIsRefused() {
        assertThatThrownBy(loop::exit).isInstanceOf(IllegalStateException.class);
        enter();
        loop.execute(() -> assertThatThrownBy(loop::exit).isInstanceOf(IllegalStateException.class));
        loop.execute(() -> assertThatThrownBy(() -> loop.awaitLeading(() -> true, limit()))
                .isInstanceOf(IllegalStateException.class));
        loop.exit();
        on(
                loop,
                () -> assertThatThrownBy(() -> loop.awaitLeading(() -> true, limit()))
                        .isInstanceOf(IllegalStateException.class));
    }

    @Test
    void aTimerSetInsideIsSeenByTheSleepingThread() {
        CompletableFuture<Void> ran = new CompletableFuture<>();
        enter();
        loop.schedule(20_000_000, () -> ran.complete(null));
        loop.exit();

        get(ran);
    }

    @Test
    void waitingEndsAtTheDeadline() {
        long start = System.nanoTime();
        loop.awaitLeading(() -> false, start + 20_000_000);
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(20_000_000L);

        enter();
        loop.awaitLeading(() -> false, System.nanoTime() + 20_000_000);
        assertThat(loop.inLoop()).isFalse();
    }

    @Test
    void aVirtualThreadWaitsWithoutLeading() throws Exception {
        Method start;
        try {
            start = Thread.class.getMethod("startVirtualThread", Runnable.class);
        } catch (NoSuchMethodException e) {
            Assumptions.abort("this Java has no virtual threads");
            throw e;
        }
        comeToLead();
        AtomicReference<Thread> runner = new AtomicReference<>();
        AtomicBoolean done = new AtomicBoolean();
        Runnable wait = () -> {
            Thread me = Thread.currentThread();
            enter();
            loop.schedule(1_000_000, () -> {
                runner.set(Thread.currentThread());
                done.set(true);
                loop.unblock(me);
            });
            loop.awaitLeading(done::get, limit());
        };
        ((Thread) start.invoke(null, wait)).join();

        assertThat(done).isTrue();
        assertThat(runner.get().getName()).isEqualTo("test-loop");
    }

    @Test
    void waitingEndsWhenTheLoopIsClosed() {
        CompletableFuture<Void> waiter =
                CompletableFuture.runAsync(() -> loop.awaitLeading(() -> false, Long.MAX_VALUE / 2));
        loop.close();

        get(waiter);
        assertThat(loop.tryEnter()).isFalse();
    }

    @Test
    void whatATaskCompletesEndsTheWait() {
        for (int i = 0; i < 200; i++) {
            AtomicBoolean done = new AtomicBoolean();
            Thread me = Thread.currentThread();
            loop.execute(() -> {
                done.set(true);
                loop.unblock(me);
            });
            loop.awaitLeading(done::get, limit());
            assertThat(done).isTrue();
        }
    }

    @Test
    void aThreadOutsideTheLoopMayEndTheWait() {
        for (int i = 0; i < 200; i++) {
            AtomicBoolean done = new AtomicBoolean();
            Thread me = Thread.currentThread();
            CompletableFuture<Void> other = CompletableFuture.runAsync(() -> {
                done.set(true);
                loop.unblock(me);
            });
            loop.awaitLeading(done::get, limit());
            assertThat(done).isTrue();
            get(other);
        }
    }

    @Test
    void aLoneCallerComesToLead() {
        comeToLead();
    }

    /** Waits for one thing after another until this thread runs the loop meanwhile. */
    private void comeToLead() {
        AtomicReference<Thread> runner = new AtomicReference<>();
        Thread me = Thread.currentThread();
        long limit = limit();
        while (runner.get() != me) {
            assertThat(limit - System.nanoTime()).as("time left").isPositive();
            AtomicBoolean done = new AtomicBoolean();
            enter();
            loop.schedule(100_000, () -> {
                runner.set(Thread.currentThread());
                done.set(true);
                loop.unblock(me);
            });
            loop.awaitLeading(done::get, limit);
        }
    }

    @Test
    void afterLeadersAreGoneTheLoopsThreadRunsTimersAndTasks() {
        comeToLead();

        CompletableFuture<Thread> timer = new CompletableFuture<>();
        enter();
        loop.schedule(10_000_000, () -> timer.complete(Thread.currentThread()));
        loop.awaitLeading(() -> true, limit());
        assertThat(get(timer).getName()).isEqualTo("test-loop");

        comeToLead();
        CompletableFuture<Thread> task = new CompletableFuture<>();
        loop.execute(() -> task.complete(Thread.currentThread()));
        assertThat(get(task).getName()).isEqualTo("test-loop");
    }

    @Test
    void afterALongLeadTheLoopsThreadComesBackForATimer() {
        comeToLead();
        AtomicBoolean done = new AtomicBoolean();
        Thread me = Thread.currentThread();
        CompletableFuture<Thread> late = new CompletableFuture<>();
        enter();
        // Long enough for the loop's thread to give up looking; then long enough to be nobody's business on leaving.
        loop.schedule(20_000_000, () -> {
            done.set(true);
            loop.unblock(me);
        });
        loop.schedule(60_000_000, () -> late.complete(Thread.currentThread()));
        loop.awaitLeading(done::get, limit());

        assertThat(get(late).getName()).isEqualTo("test-loop");
    }

    @Test
    void moreThanASocketTakesLeavesAlsoAfterInlineWork() throws Exception {
        int count = 100;
        NioLoop far = new NioLoop("test-far", thrown::add);
        TestPeer server = new TestPeer(count);
        TestPeer client = new TestPeer();
        try (Closeable listener = EchoPair.overTcp(loop, far, client, server.asAcceptor())) {
            assertThat(listener).isNotNull();
            get(client.connected);
            enter();
            for (int i = 0; i < count; i++) {
                client.connection().send(TestFrames.frame(loop.pool(), i, 0, 64));
            }
            loop.exit();

            server.awaitFrames();
        } finally {
            far.close();
        }
    }

    /**
     * One thread gives the loop a task while another goes in and out of it, at about the same moment, again and again; if the task is forgotten,
     * nothing comes that would have the loop look again.
     */
    @Test
    void noTaskIsForgottenWhoeverLeavesTheLoopAtThatMoment() throws Exception {
        AtomicInteger round = new AtomicInteger();
        AtomicInteger ran = new AtomicInteger();
        int rounds = 60_000;
        Thread visitor = new Thread(() -> {
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 1; i <= rounds; i++) {
                spinUntil(round, i);
                spin(random.nextInt(3000));
                if (loop.tryEnter()) {
                    loop.exit();
                }
            }
        });
        visitor.start();
        SplittableRandom random = new SplittableRandom(2);
        Runnable task = ran::incrementAndGet;
        for (int i = 1; i <= rounds; i++) {
            round.set(i);
            spin(random.nextInt(3000));
            loop.execute(task);
            // Every other time the loop is about to sleep when the next task comes.
            spinUntil(ran, i);
        }
        visitor.join();
        assertThat(ran).hasValue(rounds);
    }

    @Test
    void noTaskIsForgottenByALeaderThatFallsAsleep() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger ran = new AtomicInteger();
        CompletableFuture<Void> leading = new CompletableFuture<>();
        Thread leader = new Thread(() -> {
            comeToLead();
            leading.complete(null);
            loop.awaitLeading(done::get, limit());
        });
        leader.start();
        get(leading);
        SplittableRandom random = new SplittableRandom(3);
        Runnable task = ran::incrementAndGet;
        for (int i = 1; i <= 60_000; i++) {
            spin(random.nextInt(3000));
            loop.execute(task);
            spinUntil(ran, i);
        }
        done.set(true);
        loop.unblock(leader);
        leader.join();
        assertThat(ran).hasValue(60_000);
    }

    private static void spin(int nanos) {
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    private static void spinUntil(AtomicInteger counter, int value) {
        long limit = limit();
        while (counter.get() < value) {
            if (limit - System.nanoTime() < 0) {
                throw new AssertionError("stuck at " + counter + " of " + value);
            }
            Thread.onSpinWait();
        }
    }

    @Test
    void interruptsAreThereAfterwardsAndDoNotEndTheWait() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Boolean> waiting = new CompletableFuture<>();
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread waiter = new Thread(() -> {
            comeToLead();
            waiting.complete(true);
            loop.awaitLeading(done::get, limit());
            interrupted.complete(done.get() && Thread.interrupted());
        });
        waiter.start();
        get(waiting);
        for (int i = 0; i < 100; i++) {
            waiter.interrupt();
            LockSupport.parkNanos(10_000);
        }
        assertThat(interrupted).isNotDone();
        done.set(true);
        loop.unblock(waiter);
        assertThat(get(interrupted)).isTrue();
        waiter.join();

        Thread.currentThread().interrupt();
        enter();
        assertThat(Thread.currentThread().isInterrupted()).as("inside").isFalse();
        loop.exit();
        assertThat(Thread.interrupted()).isTrue();

        Thread.currentThread().interrupt();
        enter();
        loop.awaitLeading(() -> true, limit());
        assertThat(Thread.interrupted()).isTrue();
    }
}
