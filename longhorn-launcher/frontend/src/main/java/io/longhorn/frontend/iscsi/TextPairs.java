package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The keys and values of a negotiation in their order (RFC 7143 6.1): {@code key=value} in UTF-8, each ended by a zero byte. */
final class TextPairs {

    /** The longest text of one negotiation step, over all its PDUs. */
    static final int BYTES_MAX = 16 << 10;

    /** How many keys one step may have, so that the answer fits what every initiator takes. The RFC has about 40. */
    static final int COUNT_MAX = 96;

    private static final int KEY_LENGTH_MAX = 63;

    private final Map<String, String> pairs = new LinkedHashMap<>();

    /** What a text says; empty if it is malformed, names a key twice, or is beyond the limits. */
    static Optional<TextPairs> parse(ByteBuf text) {
        TextPairs result = new TextPairs();
        while (text.isReadable()) {
            int length = text.bytesBefore((byte) 0);
            String pair = text.toString(
                    text.readerIndex(), length < 0 ? text.readableBytes() : length, StandardCharsets.UTF_8);
            text.skipBytes(length < 0 ? text.readableBytes() : length + 1);
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            if (equals < 1
                    || equals > KEY_LENGTH_MAX
                    || result.pairs.size() == COUNT_MAX
                    || result.pairs.put(pair.substring(0, equals), pair.substring(equals + 1)) != null) {
                return Optional.empty();
            }
        }
        return Optional.of(result);
    }

    TextPairs put(String key, String value) {
        pairs.put(key, value);
        return this;
    }

    Optional<String> get(String key) {
        return Optional.ofNullable(pairs.get(key));
    }

    Map<String, String> all() {
        return pairs;
    }

    boolean isEmpty() {
        return pairs.isEmpty();
    }

    byte[] bytes() {
        StringBuilder text = new StringBuilder();
        pairs.forEach((key, value) -> text.append(key).append('=').append(value).append('\0'));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
