package io.longhorn.backup.nfs;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Writes XDR (RFC 4506) into a buffer that grows. */
final class XdrWriter {
    private ByteBuffer bytes;

    XdrWriter(int bytesExpected) {
        bytes = ByteBuffer.allocate(bytesExpected);
    }

    static int padded(int length) {
        return (length + 3) & ~3;
    }

    XdrWriter int32(int value) {
        room(Integer.BYTES).putInt(value);
        return this;
    }

    XdrWriter int64(long value) {
        room(Long.BYTES).putLong(value);
        return this;
    }

    XdrWriter bool(boolean value) {
        return int32(value ? 1 : 0);
    }

    /** As many bytes as the protocol says. */
    XdrWriter fixed(byte[] value) {
        return fixed(ByteBuffer.wrap(value));
    }

    /** Bytes with their length before them. */
    XdrWriter opaque(byte[] value) {
        return int32(value.length).fixed(value);
    }

    /** The remaining bytes with their length before them; the position of the buffer stays. */
    XdrWriter opaque(ByteBuffer value) {
        return int32(value.remaining()).fixed(value);
    }

    XdrWriter text(String value) {
        return opaque(value.getBytes(StandardCharsets.UTF_8));
    }

    private XdrWriter fixed(ByteBuffer value) {
        int length = value.remaining();
        room(padded(length)).put(value.duplicate());
        for (int i = length; i < padded(length); i++) {
            bytes.put((byte) 0);
        }
        return this;
    }

    /** Where the next byte goes; later {@link #setInt32} may put something else there. */
    int position() {
        return bytes.position();
    }

    void setInt32(int position, int value) {
        bytes.putInt(position, value);
    }

    void setFixed(int position, byte[] value) {
        bytes.put(position, value);
    }

    /** What was written so far: a view. */
    ByteBuffer written() {
        return bytes.duplicate().flip();
    }

    private ByteBuffer room(int length) {
        if (bytes.remaining() < length) {
            int needed = Math.addExact(bytes.position(), length);
            ByteBuffer larger = ByteBuffer.allocate(Math.max(needed, 2 * bytes.capacity()));
            bytes = larger.put(bytes.flip());
        }
        return bytes;
    }
}
