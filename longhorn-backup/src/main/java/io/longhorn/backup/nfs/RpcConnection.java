package io.longhorn.backup.nfs;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Calls and answers over one TCP connection. Safe for any thread, and has none: of those that wait for answers one waits at the socket, and whatever arrives it hands to whom it
 * belongs; when it has its own answer, another takes its place. All else happens under one lock, without waiting. The socket never blocks, so that an interrupted caller leaves
 * and the connection stays.
 */
final class RpcConnection implements AutoCloseable {
    private static final int CHUNK_BYTES = 128 << 10;

    /** A call whose answer somebody waits for. */
    static final class Pending {
        private final Condition changed;
        private @Nullable ByteBuffer answer;
        private @Nullable Runnable late;
        private boolean somebodyWaits;

        private Pending(Condition changed) {
            this.changed = changed;
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final RecordReader records;
    private final ByteBuffer arrived = ByteBuffer.allocateDirect(CHUNK_BYTES);
    private final Map<Integer, Pending> pending = new LinkedHashMap<>();
    private final Deque<ByteBuffer> unsent = new ArrayDeque<>();
    private boolean somebodySelects;
    private @Nullable IOException failure;

    private RpcConnection(SocketChannel channel, Selector selector, SelectionKey key, int recordBytesMax) {
        this.channel = channel;
        this.selector = selector;
        this.key = key;
        this.records = new RecordReader(recordBytesMax);
    }

    /**
     * Connects from any port.
     *
     * @throws InterruptedIOException if the thread is interrupted, which it stays
     * @throws IOException if that does not succeed in the time
     */
    static RpcConnection open(InetSocketAddress address, long timeoutNanos, int recordBytesMax) throws IOException {
        SocketChannel channel = SocketChannel.open();
        Selector selector = null;
        try {
            selector = Selector.open();
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
            if (!channel.connect(address)) {
                awaitConnected(channel, selector, TimeLimit.in(timeoutNanos));
            }
            key.interestOps(SelectionKey.OP_READ);
            return new RpcConnection(channel, selector, key, recordBytesMax);
        } catch (IOException | RuntimeException e) {
            close(channel, e);
            if (selector != null) {
                close(selector, e);
            }
            throw e;
        }
    }

    private static void awaitConnected(SocketChannel channel, Selector selector, TimeLimit limit) throws IOException {
        while (!channel.finishConnect()) {
            if (limit.isOver()) {
                throw new SocketTimeoutException("no answer to the attempt to connect");
            }
            selector.select(millisUp(limit.leftNanos()));
            selector.selectedKeys().clear();
            if (Thread.currentThread().isInterrupted()) {
                throw Interrupts.interrupted();
            }
        }
    }

    /**
     * Sends a record, which nobody may change before it is answered or this connection has failed. It may leave together with a later one if the socket is full.
     *
     * @throws ConnectionLostException if the connection has failed
     */
    Pending send(int xid, ByteBuffer record) throws ConnectionLostException {
        lock.lock();
        try {
            checkFailure();
            Pending call = new Pending(lock.newCondition());
            pending.put(xid, call);
            ByteBuffer mark = ByteBuffer.allocate(Integer.BYTES);
            unsent.add(
                    mark.putInt(record.remaining() | RecordReader.LAST_FRAGMENT).flip());
            unsent.add(record.duplicate());
            transfer();
            if (!unsent.isEmpty() && somebodySelects) {
                selector.wakeup();
            }
            return call;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for the answer to a call.
     *
     * @throws ConnectionLostException if the connection fails; it fails if the time is up
     * @throws InterruptedIOException if the thread is interrupted, which it stays; the call goes on, see {@link #abandon}
     */
    ByteBuffer await(Pending call, long timeoutNanos) throws IOException {
        TimeLimit limit = TimeLimit.in(timeoutNanos);
        lock.lock();
        try {
            while (true) {
                ByteBuffer answer = call.answer;
                if (answer != null) {
                    return answer;
                }
                checkFailure();
                if (Thread.currentThread().isInterrupted()) {
                    throw Interrupts.interrupted();
                }
                long left = limit.leftNanos();
                if (left == 0) {
                    fail(new SocketTimeoutException(
                            "no answer within " + TimeUnit.NANOSECONDS.toMillis(timeoutNanos) + " ms"));
                } else if (somebodySelects) {
                    waitForOthers(call, left);
                } else {
                    select(left);
                    transfer();
                }
            }
        } finally {
            letAnotherSelect();
            lock.unlock();
        }
    }

    @SuppressWarnings("WaitNotInLoop") // The loop is the caller's.
    private static void waitForOthers(Pending call, long nanos) throws InterruptedIOException {
        call.somebodyWaits = true;
        try {
            long unused = call.changed.awaitNanos(nanos);
        } catch (InterruptedException e) {
            throw Interrupts.interrupted();
        } finally {
            call.somebodyWaits = false;
        }
    }

    private void select(long nanos) {
        key.interestOps(unsent.isEmpty() ? SelectionKey.OP_READ : SelectionKey.OP_READ | SelectionKey.OP_WRITE);
        somebodySelects = true;
        lock.unlock();
        IOException failed = null;
        try {
            selector.select(millisUp(nanos));
            selector.selectedKeys().clear();
        } catch (IOException e) {
            failed = e;
        } catch (ClosedSelectorException e) {
            failed = new IOException("closed", e);
        } finally {
            lock.lock();
            somebodySelects = false;
        }
        if (failed != null) {
            fail(failed);
        }
    }

    private void letAnotherSelect() {
        if (!somebodySelects) {
            for (Pending call : pending.values()) {
                if (call.somebodyWaits) {
                    call.changed.signal();
                    return;
                }
            }
        }
    }

    /** Nobody waits for this call any more; should its answer arrive nevertheless, this is run, by any thread. */
    void abandon(Pending call, Runnable late) {
        lock.lock();
        try {
            if (call.answer != null) {
                late.run();
            } else {
                call.late = late;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Reads and writes what the socket takes and has. */
    private void transfer() {
        if (failure != null) {
            return;
        }
        try {
            while (!unsent.isEmpty() && write(unsent.element())) {
                unsent.remove();
            }
            int length;
            do {
                length = channel.read(arrived.clear());
                records.read(arrived.flip(), this::answered);
            } while (length == CHUNK_BYTES);
            if (length < 0) {
                throw new EOFException("the server closed the connection");
            }
        } catch (IOException e) {
            fail(e);
        }
    }

    /** Whether all of it went out. */
    private boolean write(ByteBuffer record) throws IOException {
        // In pieces: the JDK keeps a direct buffer per thread as large as the largest piece.
        while (record.hasRemaining()) {
            ByteBuffer piece = record.slice(record.position(), Math.min(CHUNK_BYTES, record.remaining()));
            int written = channel.write(piece);
            record.position(record.position() + written);
            if (piece.hasRemaining()) {
                return false;
            }
        }
        return true;
    }

    private void answered(ByteBuffer record) {
        Pending call;
        try {
            call = pending.remove(RpcMessages.xidOf(record));
        } catch (ProtocolException e) {
            fail(e);
            return;
        }
        if (call == null) {
            fail(new ProtocolException("malformed answer: it belongs to no call"));
            return;
        }
        call.answer = record;
        if (call.late != null) {
            call.late.run();
        } else {
            call.changed.signal();
        }
    }

    boolean isUsable() {
        lock.lock();
        try {
            return failure == null;
        } finally {
            lock.unlock();
        }
    }

    private void checkFailure() throws ConnectionLostException {
        if (failure != null) {
            throw new ConnectionLostException(String.valueOf(failure.getMessage()), failure);
        }
    }

    private void fail(IOException cause) {
        if (failure == null) {
            failure = cause;
            close(channel, cause);
            close(selector, cause);
            pending.values().forEach(call -> call.changed.signal());
            pending.clear();
            unsent.clear();
        }
    }

    private static void close(AutoCloseable resource, Exception cause) {
        try {
            resource.close();
        } catch (Exception e) {
            cause.addSuppressed(e);
        }
    }

    private static long millisUp(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos) + 1;
    }

    @Override
    public void close() {
        lock.lock();
        try {
            fail(new IOException("the connection was closed"));
        } finally {
            lock.unlock();
        }
    }
}
