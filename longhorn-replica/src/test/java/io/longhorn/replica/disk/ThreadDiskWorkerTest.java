package io.longhorn.replica.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.longhorn.replica.wire.Loop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ThreadDiskWorkerTest {
    private final TestLoop loop = new TestLoop();
    private final ThreadDiskWorker worker = new ThreadDiskWorker(loop, "disk-1", 60_000);

    @AfterEach
    void close() {
        worker.close();
    }

    @Test
    void worksOfALaneRunInOrderAndOutcomesComeOnTheLoop() throws Exception {
        List<Integer> ran = new ArrayList<>();
        List<Integer> told = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            int number = i;
            worker.run(DiskWorker.Lane.CHECKPOINT, () -> ran.add(number), failure -> {
                assertThat(failure).isNull();
                assertThat(Thread.currentThread()).isSameAs(loop.thread);
                told.add(number);
            });
        }
        loop.runTasks(100);
        assertThat(told)
                .containsExactlyElementsOf(IntStream.range(0, 100).boxed().toList());
        assertThat(ran).isEqualTo(told);
    }

    @Test
    void aLaneDoesNotWaitForAnother() throws Exception {
        CountDownLatch synced = new CountDownLatch(1);
        worker.run(
                DiskWorker.Lane.CHECKPOINT,
                () -> await(synced),
                failure -> assertThat(failure).isNull());
        worker.run(
                DiskWorker.Lane.BACKGROUND,
                () -> await(synced),
                failure -> assertThat(failure).isNull());
        worker.run(
                DiskWorker.Lane.JOURNAL_SYNC,
                synced::countDown,
                failure -> assertThat(failure).isNull());
        loop.runTasks(3);
    }

    @Test
    void threadsAreNamedDaemonsThatCannotBeInterrupted() throws Exception {
        for (DiskWorker.Lane lane : DiskWorker.Lane.values()) {
            AtomicReference<Thread> thread = new AtomicReference<>();
            worker.run(lane, () -> thread.set(Thread.currentThread()), failure -> {});
            loop.runTasks(1);
            String name = switch (lane) {
                case JOURNAL_SYNC -> "longhorn-sync-disk-1";
                case CHECKPOINT -> "longhorn-checkpoint-disk-1";
                case BACKGROUND -> "longhorn-background-disk-1";
            };
            assertThat(thread.get().getName()).isEqualTo(name);
            assertThat(thread.get().isDaemon()).isTrue();
            assertThat(thread.get()).isInstanceOf(DiskThread.class);
        }
    }

    @Test
    void failuresAreToldAndTheLaneGoesOn() throws Exception {
        IOException broken = new IOException("broken");
        AtomicReference<IOException> first = new AtomicReference<>();
        AtomicReference<IOException> second = new AtomicReference<>();
        AtomicReference<IOException> third = new AtomicReference<>(broken);
        worker.run(
                DiskWorker.Lane.BACKGROUND,
                () -> {
                    throw broken;
                },
                first::set);
        worker.run(
                DiskWorker.Lane.BACKGROUND,
                () -> {
                    throw new IllegalStateException("wrong");
                },
                second::set);
        worker.run(DiskWorker.Lane.BACKGROUND, () -> {}, third::set);
        loop.runTasks(3);
        assertThat(first.get()).isSameAs(broken);
        assertThat(second.get()).hasMessageContaining("wrong").hasCauseInstanceOf(IllegalStateException.class);
        assertThat(third.get()).isNull();
    }

    @Test
    void anIdleLaneHasNoThreadAndGetsOneAgain() throws Exception {
        try (ThreadDiskWorker idle = new ThreadDiskWorker(loop, "disk-2", 1)) {
            AtomicReference<Thread> first = new AtomicReference<>();
            AtomicReference<Thread> second = new AtomicReference<>();
            idle.run(DiskWorker.Lane.CHECKPOINT, () -> first.set(Thread.currentThread()), failure -> {});
            loop.runTasks(1);
            first.get().join();
            idle.run(DiskWorker.Lane.CHECKPOINT, () -> second.set(Thread.currentThread()), failure -> {});
            loop.runTasks(1);
            assertThat(second.get()).isNotSameAs(first.get());
        }
    }

    @Test
    void closingLetsWorkFinishAndWaitsForIt() throws Exception {
        List<Integer> ran = new ArrayList<>();
        AtomicReference<Thread> thread = new AtomicReference<>();
        for (int i = 0; i < 50; i++) {
            int number = i;
            worker.run(
                    DiskWorker.Lane.CHECKPOINT,
                    () -> {
                        thread.set(Thread.currentThread());
                        ran.add(number);
                    },
                    failure -> {});
        }
        worker.close();
        assertThat(ran).hasSize(50);
        thread.get().join();
        loop.runTasks(50);
        worker.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> worker.run(DiskWorker.Lane.CHECKPOINT, () -> {}, failure -> {}))
                .withMessageContaining("closed");
    }

    @Test
    void aLaneHasALimit() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch started = new CountDownLatch(1);
        worker.run(
                DiskWorker.Lane.BACKGROUND,
                () -> {
                    started.countDown();
                    await(release);
                },
                failure -> {});
        await(started);
        for (int i = 0; i < ThreadDiskWorker.QUEUE_MAX; i++) {
            worker.run(DiskWorker.Lane.BACKGROUND, () -> {}, failure -> {});
        }
        assertThatIllegalStateException()
                .isThrownBy(() -> worker.run(DiskWorker.Lane.BACKGROUND, () -> {}, failure -> {}))
                .withMessageContaining("4096");
        release.countDown();
        loop.runTasks(1 + ThreadDiskWorker.QUEUE_MAX);
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(30, TimeUnit.SECONDS)) {
                throw new IllegalStateException("nobody came");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A loop that the test's thread turns by hand. */
    private static final class TestLoop implements Loop {
        private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
        final Thread thread = Thread.currentThread();

        void runTasks(int count) throws InterruptedException {
            for (int i = 0; i < count; i++) {
                Runnable task = tasks.poll(30, TimeUnit.SECONDS);
                assertThat(task).as("task %d of %d", i, count).isNotNull();
                task.run();
            }
        }

        @Override
        public void execute(Runnable task) {
            tasks.add(task);
        }

        @Override
        public void afterInput(Runnable task) {
            tasks.add(task);
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            throw new UnsupportedOperationException("the worker needs no timer");
        }

        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public long wallMillis() {
            return System.currentTimeMillis();
        }

        @Override
        public long nextRandomLong() {
            return 4;
        }

        @Override
        public boolean inLoop() {
            return Thread.currentThread() == thread;
        }
    }
}
