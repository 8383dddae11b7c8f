package io.longhorn.replica.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Appends fields to a frame that grows as needed. Refuses with {@link IllegalArgumentException} what a receiver
 * would refuse, so that a wrong message fails where it is made.
 */
final class BodyWriter {
    private static final int FIRST_CAPACITY_BYTES = 256;

    private final FramePool pool;
    private final int start;
    private FrameBuffer frame;
    private int at;

    /** Acquires a frame from {@code pool} and begins behind its first {@code start} bytes. */
    BodyWriter(FramePool pool, int start) {
        this.pool = pool;
        this.start = start;
        frame = pool.acquire(FIRST_CAPACITY_BYTES);
        at = start;
    }

    /** The frame as it is now; the caller owns its reference when it is done writing. */
    FrameBuffer frame() {
        return frame;
    }

    /** Bytes written so far behind the start. */
    int bodyLength() {
        return at - start;
    }

    /** Gives the frame back when it will not be sent. */
    void release() {
        frame.release();
    }

    BodyWriter bool(boolean value) {
        return u8(value ? 1 : 0);
    }

    BodyWriter u8(int value) {
        room(1).put(at, (byte) value);
        at += 1;
        return this;
    }

    BodyWriter u16(int value) {
        room(2).putShort(at, (short) value);
        at += 2;
        return this;
    }

    BodyWriter i32(int value) {
        room(4).putInt(at, value);
        at += 4;
        return this;
    }

    BodyWriter i64(long value) {
        room(8).putLong(at, value);
        at += 8;
        return this;
    }

    /** A number that is never negative: sequence, epoch, position, size, count. */
    BodyWriter natural(String field, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(field + " is " + value + ", expected no negative number");
        }
        return i64(value);
    }

    BodyWriter naturalInt(String field, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(field + " is " + value + ", expected no negative number");
        }
        return i32(value);
    }

    BodyWriter atLeast(String field, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(field + " is " + value + ", expected at least " + least);
        }
        return i64(value);
    }

    BodyWriter uuid(UUID value) {
        return i64(value.getMostSignificantBits()).i64(value.getLeastSignificantBits());
    }

    BodyWriter layerId(LayerId value) {
        return i64(value.epoch()).i64(value.sequence());
    }

    BodyWriter bytes(byte[] value) {
        room(value.length).put(at, value);
        at += value.length;
        return this;
    }

    BodyWriter string(String field, String value, int bytesMax) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > bytesMax) {
            throw new IllegalArgumentException(
                    field + " has " + utf8.length + " bytes of UTF-8, expected at most " + bytesMax);
        }
        return u16(utf8.length).bytes(utf8);
    }

    /** A volume's or snapshot's name, never empty. */
    BodyWriter name(String field, String value) {
        if (value.isEmpty()) {
            throw new IllegalArgumentException(field + " is empty");
        }
        return string(field, value, WireLimits.NAME_BYTES_MAX);
    }

    /** Like {@link #string}, but leaves the end off if the string is too long. */
    BodyWriter stringCut(String value, int bytesMax) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(utf8.length, bytesMax);
        // A byte 10xxxxxx goes on with a character that began before it; cut in front of that character's first byte.
        while (length > 0 && length < utf8.length && (utf8[length] & 0xC0) == 0x80) {
            length--;
        }
        u16(length);
        room(length).put(at, utf8, 0, length);
        at += length;
        return this;
    }

    /** In the order of the keys, so that equal labels give equal bytes. */
    BodyWriter labels(Map<String, String> labels) {
        count("labels", labels.size(), WireLimits.LABELS_MAX);
        int before = at;
        new TreeMap<>(labels)
                .forEach((key, value) -> string("label key", key, WireLimits.LABEL_KEY_BYTES_MAX)
                        .string("label value", value, WireLimits.LABEL_VALUE_BYTES_MAX));
        if (at - before > WireLimits.LABELS_BYTES_MAX) {
            throw new IllegalArgumentException("labels take " + (at - before)
                    + " bytes with 4 for each pair, expected at most " + WireLimits.LABELS_BYTES_MAX);
        }
        return this;
    }

    <T> BodyWriter list(String field, List<T> elements, int countMax, Element<T> element) {
        count(field, elements.size(), countMax);
        for (T each : elements) {
            element.write(this, each);
        }
        return this;
    }

    /** Zeroes up to the frame's alignment. */
    void pad() {
        while (at % FrameLayout.ALIGNMENT != 0) {
            u8(0);
        }
    }

    private void count(String field, int count, int countMax) {
        if (count > countMax) {
            throw new IllegalArgumentException(count + " " + field + ", expected at most " + countMax);
        }
        u16(count);
    }

    private ByteBuffer room(int bytes) {
        ByteBuffer present = frame.bytes();
        if (at + bytes > present.capacity()) {
            FrameBuffer larger = pool.acquire(Math.max(at + bytes, 2 * present.capacity()));
            larger.bytes().put(0, present, 0, at);
            frame.release();
            frame = larger;
        }
        return frame.bytes();
    }

    /** Writes one element of a list. */
    interface Element<T> {
        void write(BodyWriter w, T value);
    }
}
