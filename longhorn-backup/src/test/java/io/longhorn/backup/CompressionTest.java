package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CompressionTest {
    private static final int BLOCK = 2 << 20;

    private static ByteBuffer text(int bytes) {
        Random random = new Random(bytes);
        byte[] text = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            text[i] = (byte) ('a' + random.nextInt(4));
        }
        return ByteBuffer.wrap(text);
    }

    private static byte[] bytes(ByteBuffer stored) {
        byte[] bytes = new byte[stored.remaining()];
        stored.get(bytes);
        return bytes;
    }

    private static ByteBuffer noise(int bytes) {
        byte[] noise = new byte[bytes];
        new Random(bytes).nextBytes(noise);
        return ByteBuffer.wrap(noise);
    }

    @ParameterizedTest
    @EnumSource
    void blocksComeBack(Compression compression) throws IOException {
        for (ByteBuffer block : Arrays.asList(text(BLOCK), noise(BLOCK), ByteBuffer.allocate(BLOCK), text(16 << 20))) {
            int blockBytes = block.remaining();
            ByteBuffer stored = compression.compress(block);
            assertThat(block.remaining()).as("the block stays as it is").isEqualTo(blockBytes);
            assertThat(compression.decompress(stored, blockBytes)).isEqualTo(block);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anotherSizeIsRefused(Compression compression) {
        ByteBuffer stored = compression.compress(text(BLOCK));
        assertThatThrownBy(() -> compression.decompress(stored, BLOCK + 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("expected " + (BLOCK + 1));
        assertThatThrownBy(() -> compression.decompress(stored, BLOCK - 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("more than");
    }

    @ParameterizedTest
    @EnumSource(names = {"LZ4", "GZIP"})
    void damageIsRefused(Compression compression) {
        byte[] stored = bytes(compression.compress(text(1 << 16)));
        for (int cut : new int[] {0, 1, 3, 10, stored.length / 2, stored.length - 1}) {
            assertThatThrownBy(() -> compression.decompress(ByteBuffer.wrap(Arrays.copyOf(stored, cut)), 1 << 16))
                    .as("cut at " + cut)
                    .isInstanceOf(IOException.class);
        }
        byte[] flipped = stored.clone();
        flipped[stored.length / 2] ^= 1;
        assertThatThrownBy(() -> compression.decompress(ByteBuffer.wrap(flipped), 1 << 16))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> compression.decompress(noise(1000), 1 << 16)).isInstanceOf(IOException.class);
    }

    @Test
    void lz4FramesBeginAsLonghornsDo() {
        byte[] stored = bytes(Compression.LZ4.compress(text(BLOCK)));
        assertThat(HexFormat.of().formatHex(stored, 0, 7)).isEqualTo("04224d186470b9");
        assertThat(stored.length).isLessThan(BLOCK);
    }

    @Test
    void lz4AndGzipAreToldApartByTheirBytes() throws IOException {
        ByteBuffer block = text(BLOCK);
        assertThat(Compression.LZ4.decompress(Compression.GZIP.compress(block), BLOCK))
                .isEqualTo(block);
        assertThat(Compression.GZIP.decompress(Compression.LZ4.compress(block), BLOCK))
                .isEqualTo(block);
    }

    @Test
    void namesAreThoseOfDocuments() {
        assertThat(Compression.of("lz4")).contains(Compression.LZ4);
        assertThat(Compression.of("none")).contains(Compression.NONE);
        assertThat(Compression.of(""))
                .as("as written before there was a choice")
                .contains(Compression.GZIP);
        assertThat(Compression.of("zstd")).isEmpty();
        assertThat(Compression.GZIP.text()).isEqualTo("gzip");
    }
}
