package io.longhorn.backup;

import io.longhorn.Backup;
import io.longhorn.BackupOperation;
import io.longhorn.BackupTargetException;
import io.longhorn.LonghornException;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/** A backup on a thread of its own, as callers see it. */
final class RunningBackup implements BackupOperation {

    /** Makes the backup; ends early by an interrupt. */
    interface Run {
        Backup run() throws Exception;
    }

    private final String name;
    private final String target;
    private final BackupProgress progress;
    private final Throttle throttle;
    private final CompletableFuture<Backup> completion = new CompletableFuture<>();
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private final Thread thread;

    private RunningBackup(String name, String target, BackupProgress progress, Throttle throttle, Run run) {
        this.name = name;
        this.target = target;
        this.progress = progress;
        this.throttle = throttle;
        this.thread = new Thread(() -> end(run), "longhorn-" + name);
        thread.setDaemon(true);
    }

    static RunningBackup start(String name, String target, BackupProgress progress, Throttle throttle, Run run) {
        RunningBackup running = new RunningBackup(name, target, progress, throttle, run);
        running.thread.start();
        return running;
    }

    private void end(Run run) {
        try {
            completion.complete(run.run());
        } catch (Throwable e) {
            completion.completeExceptionally(reasonOf(e));
        }
    }

    private Throwable reasonOf(Throwable e) {
        if (cancelled.get() || e instanceof InterruptedException) {
            CancellationException reason = new CancellationException("backup " + name + " was cancelled");
            reason.initCause(e);
            return reason;
        }
        if (e instanceof IOException) {
            return new BackupTargetException(target, String.valueOf(e.getMessage()), e);
        }
        return e;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Progress progress() {
        return progress.now();
    }

    @Override
    public void limit(long bytesPerSecond) {
        throttle.limit(bytesPerSecond);
    }

    @Override
    public void cancel() {
        if (!completion.isDone() && cancelled.compareAndSet(false, true)) {
            thread.interrupt();
        }
    }

    @Override
    public CompletionStage<Backup> completion() {
        return completion.minimalCompletionStage();
    }

    @Override
    public Backup await() throws InterruptedException {
        try {
            return completion.get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof LonghornException longhorn) {
                longhorn.addSuppressed(e);
                throw longhorn;
            }
            if (cause instanceof RuntimeException runtime) {
                throw runtime;
            }
            throw new IllegalStateException(cause);
        }
    }
}
