package io.longhorn.replica.disk;

import io.longhorn.replica.wire.LayerId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** Appends the fields of a metadata file's body, little-endian, to a buffer that grows. {@link FieldReader} reads them. */
public final class FieldWriter {
    private ByteBuffer b = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);

    /** 1 byte, unsigned. */
    public FieldWriter u8(int value) {
        room(1).put((byte) value);
        return this;
    }

    /** 2 bytes, unsigned. */
    public FieldWriter u16(int value) {
        room(2).putShort((short) value);
        return this;
    }

    /** 4 bytes, signed. */
    public FieldWriter i32(int value) {
        room(4).putInt(value);
        return this;
    }

    /** 8 bytes, signed. */
    public FieldWriter i64(long value) {
        room(8).putLong(value);
        return this;
    }

    public FieldWriter uuid(UUID value) {
        return i64(value.getMostSignificantBits()).i64(value.getLeastSignificantBits());
    }

    /** Epoch, then sequence. */
    public FieldWriter layerId(LayerId value) {
        return i64(value.epoch()).i64(value.sequence());
    }

    /** Length of the UTF-8 form, then the form itself. */
    public FieldWriter string(String value, int bytesMax) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > bytesMax) {
            throw new IllegalArgumentException(
                    "\"" + value + "\" has " + utf8.length + " bytes of UTF-8, expected at most " + bytesMax);
        }
        u16(utf8.length);
        room(utf8.length).put(utf8);
        return this;
    }

    /** In the order of the keys, so that equal labels give equal bytes. */
    public FieldWriter labels(Map<String, String> labels, int bytesMax) {
        u16(labels.size());
        new TreeMap<>(labels).forEach((key, value) -> string(key, bytesMax).string(value, bytesMax));
        return this;
    }

    /** Bytes that this version leaves zero. */
    public FieldWriter zeroes(int count) {
        for (int i = 0; i < count; i++) {
            u8(0);
        }
        return this;
    }

    /** What was written, from position to limit. */
    public ByteBuffer written() {
        return b.duplicate().flip();
    }

    private ByteBuffer room(int bytes) {
        if (b.remaining() < bytes) {
            ByteBuffer larger = ByteBuffer.allocate(Math.max(2 * b.capacity(), b.position() + bytes))
                    .order(ByteOrder.LITTLE_ENDIAN);
            larger.put(b.flip());
            b = larger;
        }
        return b;
    }
}
