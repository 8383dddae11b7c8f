package io.longhorn.replica.wire;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Takes fields out of a frame's body; every method throws {@link io.longhorn.ProtocolException} rather than read
 * beyond the body, believe a count, or return what a field may not hold.
 */
final class BodyReader {
    private final ByteBuffer b;
    private final int end;
    private int at;

    BodyReader(ByteBuffer b, int start, int end) {
        this.b = b;
        this.at = start;
        this.end = end;
    }

    boolean bool(String field) {
        int value = u8(field);
        if (value > 1) {
            throw WireErrors.badField(field, value, "0 or 1");
        }
        return value == 1;
    }

    int u8(String field) {
        return b.get(take(field, 1)) & 0xff;
    }

    int u16(String field) {
        return b.getShort(take(field, 2)) & 0xffff;
    }

    int i32(String field) {
        return b.getInt(take(field, 4));
    }

    long i64(String field) {
        return b.getLong(take(field, 8));
    }

    /** A number that is never negative. */
    long natural(String field) {
        return atLeast(field, 0);
    }

    int naturalInt(String field) {
        int value = i32(field);
        if (value < 0) {
            throw WireErrors.badField(field, value, "no negative number");
        }
        return value;
    }

    long atLeast(String field, long least) {
        long value = i64(field);
        if (value < least) {
            throw WireErrors.badField(field, value, "at least " + least);
        }
        return value;
    }

    UUID uuid(String field) {
        return new UUID(i64(field), i64(field));
    }

    LayerId layerId(String field) {
        long epoch = i64(field);
        long sequence = i64(field);
        if (!FrameCheck.isLayerId(epoch, sequence)) {
            throw WireErrors.refused(field + " is " + epoch + "-" + sequence + ", which names no layer");
        }
        return new LayerId(epoch, sequence);
    }

    byte[] bytes(String field, int length) {
        byte[] value = new byte[length];
        b.get(take(field, length), value);
        return value;
    }

    String string(String field, int bytesMax) {
        int length = u16(field);
        if (length > bytesMax) {
            throw WireErrors.badField("length of " + field, length, "at most " + bytesMax);
        }
        int from = take(field, length);
        try {
            CharBuffer chars = StandardCharsets.UTF_8.newDecoder().decode(b.slice(from, length));
            return chars.toString();
        } catch (CharacterCodingException e) {
            throw WireErrors.refused(field + " is not UTF-8");
        }
    }

    String name(String field) {
        String value = string(field, WireLimits.NAME_BYTES_MAX);
        if (value.isEmpty()) {
            throw WireErrors.refused(field + " is empty");
        }
        return value;
    }

    Map<String, String> labels() {
        int count = count("labels", WireLimits.LABELS_MAX);
        int before = at;
        Map<String, String> labels = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String key = string("label key", WireLimits.LABEL_KEY_BYTES_MAX);
            String value = string("label value", WireLimits.LABEL_VALUE_BYTES_MAX);
            if (labels.put(key, value) != null) {
                throw WireErrors.refused("a label key stands twice");
            }
        }
        if (at - before > WireLimits.LABELS_BYTES_MAX) {
            throw WireErrors.badField("bytes of labels", at - before, "at most " + WireLimits.LABELS_BYTES_MAX);
        }
        return labels;
    }

    <T> List<T> list(String field, int countMax, Element<T> element) {
        int count = count(field, countMax);
        // Grows with what was really read, so a count alone never allocates much.
        List<T> elements = new ArrayList<>(Math.min(count, 64));
        for (int i = 0; i < count; i++) {
            elements.add(element.read(this));
        }
        return elements;
    }

    /** Nothing but the zeroes that pad a frame to its alignment may follow. */
    void end() {
        if (end - at >= FrameLayout.ALIGNMENT) {
            throw WireErrors.badField("bytes behind the last field", end - at, "padding only");
        }
        while (at < end) {
            if (b.get(at++) != 0) {
                throw WireErrors.refused("padding is not zero");
            }
        }
    }

    private int count(String field, int countMax) {
        int count = u16("number of " + field);
        if (count > countMax) {
            throw WireErrors.badField("number of " + field, count, "at most " + countMax);
        }
        return count;
    }

    private int take(String field, int bytes) {
        if (bytes > end - at) {
            throw WireErrors.refused("the body ends inside " + field);
        }
        int from = at;
        at += bytes;
        return from;
    }

    /** Reads one element of a list. */
    interface Element<T> {
        T read(BodyReader r);
    }
}
