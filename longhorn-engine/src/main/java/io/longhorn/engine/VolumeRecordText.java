package io.longhorn.engine;

import io.longhorn.DamagedFileException;
import io.longhorn.Durability;
import io.longhorn.FileTooNewException;
import io.longhorn.ForeignFileException;
import io.longhorn.VolumeLimits;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * A {@link VolumeRecord} as the file registry writes it: a line that names the format, a line {@code key=value} per field, values percent-encoded, and
 * at the end a line with the CRC32C of everything before. See {@code docs/format/registry.md}.
 */
final class VolumeRecordText {
    static final String TITLE = "longhorn-volume-record ";
    private static final int VERSION = 2;
    /** What a record without a source is written as, so that older programs read it; one with a source they must refuse. */
    private static final int VERSION_COMPLETE = 1;

    private static final String CRC = "crc32c=";

    private VolumeRecordText() {}

    static byte[] encode(VolumeRecord r) {
        StringBuilder text = new StringBuilder(TITLE)
                .append(r.source().isPresent() ? VERSION : VERSION_COMPLETE)
                .append('\n');
        put(text, "version", r.version());
        put(text, "name", r.name());
        put(text, "volume", r.volumeId());
        put(text, "size", r.sizeBytes());
        put(text, "durability", r.durability());
        put(text, "replicas-wanted", r.replicasWanted());
        put(text, "min-in-sync", r.minInSync());
        put(text, "limit-operations", r.limits().operationsPerSecond());
        put(text, "limit-operations-burst", r.limits().operationsBurst());
        put(text, "limit-bytes", r.limits().bytesPerSecond());
        put(text, "limit-bytes-burst", r.limits().bytesBurst());
        put(text, "created", r.createdAtMillis());
        put(text, "epoch", r.epoch());
        put(text, "engine", r.engineId());
        new TreeMap<>(r.labels()).forEach((key, value) -> put(text, "label." + encoded(key), value));
        for (ReplicaRecord replica : r.replicas()) {
            put(text, "replica." + replica.replicaId(), replica.endpoint());
        }
        for (UUID member : r.view()) {
            put(text, "view." + member, "in-sync");
        }
        r.holder().ifPresent(holder -> {
            put(text, "holder-epoch", holder.epoch());
            put(text, "holder-engine", holder.engineId());
            put(text, "holder-lease-nanos", holder.leaseNanos());
            put(text, "holder-host", holder.hostId());
            put(text, "holder-boot", holder.bootId());
            put(text, "holder-clean", holder.clean());
        });
        r.source().ifPresent(source -> put(text, "source", source));
        String crc = crc(text.toString());
        text.append(CRC).append(crc).append('\n');
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void put(StringBuilder text, String key, Object value) {
        text.append(key).append('=').append(encoded(value.toString())).append('\n');
    }

    private static String encoded(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private static String crc(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }

    /**
     * Reads a record.
     *
     * @throws ForeignFileException if it is none
     * @throws FileTooNewException if a newer version wrote it
     * @throws DamagedFileException if it is cut or changed
     */
    static VolumeRecord decode(byte[] bytes, Path path) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (!text.startsWith(TITLE)) {
            throw new ForeignFileException(path, "Longhorn volume record");
        }
        int version = versionOf(text, path);
        if (version > VERSION) {
            throw new FileTooNewException(path, version, VERSION);
        }
        int crcAt = text.lastIndexOf("\n" + CRC) + 1;
        if (crcAt == 0 || !text.substring(crcAt).equals(CRC + crc(text.substring(0, crcAt)) + "\n")) {
            throw new DamagedFileException(path, Math.max(0, crcAt), "cut or changed: its checksum does not match");
        }
        try {
            return record(new Fields(fields(text.substring(0, crcAt))));
        } catch (IllegalArgumentException e) {
            DamagedFileException damaged = new DamagedFileException(path, 0, String.valueOf(e.getMessage()));
            damaged.addSuppressed(e);
            throw damaged;
        }
    }

    private static int versionOf(String text, Path path) {
        String first = text.lines().findFirst().orElse("").substring(TITLE.length());
        if (!first.matches("[1-9][0-9]{0,8}")) {
            throw new DamagedFileException(
                    path, TITLE.length(), "expected a version of the format, found '" + first + "'");
        }
        return Integer.parseInt(first);
    }

    private static Map<String, String> fields(String text) {
        Map<String, String> fields = new LinkedHashMap<>();
        for (String line : text.lines().skip(1).toList()) {
            int equals = line.indexOf('=');
            if (equals < 0) {
                throw new IllegalArgumentException("expected key=value, found '" + line + "'");
            }
            fields.put(
                    line.substring(0, equals), URLDecoder.decode(line.substring(equals + 1), StandardCharsets.UTF_8));
        }
        return fields;
    }

    private record Fields(Map<String, String> values) {
        String text(String key) {
            String value = values.get(key);
            if (value == null) {
                throw new IllegalArgumentException("field " + key + " is missing");
            }
            return value;
        }

        long number(String key) {
            return Long.parseLong(text(key));
        }

        UUID id(String key) {
            return UUID.fromString(text(key));
        }

        Map<String, String> below(String prefix) {
            Map<String, String> found = new LinkedHashMap<>();
            values.forEach((key, value) -> {
                if (key.startsWith(prefix)) {
                    found.put(URLDecoder.decode(key.substring(prefix.length()), StandardCharsets.UTF_8), value);
                }
            });
            return found;
        }
    }

    private static VolumeRecord record(Fields f) {
        List<ReplicaRecord> replicas = new ArrayList<>();
        f.below("replica.").forEach((id, endpoint) -> replicas.add(new ReplicaRecord(UUID.fromString(id), endpoint)));
        List<UUID> view =
                f.below("view.").keySet().stream().map(UUID::fromString).toList();
        Optional<LeaseHolder> holder = f.values().containsKey("holder-epoch")
                ? Optional.of(new LeaseHolder(
                        f.number("holder-epoch"),
                        f.id("holder-engine"),
                        f.number("holder-lease-nanos"),
                        f.text("holder-host"),
                        f.text("holder-boot"),
                        Boolean.parseBoolean(f.text("holder-clean"))))
                : Optional.empty();
        return new VolumeRecord(
                f.number("version"),
                f.text("name"),
                f.id("volume"),
                f.number("size"),
                Durability.valueOf(f.text("durability")),
                (int) f.number("replicas-wanted"),
                (int) f.number("min-in-sync"),
                new VolumeLimits(
                        f.number("limit-operations"),
                        f.number("limit-operations-burst"),
                        f.number("limit-bytes"),
                        f.number("limit-bytes-burst")),
                f.below("label."),
                f.number("created"),
                f.number("epoch"),
                f.id("engine"),
                replicas,
                view,
                holder,
                Optional.ofNullable(f.values().get("source")));
    }
}
