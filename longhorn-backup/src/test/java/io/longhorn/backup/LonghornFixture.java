package io.longhorn.backup;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The store in the test resources that Longhorn's own engine wrote, and what its manifest says of each complete backup. */
final class LonghornFixture {

    /**
     * A complete backup.
     *
     * @param sha256 of the whole image
     */
    record Expected(
            String volume,
            String backup,
            String snapshot,
            long volumeBytes,
            int blockBytes,
            String compression,
            boolean isIncremental,
            List<Long> offsets,
            String sha256) {
        @Override
        public String toString() {
            return volume + " " + backup;
        }
    }

    private LonghornFixture() {}

    static Path directory() {
        try {
            return Path.of(LonghornFixture.class.getResource("/longhorn-store").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A copy that a test may change. */
    static Path copyTo(Path target) throws IOException {
        Path source = directory();
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path copy = target.resolve(source.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
        return target;
    }

    static List<Expected> backups() throws IOException {
        JsonNode manifest =
                new ObjectMapper().readTree(directory().resolve("manifest.json").toFile());
        List<Expected> backups = new ArrayList<>();
        for (JsonNode each : manifest.get("backups")) {
            List<Long> offsets = new ArrayList<>();
            each.get("blockOffsets").forEach(offset -> offsets.add(offset.asLong()));
            backups.add(new Expected(
                    each.get("volume").asText(),
                    each.get("backup").asText(),
                    each.get("snapshot").asText(),
                    each.get("volumeSize").asLong(),
                    each.get("blockSize").asInt(),
                    each.get("compression").asText(),
                    each.get("isIncremental").asBoolean(),
                    offsets,
                    each.get("sha256").asText()));
        }
        return backups;
    }
}
