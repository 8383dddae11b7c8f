package io.longhorn.backup.s3;

import java.io.IOException;
import java.io.InputStream;
import software.amazon.awssdk.http.ContentStreamProvider;

/**
 * The bytes of one request, read by a thread of the HTTP client. They are borrowed from whoever makes the request, so once it has ended nothing may read them any more: else what
 * the caller puts there next could still be sent, under the old name.
 */
final class RequestBody {
    private final ContentStreamProvider content;
    private final Object lock = new Object();
    private long sentBytes;
    private boolean closed;

    RequestBody(ContentStreamProvider content) {
        this.content = content;
    }

    InputStream newStream() {
        return new Stream(content.newStream());
    }

    /** How many were taken to be sent, all streams together. */
    long sentBytes() {
        synchronized (lock) {
            return sentBytes;
        }
    }

    /** On return nobody reads, nor will. */
    void close() {
        synchronized (lock) {
            closed = true;
        }
    }

    private final class Stream extends InputStream {
        private final InputStream source;

        Stream(InputStream source) {
            this.source = source;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            synchronized (lock) {
                if (closed) {
                    throw new IOException("the request has ended");
                }
                int count = source.read(target, offset, length);
                sentBytes += Math.max(0, count);
                return count;
            }
        }

        @Override
        public void close() throws IOException {
            source.close();
        }
    }
}
