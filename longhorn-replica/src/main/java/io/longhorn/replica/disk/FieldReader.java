package io.longhorn.replica.disk;

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
public final class FieldReader {
    private final Path path;
    private final ByteBuffer b;

    /** @param path of the file, for messages */
    public FieldReader(Path path, MetadataFile file) {
        this.path = path;
        this.b = file.body().duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** 1 byte, unsigned. */
    public int u8() {
        return need(1).get() & 0xff;
    }

    /** 2 bytes, unsigned. */
    public int u16() {
        return need(2).getShort() & 0xffff;
    }

    /** 4 bytes, signed. */
    public int i32() {
        return need(4).getInt();
    }

    /** 8 bytes, signed. */
    public long i64() {
        return need(8).getLong();
    }

    /** A number that is never negative. */
    public long natural(String field) {
        long value = i64();
        if (value < 0) {
            throw damaged(field + " is " + value);
        }
        return value;
    }

    public UUID uuid() {
        return new UUID(i64(), i64());
    }

    /** Epoch and sequence that a layer can have. */
    public LayerId layerId(String field) {
        long epoch = i64();
        long sequence = i64();
        if (epoch < 0 || sequence < 0 || (sequence == 0 && epoch != 0)) {
            throw damaged(field + " is " + epoch + "-" + sequence + ", which names no layer");
        }
        return new LayerId(epoch, sequence);
    }

    /** What {@link FieldWriter#string} wrote. */
    public String string(String field) {
        int length = u16();
        ByteBuffer utf8 = need(length).slice(b.position(), length);
        b.position(b.position() + length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            throw damaged(field + " is not UTF-8");
        }
    }

    /** What {@link FieldWriter#labels} wrote. */
    public Map<String, String> labels() {
        int count = u16();
        Map<String, String> labels = new HashMap<>();
        for (int i = 0; i < count; i++) {
            labels.put(string("label key"), string("label value"));
        }
        return labels;
    }

    /** Flags of which only {@code known} may be set. */
    public int flags(String field, int value, int known) {
        if ((value & ~known) != 0) {
            throw damaged(field + " has unknown flags " + Integer.toHexString(value));
        }
        return value;
    }

    /** Bytes that this version leaves zero. */
    public void zeroes(int count) {
        for (int i = 0; i < count; i++) {
            if (u8() != 0) {
                throw damaged("a reserved byte is not zero");
            }
        }
    }

    /** Nothing may follow. */
    public void end() {
        if (b.hasRemaining()) {
            throw damaged(b.remaining() + " bytes follow the last field");
        }
    }

    /** For the caller to throw: the field just read holds what cannot be. */
    public DamagedFileException damaged(String reason) {
        return new DamagedFileException(path, FileHeader.BYTES + b.position(), reason);
    }

    private ByteBuffer need(int bytes) {
        if (b.remaining() < bytes) {
            throw damaged("ends inside a field");
        }
        return b;
    }
}
