package io.longhorn.frontend.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A request of the kernel and the answer to it, in one buffer, which is used again for later ones. Whoever read the request into it hands it to the session; the session, or
 * the thread that completes the volume's stage, writes the answer over the request and gives it back. One of them has it at a time.
 */
final class FuseRequest implements BiConsumer<Void, @Nullable Throwable> {

    private final FuseSession session;
    private final long address;
    private final ByteBuffer frame;
    private final ByteBuffer data;

    private int opcode;
    private long unique;
    private int transferBytes;

    /** The one below in {@link FuseRequests}. */
    @Nullable
    FuseRequest next;

    /**
     * @param address where {@code frame} is, for who reads and writes it by that
     * @param frame a direct buffer of {@link FuseSession#FRAME_BYTES}
     */
    FuseRequest(FuseSession session, long address, ByteBuffer frame) {
        this.session = session;
        this.address = address;
        this.frame = frame.order(ByteOrder.nativeOrder());
        this.data = frame.duplicate();
    }

    long address() {
        return address;
    }

    ByteBuffer frame() {
        return frame;
    }

    void identify(int opcode, long unique) {
        this.opcode = opcode;
        this.unique = unique;
        this.transferBytes = 0;
    }

    int opcode() {
        return opcode;
    }

    long unique() {
        return unique;
    }

    /** How many bytes are read or written, 0 for other requests. */
    int transferBytes() {
        return transferBytes;
    }

    /** The part of the frame that a transfer fills or takes its bytes from. */
    ByteBuffer transfer(int position, int lengthBytes) {
        transferBytes = lengthBytes;
        return data.limit(position + lengthBytes).position(position);
    }

    /** The volume has done what was asked. */
    @Override
    public void accept(Void nothing, @Nullable Throwable failure) {
        session.complete(this, failure);
    }
}
