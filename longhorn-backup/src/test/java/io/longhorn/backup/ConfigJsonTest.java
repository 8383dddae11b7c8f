package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigJsonTest {
    private static final String CHECKSUM = "ab".repeat(32);

    private static final VolumeConfig VOLUME = new VolumeConfig(
            "orders",
            8 << 20,
            Map.of("k", "v \"quoted\" \u00e9"),
            "2026-11-22T18:59:29Z",
            "backup-1",
            "2026-11-22T19:00:02Z",
            9,
            "image \"x\"",
            "",
            "lz4",
            "longhorn",
            "v1");

    private static final BackupConfig BACKUP = new BackupConfig(
            "backup-1",
            "orders",
            "first",
            "2026-11-22T18:59:29Z",
            "2026-11-22T18:59:31Z",
            4 << 20,
            Map.of("a", "1"),
            Map.of(BackupConfig.MODE, "full", BackupConfig.BLOCK_SIZE, "2097152"),
            false,
            "lz4",
            100,
            7,
            List.of(new BlockReference(0, CHECKSUM), new BlockReference(2 << 20, CHECKSUM)));

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        assertThat(ConfigJson.volume(ConfigJson.document(VOLUME))).isEqualTo(VOLUME);
        assertThat(ConfigJson.backup(ConfigJson.document(BACKUP))).isEqualTo(BACKUP);
    }

    @Test
    void fiveTextsAreQuotedOnceMore() {
        assertThat(StandardCharsets.UTF_8.decode(ConfigJson.document(VOLUME)).toString())
                .contains(
                        "\"BackingImageName\":\"\\\"image \\\\\\\"x\\\\\\\"\\\"\"",
                        "\"BackingImageChecksum\":\"\\\"\\\"\"",
                        "\"CompressionMethod\":\"\\\"lz4\\\"\"",
                        "\"StorageClassName\":\"\\\"longhorn\\\"\"",
                        "\"DataEngine\":\"\\\"v1\\\"\"");
    }

    @Test
    void plainTextsAbsentAndUnknownFieldsAreRead() throws IOException {
        VolumeConfig volume = ConfigJson.volume(
                bytes(
                        "{\"Name\":\"orders\",\"Future\":{\"a\":[1,{\"b\":2}]},\"More\":[1,2],\"CompressionMethod\":\"gzip\",\"Size\":\"4096\",\"Labels\":null}"));
        assertThat(volume.compression()).isEqualTo("gzip");
        assertThat(volume.sizeBytes()).isEqualTo(4096);
        assertThat(volume.labels()).isEmpty();
        assertThat(volume.dataEngine()).isEmpty();
        BackupConfig backup = ConfigJson.backup(bytes("{\"Name\":\"backup-1\",\"VolumeName\":\"orders\"}"));
        assertThat(backup.isInProgress()).isTrue();
        assertThat(backup.blocks()).isEmpty();
        assertThat(backup.blockBytes()).isEqualTo(2 << 20);
    }

    @Test
    void aDocumentThatIsCutIsRefused() {
        byte[] whole = ConfigJson.document(BACKUP).array();
        for (int length = 0; length < whole.length; length++) {
            ByteBuffer cut = ByteBuffer.wrap(Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> ConfigJson.backup(cut))
                    .as("cut at " + length)
                    .isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hello",
                "[]",
                "{}",
                "{\"Name\":\"\"}",
                "{\"Name\":\"a1\",\"Size\":\"many\"}",
                "{\"Name\":\"a1\"} {}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"Offset\":0,\"BlockChecksum\":\"short\"}]}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"Offset\":-1,\"BlockChecksum\":\"" + "ab" + "\"}]}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"Offset\":\"x\"}]}",
                "{\"Name\":\"a1\",\"Blocks\":[7]}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"Offset\":0}]}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"Offset\":0,\"BlockChecksum\":null}]}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"Offset\":0,\"BlockChecksum\":{}}]}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"BlockChecksum\":\"GOOD\"}]}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"Offset\":0,\"BlockChecksum\":\"GOOD\"},{\"Offset\":9}]}",
                "{\"Name\":\"a1\",\"Blocks\":[{\"Offset\":9,\"BlockChecksum\":\"GOOD\"},{\"Offset\":9,\"BlockChecksum\":\"GOOD\"}]}",
            })
    void nonsenseIsRefused(String document) {
        assertThatThrownBy(() -> ConfigJson.backup(bytes(document.replace("GOOD", CHECKSUM))))
                .isInstanceOf(IOException.class)
                .hasMessageMatching("(?s).{8,}");
    }

    @Test
    void fieldsOfABlockStandInAnyOrderAmongOthers() throws IOException {
        String blocks = "{\"Future\":[1],\"BlockChecksum\":\"" + CHECKSUM + "\",\"Offset\":7},"
                + "{\"Offset\":9,\"Future\":{\"Offset\":1},\"BlockChecksum\":\"" + "\\u0061b".repeat(32) + "\"}";
        assertThat(ConfigJson.backup(bytes("{\"Name\":\"a1\",\"Blocks\":[" + blocks + "]}"))
                        .blocks())
                .containsExactly(new BlockReference(7, CHECKSUM), new BlockReference(9, CHECKSUM));
    }

    @Test
    void documentsAreReadWhereverTheyLie() throws IOException {
        ByteBuffer document = ConfigJson.document(BACKUP);
        ByteBuffer direct = ByteBuffer.allocateDirect(2000)
                .position(9)
                .put(document.duplicate())
                .flip()
                .position(9);
        ByteBuffer within = ByteBuffer.allocate(2000)
                .position(5)
                .slice()
                .position(4)
                .put(document)
                .flip()
                .position(4);
        for (ByteBuffer each : List.of(direct, within, within.asReadOnlyBuffer())) {
            int remaining = each.remaining();
            assertThat(ConfigJson.backup(each)).isEqualTo(BACKUP);
            assertThat(each.remaining()).isEqualTo(remaining);
        }
    }

    @Test
    void manyBlocksAreReadAsTheyWereWritten() throws IOException {
        BlockList.Builder blocks = BlockList.builder();
        Random random = new Random(4);
        for (long i = 0; i < 100_000; i++) {
            blocks.add(i << 21, random.longs(4).toArray(), 0);
        }
        BackupConfig backup =
                new BackupConfig("b1", "v1", "", "", "", 0, Map.of(), Map.of(), true, "", 0, 0, blocks.build());
        ByteBuffer document = ConfigJson.document(backup);
        assertThat(document.capacity()).as("bytes of memory").isEqualTo(document.remaining());
        assertThat(ConfigJson.backup(document).blocks().equals(backup.blocks())).isTrue();
    }

    @Test
    void blockSizesAreThoseOfLonghorn() {
        assertThat(withBlockSize("16777216").blockBytes()).isEqualTo(16 << 20);
        assertThat(withBlockSize("16Mi").blockBytes()).isEqualTo(16 << 20);
        assertThat(withBlockSize("0").blockBytes()).isEqualTo(2 << 20);
        assertThatThrownBy(() -> withBlockSize("4096").blockBytes())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("'4096'");
    }

    private static BackupConfig withBlockSize(String text) {
        return new BackupConfig(
                "b1", "v1", "", "", "", 0, Map.of(), Map.of(BackupConfig.BLOCK_SIZE, text), false, "", 0, 0, List.of());
    }
}
