package io.longhorn.backup;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Threads that take piece after piece until there are none, while the caller's thread watches. The first failure ends all. */
final class Workers {
    private static final long WATCH_MILLIS = 200;

    private Workers() {}

    /** Work that several threads share; each of them has one of its own. */
    interface Work {
        /** Does the next piece; false if there is none left. */
        boolean next() throws Exception;

        /** Called when no more pieces are done, whatever the reason. */
        default void end() {}
    }

    /** Makes a thread's work, on that thread. */
    interface Worker {
        Work begin();
    }

    /**
     * Runs until all pieces are done.
     *
     * @param name of the threads
     * @param watch called a few times a second on the caller's thread; what it throws ends the work
     * @throws InterruptedException if the caller is interrupted: the workers are, too, and have ended
     */
    static void run(String name, int count, Worker worker, Runnable watch) throws Exception {
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        CountDownLatch left = new CountDownLatch(count);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(() -> work(worker, failure, left), name + "-" + (i + 1));
            thread.setDaemon(true);
            threads.add(thread);
        }
        threads.forEach(Thread::start);
        try {
            while (!left.await(WATCH_MILLIS, TimeUnit.MILLISECONDS)) {
                watch.run();
            }
        } catch (InterruptedException | RuntimeException e) {
            failure.compareAndSet(null, e);
            threads.forEach(Thread::interrupt);
            join(threads);
            throw e;
        }
        Throwable first = failure.get();
        if (first instanceof Exception exception) {
            throw exception;
        }
        if (first instanceof Error error) {
            throw error;
        }
    }

    private static void work(Worker worker, AtomicReference<@Nullable Throwable> failure, CountDownLatch left) {
        try {
            Work work = worker.begin();
            try {
                while (failure.get() == null && work.next()) {
                    // Piece after piece.
                }
            } finally {
                work.end();
            }
        } catch (Throwable e) {
            failure.compareAndSet(null, e);
        } finally {
            left.countDown();
        }
    }

    /** Whatever happens to this thread, nothing goes on behind the caller's back. */
    private static void join(List<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
