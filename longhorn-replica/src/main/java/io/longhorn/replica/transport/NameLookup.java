package io.longhorn.replica.transport;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the addresses of host names. That may take as long as the system's resolver likes, so each look-up has a short-lived thread of its
 * own. Safe for any thread.
 */
final class NameLookup {
    private static final Logger LOG = LoggerFactory.getLogger(NameLookup.class);

    /** When that many hang, the name service is down, and one more would not help. */
    private static final int LOOKUPS_MAX = 32;

    private final Semaphore free = new Semaphore(LOOKUPS_MAX);
    private final Resolver resolver;

    /** Knows addresses of names; may take its time. */
    interface Resolver {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    NameLookup(Resolver resolver) {
        this.resolver = resolver;
    }

    /** Told on {@link #find}'s loop. */
    interface Answer {
        void onFound(List<InetAddress> addresses);

        void onFailed(String cause);
    }

    /** Finds addresses of {@code host}, which may be an address itself. On {@code loop}, and answers there, for addresses at once. */
    void find(NioLoop loop, String host, Answer answer) {
        if (isAddress(host)) {
            lookUp(host, answer, Runnable::run);
            return;
        }
        if (!free.tryAcquire()) {
            answer.onFailed("cannot look up " + host + ": " + LOOKUPS_MAX + " name look-ups hang already");
            return;
        }
        Thread thread = new Thread(
                () -> {
                    try {
                        lookUp(host, answer, task -> hand(loop, task));
                    } finally {
                        free.release();
                    }
                },
                "longhorn-lookup-" + host);
        thread.setDaemon(true);
        thread.start();
    }

    /** {@link io.longhorn.HostPort} has checked the form already; no host name has a colon or consists of digits and dots. */
    private static boolean isAddress(String host) {
        return host.indexOf(':') >= 0 || host.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
    }

    private void lookUp(String host, Answer answer, Executor executor) {
        try {
            List<InetAddress> found = List.of(resolver.resolve(host));
            executor.execute(() -> answer.onFound(found));
        } catch (UnknownHostException e) {
            executor.execute(() -> answer.onFailed("no address is known for the host " + host));
        }
    }

    private static void hand(NioLoop loop, Runnable task) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("a name look-up ended after its loop", e);
        }
    }
}
