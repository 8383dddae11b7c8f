package io.longhorn.frontend.nbd;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads of servers: loops named {@code longhorn-nbd-loop-N-M}, which serve the sockets and never block, and workers named {@code longhorn-nbd-worker-N-M} for what
 * blocks. Started when first needed. Many servers of a process can share one.
 */
public final class NbdThreads implements AutoCloseable {

    private static final int LOOPS_MAX = 4;
    private static final int WORKERS = 2;
    private static final long WORKER_IDLE_SECONDS = 10;
    private static final long END_SECONDS = 10;

    private final EventLoopGroup loops;
    private final ThreadPoolExecutor workers;

    private NbdThreads(int loopCount) {
        loops = new MultiThreadIoEventLoopGroup(
                loopCount, new DefaultThreadFactory("longhorn-nbd-loop", true), NioIoHandler.newFactory());
        // What may wait is bounded by the connections, see Shared.
        workers = new ThreadPoolExecutor(
                WORKERS,
                WORKERS,
                WORKER_IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                new DefaultThreadFactory("longhorn-nbd-worker", true));
        workers.allowCoreThreadTimeOut(true);
    }

    /** Half as many loops as the machine has cores, 1 to 4: the volumes' loops need the others. */
    public static NbdThreads start() {
        return start(Math.max(1, Math.min(LOOPS_MAX, Runtime.getRuntime().availableProcessors() / 2)));
    }

    /** A number of loops; a connection stays with one of them. */
    public static NbdThreads start(int loops) {
        if (loops < 1) {
            throw new IllegalArgumentException("loops must be 1 or more, was " + loops);
        }
        return new NbdThreads(loops);
    }

    EventLoopGroup loops() {
        return loops;
    }

    Executor workers() {
        return workers;
    }

    /** Ends the threads; close the servers before. Not from one of the threads. Does nothing the second time. */
    @Override
    public void close() {
        workers.shutdown();
        loops.shutdownGracefully(0, END_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
