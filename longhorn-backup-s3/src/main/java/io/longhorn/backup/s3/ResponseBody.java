package io.longhorn.backup.s3;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer as a stream, whose reader does not wait for ever: the JDK's own stream does. A few pieces are fetched ahead, so that a short body ends, and its connection
 * can be used again, whether or not somebody reads it. One thread reads.
 */
final class ResponseBody extends InputStream implements HttpResponse.BodySubscriber<ResponseBody> {
    /** Of up to 16 KiB each. */
    private static final int PIECES_AHEAD = 8;

    /** Some bytes, or the end, with what went wrong if anything did. */
    private record Piece(List<ByteBuffer> bytes, boolean isEnd, Optional<Throwable> failure) {}

    private final Duration silence;
    private final BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
    private volatile Flow.@Nullable Subscription subscription;
    private volatile boolean complete;
    private volatile boolean closed;
    private Piece current = new Piece(List.of(), false, Optional.empty());

    ResponseBody(Duration silence) {
        this.silence = silence;
    }

    @Override
    public CompletionStage<ResponseBody> getBody() {
        return CompletableFuture.completedFuture(this);
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        given.request(PIECES_AHEAD);
        if (closed) {
            given.cancel();
        }
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
        pieces.add(new Piece(bytes, false, Optional.empty()));
    }

    @Override
    public void onError(Throwable failure) {
        pieces.add(new Piece(List.of(), true, Optional.of(failure)));
    }

    @Override
    public void onComplete() {
        complete = true;
        pieces.add(new Piece(List.of(), true, Optional.empty()));
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (!current.isEnd()) {
            for (ByteBuffer bytes : current.bytes()) {
                if (bytes.hasRemaining()) {
                    int count = Math.min(length, bytes.remaining());
                    bytes.get(target, offset, count);
                    return count;
                }
            }
            current = next();
        }
        if (current.failure().isPresent()) {
            throw new IOException("the answer broke off", current.failure().get());
        }
        return -1;
    }

    private Piece next() throws IOException {
        if (closed) {
            throw new IOException("closed");
        }
        try {
            Piece next = pieces.poll(silence.toNanos(), TimeUnit.NANOSECONDS);
            if (next == null) {
                throw new SocketTimeoutException("the answer paused for " + silence);
            }
            Flow.Subscription source = subscription;
            if (!next.isEnd() && source != null) {
                source.request(1);
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            InterruptedIOException interrupted = new InterruptedIOException("interrupted");
            interrupted.initCause(e);
            throw interrupted;
        }
    }

    /** Ends the connection, too, unless all of the body has arrived. */
    @Override
    public void close() {
        closed = true;
        Flow.Subscription source = subscription;
        if (source != null && !complete) {
            source.cancel();
        }
    }
}
