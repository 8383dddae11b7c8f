package io.longhorn.replica.disk;

import java.io.IOException;
import java.io.InterruptedIOException;

/**
 * A thread that cannot be interrupted. {@code FileChannel} closes itself when a thread that is inside it is interrupted, for all its users,
 * and the failure of a sync that ran at that moment is lost. So syncs run only on threads of this kind.
 */
final class DiskThread extends Thread {

    DiskThread(Runnable task, String name) {
        super(task, name);
        setDaemon(true);
    }

    /** Does nothing: whoever wants something of this thread gives it work. */
    @Override
    public void interrupt() {}

    /**
     * Runs {@code work} and returns when it is done: here if this is such a thread, else on one made for it. The caller's interruption is kept
     * for later.
     */
    static void call(DiskWorker.Work work) throws IOException {
        if (Thread.currentThread() instanceof DiskThread) {
            work.run();
            return;
        }
        Call call = new Call(work);
        DiskThread thread = new DiskThread(call, "longhorn-disk-call");
        thread.start();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        call.throwFailure();
    }

    /** Work with its outcome, which {@link Thread#join} makes visible. */
    private static final class Call implements Runnable {
        private final DiskWorker.Work work;
        private boolean succeeded;
        private IOException failure = new InterruptedIOException("did not run");

        Call(DiskWorker.Work work) {
            this.work = work;
        }

        @Override
        public void run() {
            try {
                work.run();
                succeeded = true;
            } catch (IOException e) {
                failure = e;
            } catch (RuntimeException | Error e) {
                failure = new IOException("disk work failed: " + e, e);
            }
        }

        void throwFailure() throws IOException {
            if (!succeeded) {
                // The caller's stack says who wanted it, the cause's where it failed.
                throw new IOException(failure.getMessage(), failure);
            }
        }
    }
}
