package io.longhorn.replica.transport;

import java.io.IOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A loop's selector and what it found. Selecting is for the driver, everything else for who holds the loop; the selector allows keys to be added and
 * changed while another thread is inside, but heeds that only when it is entered again ({@link #isStale}).
 */
final class LoopSockets {
    private static final int READY_KEYS_INITIAL = 16;
    private static final long NANOS_PER_MILLI = 1_000_000L;

    private final Selector selector;
    private final Consumer<SelectionKey> collectReady = this::collectReady;
    private @Nullable SelectionKey[] ready = new SelectionKey[READY_KEYS_INITIAL];
    private int readyCount;
    private boolean stale;

    /** Waits for a socket. */
    interface Ready {
        void onReady(SelectionKey key);
    }

    LoopSockets() throws IOException {
        selector = Selector.open();
    }

    /** For waking it up. */
    Selector selector() {
        return selector;
    }

    /** Has {@code handler} called when one of {@code operations} is possible. */
    SelectionKey register(SelectableChannel channel, int operations, Ready handler) throws IOException {
        SelectionKey key = channel.register(selector, operations, handler);
        stale = true;
        return key;
    }

    /** Whether the selector has a key for {@code channel}, cancelled or not. */
    boolean isRegistered(SelectableChannel channel) {
        return channel.keyFor(selector) != null;
    }

    void interest(SelectionKey key, int operations) {
        if (key.interestOps() != operations) {
            key.interestOps(operations);
            stale = true;
        }
    }

    /** A key was cancelled, or its channel is about to be closed: the socket goes away when the selector is entered next. */
    void keyGone() {
        stale = true;
    }

    /** Whether a thread that is in the selector now does not know all that is wanted. */
    boolean isStale() {
        return stale;
    }

    /** Before the selector is entered; while the caller still holds the loop. */
    void refresh() {
        stale = false;
    }

    /** Looks once. Returns how many sockets are ready. */
    int lookNow() throws IOException {
        return selector.selectNow(collectReady);
    }

    /** Waits until a socket is ready, or somebody wakes the selector, or the time has passed; the largest number is for ever. */
    void await(long nanos) throws IOException {
        if (nanos == Long.MAX_VALUE) {
            selector.select(collectReady);
        } else {
            // Rounded up: waking early would only mean one more turn.
            selector.select(collectReady, nanos / NANOS_PER_MILLI + 1);
        }
    }

    private void collectReady(SelectionKey key) {
        if (readyCount == ready.length) {
            ready = Arrays.copyOf(ready, readyCount * 2);
        }
        ready[readyCount++] = key;
    }

    /** Calls the handlers of sockets that were found ready. */
    void handleReady(LoopWork work) {
        for (int i = 0; i < readyCount; i++) {
            SelectionKey key = ready[i];
            ready[i] = null;
            if (key != null && key.isValid() && key.attachment() instanceof Ready handler) {
                try {
                    handler.onReady(key);
                } catch (Throwable e) {
                    work.report(e);
                }
            }
        }
        readyCount = 0;
    }

    /** Closes the selector and the sockets that are left, those that were only waiting for their peer to end gently. */
    void close() throws IOException {
        for (SelectionKey key : selector.keys()) {
            key.channel().close();
        }
        selector.close();
    }
}
