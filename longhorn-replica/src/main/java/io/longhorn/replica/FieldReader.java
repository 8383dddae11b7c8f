package io.longhorn.replica;

import io.longhorn.DamagedFileException;
import io.longhorn.replica.wire.LayerId;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Takes the fields of a metadata file's body that {@link FieldWriter} wrote. The body matched its checksum, so what does not fit is a writer's
 * mistake or a very unlikely damage; either way it is {@link DamagedFileException}, never a read beyond the body.
 */
final class FieldReader {
    private final Path path;
    private final ByteBuffer b;

    FieldReader(Path path, MetadataFile file) {
        this.path = path;
        this.b = file.body().duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    int u8() {
        return need(1).get() & 0xff;
    }

    int u16() {
        return need(2).getShort() & 0xffff;
    }

    int i32() {
        return need(4).getInt();
    }

    long i64() {
        return need(8).getLong();
    }

    /** A number that is never negative. */
    long natural(String field) {
        long value = i64();
        if (value < 0) {
            throw damaged(field + " is " + value);
        }
        return value;
    }

    UUID uuid() {
        return new UUID(i64(), i64());
    }

    LayerId layerId(String field) {
        long epoch = i64();
        long sequence = i64();
        if (epoch < 0 || sequence < 0 || (sequence == 0 && epoch != 0)) {
            throw damaged(field + " is " + epoch + "-" + sequence + ", which names no layer");
        }
        return new LayerId(epoch, sequence);
    }

    String string(String field) {
        int length = u16();
        ByteBuffer utf8 = need(length).slice(b.position(), length);
        b.position(b.position() + length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            throw damaged(field + " is not UTF-8");
        }
    }

    Map<String, String> labels() {
        int count = u16();
        Map<String, String> labels = new HashMap<>();
        for (int i = 0; i < count; i++) {
            labels.put(string("label key"), string("label value"));
        }
        return labels;
    }

    /** Flags of which only {@code known} may be set. */
    int flags(String field, int value, int known) {
        if ((value & ~known) != 0) {
            throw damaged(field + " has unknown flags " + Integer.toHexString(value));
        }
        return value;
    }

    /** Bytes that this version leaves zero. */
    void zeroes(int count) {
        for (int i = 0; i < count; i++) {
            if (u8() != 0) {
                throw damaged("a reserved byte is not zero");
            }
        }
    }

    /** Nothing may follow. */
    void end() {
        if (b.hasRemaining()) {
            throw damaged(b.remaining() + " bytes follow the last field");
        }
    }

    DamagedFileException damaged(String reason) {
        return new DamagedFileException(path, FileHeader.BYTES + b.position(), reason);
    }

    private ByteBuffer need(int bytes) {
        if (b.remaining() < bytes) {
            throw damaged("ends inside a field");
        }
        return b;
    }
}
