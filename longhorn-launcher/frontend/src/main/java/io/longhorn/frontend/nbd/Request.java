package io.longhorn.frontend.nbd;

import io.longhorn.Extent;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A request of a client, from its header to its reply; used again for later ones. Owned by the loop of its connection, but while the device works on it by whoever completes
 * the device's stage, which runs {@link #accept}.
 */
final class Request implements BiConsumer<@Nullable Void, @Nullable Throwable> {

    private final Transmission connection;

    int type;
    int flags;
    /** Chosen by the client, returned with the reply. */
    long cookie;

    long offset;
    /** Of the range, up to 2^32 - 1. */
    long length;

    /** What it takes of the connection's bytes in flight. */
    int heldBytes;
    /** The reply's error value; 0 if the request is in order, and then {@link #failure} counts. */
    int error;

    String why = "";

    /** Data of a write; header and data of a reply to a read; what is read for a cache request. */
    @Nullable
    ByteBuf buffer;

    @Nullable
    List<Extent> extents;

    /** The reply is written, but for {@link #rest}. */
    boolean answered;

    @Nullable
    ByteBuf rest;

    @Nullable
    Throwable failure;

    /** The change must be flushed before the reply. */
    boolean flushAfter;
    /** How far a cache request has got. */
    long cachedTo;

    /** Links requests that are completed, or free. */
    @Nullable
    Request next;

    Request(Transmission connection) {
        this.connection = connection;
    }

    void reset(int type, int flags, long cookie, long offset, long length) {
        this.type = type;
        this.flags = flags;
        this.cookie = cookie;
        this.offset = offset;
        this.length = length;
        heldBytes = 0;
        error = 0;
        why = "";
        extents = null;
        answered = false;
        failure = null;
        flushAfter = false;
        cachedTo = offset;
        next = null;
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    void refuse(int error, String why) {
        this.error = error;
        this.why = why;
    }

    /** Of what it carries into or out of the connection. */
    boolean hasPayload() {
        return type == NbdWire.CMD_WRITE && length > 0;
    }

    void release() {
        if (buffer != null) {
            buffer.release();
            buffer = null;
        }
        if (rest != null) {
            rest.release();
            rest = null;
        }
    }

    /** Runs where the device's stage completes. */
    @Override
    public void accept(@Nullable Void nothing, @Nullable Throwable failure) {
        this.failure = failure;
        connection.stageCompleted(this);
    }
}
