package io.longhorn.backup;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads and writes the documents of a backup store: {@code docs/format/backup-store.md}, sections 2 and 3. Fields that it does not know are passed over. Five texts of a
 * volume's document are JSON texts that hold a quoted JSON text once more; a document with a plain one there is refused by Longhorn, and read by us.
 */
final class ConfigJson {
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(1 << 20)
                    .maxNestingDepth(16)
                    .build())
            .build();

    /** Of the text of a block, which has an offset of a digit or more: {@code {"Offset":0,"BlockChecksum":"..."},}. */
    private static final int BLOCK_BYTES_LEAST = 96;

    private ConfigJson() {}

    // ------------------------------------------------------------------ reading

    /** What a document says, by the names of its fields. */
    private static final class Fields {
        private final Map<String, String> texts = new HashMap<>();
        private final Map<String, Map<String, String>> maps = new HashMap<>();
        private final BlockList.Builder blocks;
        private final long[] checksum = new long[BlockChecksum.WORDS];

        private Fields(int documentBytes) {
            blocks = BlockList.builder(documentBytes / BLOCK_BYTES_LEAST);
        }

        static Fields of(ByteBuffer document) throws IOException {
            ByteBuffer heap = Compression.onHeap(document);
            Fields fields = new Fields(heap.remaining());
            try (JsonParser json =
                    JSON.createParser(heap.array(), heap.arrayOffset() + heap.position(), heap.remaining())) {
                if (json.nextToken() != JsonToken.START_OBJECT) {
                    throw new IOException("it is no JSON object");
                }
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    fields.read(json, json.currentName());
                }
                if (json.nextToken() != null) {
                    throw new IOException("something follows the JSON object");
                }
            } catch (JsonParseException e) {
                throw new IOException("it is no JSON: " + e.getOriginalMessage(), e);
            } catch (IllegalArgumentException e) {
                throw new IOException(e.getMessage(), e);
            }
            return fields;
        }

        private void read(JsonParser json, String name) throws IOException {
            JsonToken token = json.nextToken();
            if (token == JsonToken.START_OBJECT) {
                maps.put(name, readMap(json));
            } else if (token == JsonToken.START_ARRAY && "Blocks".equals(name)) {
                while (json.nextToken() == JsonToken.START_OBJECT) {
                    readBlock(json);
                }
            } else if (token == JsonToken.START_ARRAY) {
                json.skipChildren();
            } else if (token == JsonToken.VALUE_NULL) {
                return;
            } else if (token != null && token.isScalarValue()) {
                texts.put(name, json.getText());
            } else {
                throw new IOException("field " + name + " has no value");
            }
        }

        private static Map<String, String> readMap(JsonParser json) throws IOException {
            Map<String, String> map = new TreeMap<>();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                JsonToken value = json.nextToken();
                if (value == JsonToken.VALUE_STRING) {
                    map.put(key, json.getText());
                } else {
                    json.skipChildren();
                }
            }
            return map;
        }

        private void readBlock(JsonParser json) throws IOException {
            long offset = -1;
            boolean hasChecksum = false;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                json.nextToken();
                if ("Offset".equals(key)) {
                    offset = json.getLongValue();
                } else if ("BlockChecksum".equals(key)) {
                    BlockChecksum.parse(textOf(json), checksum);
                    hasChecksum = true;
                } else {
                    json.skipChildren();
                }
            }
            if (!hasChecksum) {
                throw new IOException("the block at " + offset + " has no checksum");
            }
            blocks.add(offset, checksum, 0);
        }

        /** Of the parser's present token; without the string that {@code getText} makes. */
        private static CharSequence textOf(JsonParser json) throws IOException {
            return CharBuffer.wrap(json.getTextCharacters(), json.getTextOffset(), json.getTextLength());
        }

        String text(String name) {
            return texts.getOrDefault(name, "");
        }

        /** A text that is quoted once more. */
        String quoted(String name) throws IOException {
            String text = text(name);
            if (!text.startsWith("\"")) {
                return text;
            }
            try (JsonParser inner = JSON.createParser(text)) {
                if (inner.nextToken() != JsonToken.VALUE_STRING) {
                    throw new IOException("field " + name + " is no quoted text: " + text);
                }
                return inner.getText();
            } catch (JsonParseException e) {
                throw new IOException("field " + name + " is no quoted text: " + text, e);
            }
        }

        /** Decimal digits in a text; 0 if there is none. */
        long number(String name) throws IOException {
            String text = text(name);
            if (text.isEmpty()) {
                return 0;
            }
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException e) {
                throw new IOException("field " + name + " is a number, was '" + text + "'", e);
            }
        }

        boolean isTrue(String name) {
            return "true".equals(text(name));
        }

        Map<String, String> map(String name) {
            return maps.getOrDefault(name, Map.of());
        }
    }

    /**
     * A volume's document.
     *
     * @throws IOException if it is none; the message is a sentence without a subject
     */
    static VolumeConfig volume(ByteBuffer document) throws IOException {
        Fields fields = Fields.of(document);
        requireName(fields);
        return new VolumeConfig(
                fields.text("Name"),
                fields.number("Size"),
                fields.map("Labels"),
                fields.text("CreatedTime"),
                fields.text("LastBackupName"),
                fields.text("LastBackupAt"),
                fields.number("BlockCount"),
                fields.quoted("BackingImageName"),
                fields.quoted("BackingImageChecksum"),
                fields.quoted("CompressionMethod"),
                fields.quoted("StorageClassName"),
                fields.quoted("DataEngine"));
    }

    /**
     * A backup's document.
     *
     * @throws IOException if it is none; the message is a sentence without a subject
     */
    static BackupConfig backup(ByteBuffer document) throws IOException {
        Fields fields = Fields.of(document);
        requireName(fields);
        return new BackupConfig(
                fields.text("Name"),
                fields.text("VolumeName"),
                fields.text("SnapshotName"),
                fields.text("SnapshotCreatedAt"),
                fields.text("CreatedTime"),
                fields.number("Size"),
                fields.map("Labels"),
                fields.map("Parameters"),
                fields.isTrue("IsIncremental"),
                fields.text("CompressionMethod"),
                fields.number("NewlyUploadedDataSize"),
                fields.number("ReUploadedDataSize"),
                fields.blocks.build());
    }

    /**
     * A lock's document.
     *
     * @param modifiedAt when it was written
     * @throws IOException if it is none; the message is a sentence without a subject
     */
    static StoreLock.Document lock(ByteBuffer document, Instant modifiedAt) throws IOException {
        Fields fields = Fields.of(document);
        requireName(fields);
        return new StoreLock.Document(
                fields.text("Name"), (int) fields.number("Type"), fields.isTrue("Acquired"), modifiedAt);
    }

    /**
     * What an encrypted store is opened with.
     *
     * @throws IOException if it is no such document; the message is a sentence without a subject
     */
    static EncryptionDocument encryption(ByteBuffer document) throws IOException {
        Fields fields = Fields.of(document);
        if (fields.number("Version") != EncryptionDocument.VERSION) {
            throw new IOException(
                    "it is of version '" + fields.text("Version") + "', known is " + EncryptionDocument.VERSION);
        }
        Map<String, byte[]> secrets = new TreeMap<>();
        for (Map.Entry<String, String> secret : fields.map("NamingSecrets").entrySet()) {
            try {
                secrets.put(secret.getKey(), Base64.getDecoder().decode(secret.getValue()));
            } catch (IllegalArgumentException e) {
                throw new IOException("the secret for the key " + secret.getKey() + " is no base64", e);
            }
        }
        return new EncryptionDocument(secrets);
    }

    private static void requireName(Fields fields) throws IOException {
        if (fields.text("Name").isEmpty()) {
            throw new IOException("it has no Name");
        }
    }

    // ------------------------------------------------------------------ writing

    static ByteBuffer document(VolumeConfig volume) {
        return write(json -> {
            json.writeStringField("Name", volume.name());
            json.writeStringField("Size", Long.toString(volume.sizeBytes()));
            writeMap(json, "Labels", volume.labels());
            json.writeStringField("CreatedTime", volume.createdTime());
            json.writeStringField("LastBackupName", volume.lastBackupName());
            json.writeStringField("LastBackupAt", volume.lastBackupAt());
            json.writeStringField("BlockCount", Long.toString(volume.blockCount()));
            writeQuoted(json, "BackingImageName", volume.backingImageName());
            writeQuoted(json, "BackingImageChecksum", volume.backingImageChecksum());
            writeQuoted(json, "CompressionMethod", volume.compression());
            writeQuoted(json, "StorageClassName", volume.storageClassName());
            writeQuoted(json, "DataEngine", volume.dataEngine());
        });
    }

    static ByteBuffer document(BackupConfig backup) {
        return write(json -> {
            json.writeStringField("Name", backup.name());
            json.writeStringField("VolumeName", backup.volumeName());
            json.writeStringField("SnapshotName", backup.snapshotName());
            json.writeStringField("SnapshotCreatedAt", backup.snapshotCreatedAt());
            json.writeStringField("CreatedTime", backup.createdTime());
            json.writeStringField("Size", Long.toString(backup.sizeBytes()));
            writeMap(json, "Labels", backup.labels());
            writeMap(json, "Parameters", backup.parameters());
            json.writeBooleanField("IsIncremental", backup.isIncremental());
            json.writeStringField("CompressionMethod", backup.compression());
            json.writeStringField("NewlyUploadedDataSize", Long.toString(backup.newlyUploadedBytes()));
            json.writeStringField("ReUploadedDataSize", Long.toString(backup.reuploadedBytes()));
            if (backup.isInProgress() || backup.isIncremental()) {
                json.writeNullField("ProcessingBlocks");
            } else {
                json.writeObjectFieldStart("ProcessingBlocks");
                json.writeEndObject();
            }
            writeBlocks(json, backup.blocks());
            json.writeObjectFieldStart("SingleFile");
            json.writeStringField("FilePath", "");
            json.writeEndObject();
        });
    }

    static ByteBuffer lockDocument(String name, int kind, boolean acquired) {
        return write(json -> {
            json.writeStringField("Name", name);
            json.writeNumberField("Type", kind);
            json.writeBooleanField("Acquired", acquired);
        });
    }

    static ByteBuffer document(EncryptionDocument encryption) {
        Map<String, String> secrets = new TreeMap<>();
        encryption
                .namingSecrets()
                .forEach((id, secret) -> secrets.put(id, Base64.getEncoder().encodeToString(secret)));
        return write(json -> {
            json.writeStringField("Version", Integer.toString(EncryptionDocument.VERSION));
            writeMap(json, "NamingSecrets", secrets);
        });
    }

    private static void writeBlocks(JsonGenerator json, BlockList blocks) throws IOException {
        if (blocks.isEmpty()) {
            return;
        }
        json.writeArrayFieldStart("Blocks");
        byte[] digits = new byte[BlockChecksum.DIGITS];
        for (int i = 0; i < blocks.size(); i++) {
            json.writeStartObject();
            json.writeNumberField("Offset", blocks.offsetBytes(i));
            json.writeFieldName("BlockChecksum");
            blocks.checksumDigits(i, digits);
            json.writeRawUTF8String(digits, 0, digits.length);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void writeMap(JsonGenerator json, String name, Map<String, String> map) throws IOException {
        if (map.isEmpty()) {
            json.writeNullField(name);
            return;
        }
        json.writeObjectFieldStart(name);
        for (Map.Entry<String, String> entry : map.entrySet()) {
            json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
    }

    private static void writeQuoted(JsonGenerator json, String name, String text) throws IOException {
        ByteArrayOutputStream inner = new ByteArrayOutputStream();
        try (JsonGenerator quoted = JSON.createGenerator(inner)) {
            quoted.writeString(text);
        }
        json.writeStringField(name, inner.toString(StandardCharsets.UTF_8));
    }

    private interface Content {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /** Writes it twice, first only to learn its size: a document of 100 MB is never in memory twice. */
    private static ByteBuffer write(Content content) {
        Measure measure = new Measure();
        write(content, measure);
        Target target = new Target(measure.count);
        write(content, target);
        return target.bytes;
    }

    private static void write(Content content, OutputStream out) {
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            content.writeTo(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("memory does not fail", e);
        }
    }

    /** Counts what is written. */
    private static final class Measure extends OutputStream {
        private int count;

        @Override
        public void write(int value) {
            count = Math.addExact(count, 1);
        }

        @Override
        public void write(byte[] source, int from, int length) {
            count = Math.addExact(count, length);
        }
    }

    /** Keeps what is written. */
    private static final class Target extends OutputStream {
        private final ByteBuffer bytes;

        Target(int size) {
            bytes = ByteBuffer.allocate(size);
        }

        @Override
        public void write(int value) {
            bytes.put((byte) value);
        }

        @Override
        public void write(byte[] source, int from, int length) {
            bytes.put(source, from, length);
        }

        @Override
        public void close() {
            bytes.flip();
        }
    }
}
