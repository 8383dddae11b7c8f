package io.longhorn.replica.transport;

import io.longhorn.replica.wire.AlignedMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Memory that all connections of a loop use in turn; each is good until the next use. Made when first needed, so that a loop without sockets, or
 * without TLS, has none. Belongs to the loop.
 */
final class LoopBuffers {
    /** One read takes at most this much: several large frames, or a hundred small ones, for one write to the journal. */
    private static final int RECEIVE_BYTES = 512 << 10;
    /** Plain bytes are never more than encrypted ones; a TLS engine also wants room for a whole record, whatever is in it. */
    private static final int PLAIN_BYTES = RECEIVE_BYTES + (64 << 10);
    /** The most that TLS puts into one record. */
    private static final int RECORD_BYTES = 16 << 10;
    /** Several records for one write. */
    private static final int CIPHER_BYTES = 256 << 10;

    private @Nullable ByteBuffer receive;
    private @Nullable ByteBuffer plain;
    private @Nullable ByteBuffer toEncrypt;
    private @Nullable ByteBuffer cipher;

    /** What a socket is read into. */
    ByteBuffer receive() {
        ByteBuffer buffer = receive;
        if (buffer == null) {
            buffer = allocate(RECEIVE_BYTES);
            receive = buffer;
        }
        return buffer;
    }

    /** What was decrypted. */
    ByteBuffer plain() {
        ByteBuffer buffer = plain;
        if (buffer == null) {
            buffer = allocate(PLAIN_BYTES);
            plain = buffer;
        }
        return buffer;
    }

    /** What goes into the next record. */
    ByteBuffer toEncrypt() {
        ByteBuffer buffer = toEncrypt;
        if (buffer == null) {
            buffer = allocate(RECORD_BYTES);
            toEncrypt = buffer;
        }
        return buffer;
    }

    /** Records on their way to a socket. */
    ByteBuffer cipher() {
        ByteBuffer buffer = cipher;
        if (buffer == null) {
            buffer = allocate(CIPHER_BYTES);
            cipher = buffer;
        }
        return buffer;
    }

    private static ByteBuffer allocate(int bytes) {
        return AlignedMemory.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
