package io.longhorn.app.daemon;

import io.longhorn.DamagedFileException;
import io.longhorn.DiskFailedException;
import io.longhorn.FileTooNewException;
import io.longhorn.ForeignFileException;
import io.longhorn.app.Json;
import io.longhorn.app.JsonReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * The file that remembers over restarts what is attached; see docs/format/attachments.md. One thread at a time.
 *
 * <pre>
 * longhorn attachments 1        what it is, and the version of its form
 * { "attachments": [ ... ] }    JSON, some lines
 * crc32c 0a1b2c3d               of all bytes before this line
 * </pre>
 */
final class AttachmentFile {
    private static final String MAGIC = "longhorn attachments ";
    private static final int VERSION = 1;

    /** A hundred thousand attachments. */
    private static final long BYTES_MAX = 32 << 20;

    private static final Pattern FIRST_LINE = Pattern.compile("\\A" + MAGIC + "([0-9]{1,9})\n");
    private static final Pattern LAST_LINE = Pattern.compile("crc32c ([0-9a-f]{8})\n\\z");

    private final Path file;

    AttachmentFile(Path file) {
        this.file = file;
    }

    /**
     * Reads it; nothing if there is none.
     *
     * @throws io.longhorn.ReplicaException if it is not what was written: damaged, of another kind, or of a newer version
     */
    List<Attachment> read() {
        String text;
        try {
            if (Files.size(file) > BYTES_MAX) {
                throw new ForeignFileException(file, "list of attachments");
            }
            text = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new DiskFailedException(file, "read", e);
        }
        return parse(text);
    }

    /** The text has a character per byte. */
    private List<Attachment> parse(String text) {
        if (text.isEmpty()) {
            throw new DamagedFileException(file, 0, "it is empty");
        }
        Matcher first = FIRST_LINE.matcher(text);
        if (!first.find()) {
            throw new ForeignFileException(file, "list of attachments");
        }
        int version = Integer.parseInt(first.group(1));
        if (version > VERSION) {
            throw new FileTooNewException(file, version, VERSION);
        }
        Matcher last = LAST_LINE.matcher(text);
        if (!last.find(first.end())) {
            throw new DamagedFileException(file, text.length(), "its end is missing");
        }
        byte[] covered = text.substring(0, last.start()).getBytes(StandardCharsets.ISO_8859_1);
        if (!last.group(1).equals(checksum(covered))) {
            throw new DamagedFileException(file, 0, "its checksum does not match");
        }
        String json = new String(covered, first.end(), covered.length - first.end(), StandardCharsets.UTF_8);
        try {
            return attachments(JsonReader.readObject(json));
        } catch (IllegalArgumentException e) {
            throw new DamagedFileException(file, first.end(), String.valueOf(e.getMessage()));
        }
    }

    private static List<Attachment> attachments(Map<String, Object> document) {
        if (!(document.get("attachments") instanceof List<?> list)) {
            throw new IllegalArgumentException("it has no attachments");
        }
        List<Attachment> found = new ArrayList<>();
        for (Object element : list) {
            if (!(element instanceof Map<?, ?> fields)) {
                throw new IllegalArgumentException("an attachment is no object");
            }
            found.add(new Attachment(
                    text(fields, "volume"),
                    fields.containsKey("snapshot") ? Optional.of(text(fields, "snapshot")) : Optional.empty(),
                    FrontendKind.of(text(fields, "frontend"))
                            .orElseThrow(() -> new IllegalArgumentException("a frontend is not known")),
                    text(fields, "listen"),
                    text(fields, "name")));
        }
        return found;
    }

    private static String text(Map<?, ?> fields, String name) {
        if (fields.get(name) instanceof String text) {
            return text;
        }
        throw new IllegalArgumentException("an attachment has no " + name);
    }

    /** Replaces it; on stable storage on return, and after a crash before that either the old or the new list is there. */
    void write(Collection<Attachment> attachments) {
        byte[] covered = (MAGIC + VERSION + "\n"
                        + Json.of(Map.of(
                                "attachments",
                                attachments.stream().map(AttachmentFile::json).toList())))
                .getBytes(StandardCharsets.UTF_8);
        byte[] end = ("crc32c " + checksum(covered) + "\n").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer content = ByteBuffer.allocate(covered.length + end.length)
                .put(covered)
                .put(end)
                .flip();
        Path beside = file.resolveSibling(file.getFileName() + ".new");
        try {
            try (FileChannel channel = FileChannel.open(
                    beside,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                while (content.hasRemaining()) {
                    channel.write(content);
                }
                channel.force(true);
            }
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            try (FileChannel directory = FileChannel.open(file.resolveSibling("."), StandardOpenOption.READ)) {
                directory.force(true);
            }
        } catch (IOException e) {
            throw new DiskFailedException(file, "write", e);
        }
    }

    private static Map<String, Object> json(Attachment attachment) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("volume", attachment.volume());
        attachment.snapshot().ifPresent(snapshot -> fields.put("snapshot", snapshot));
        fields.put("frontend", attachment.kind().word());
        fields.put("listen", attachment.listen());
        fields.put("name", attachment.name());
        return fields;
    }

    private static String checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return String.format(Locale.ROOT, "%08x", crc.getValue());
    }
}
