package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Properties;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class SealedObjectTest {
    private static final String PATH = "backupstore/volumes/aa/bb/orders/volume.cfg";
    private static final byte[] KEY = key(0);

    private static byte[] key(int first) {
        byte[] key = new byte[32];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) (first + i);
        }
        return key;
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static ByteBuffer sealed(ByteBuffer content) {
        return SealedObject.seal(PATH, content, "key-1", KEY, new Random(1));
    }

    /** Bytes 1, 2, 3 and so on. */
    private static RandomGenerator counting() {
        return new RandomGenerator() {
            private byte next;

            @Override
            public long nextLong() {
                throw new UnsupportedOperationException();
            }

            @Override
            public void nextBytes(byte[] bytes) {
                for (int i = 0; i < bytes.length; i++) {
                    bytes[i] = ++next;
                }
            }
        };
    }

    @Test
    void theBytesAreThoseOnRecord() throws IOException {
        Properties vector = new Properties();
        try (InputStream in = Objects.requireNonNull(
                SealedObjectTest.class.getResourceAsStream("/format/sealed-object/v1/document.properties"))) {
            vector.load(in);
        }
        String path = vector.getProperty("path");
        String content = vector.getProperty("content");
        byte[] key = HexFormat.of().parseHex(vector.getProperty("masterKey"));
        byte[] expected = HexFormat.of().parseHex(vector.getProperty("bytes"));

        assertThat(SealedObject.seal(path, bytes(content), vector.getProperty("keyId"), key, counting()))
                .isEqualTo(ByteBuffer.wrap(expected));
        assertThat(SealedObject.keyId(ByteBuffer.wrap(expected))).isEqualTo(vector.getProperty("keyId"));
        assertThat(SealedObject.open(path, ByteBuffer.wrap(expected), key)).isEqualTo(bytes(content));
    }

    @Test
    void contentOfAnyLengthAndPlaceInItsBufferIsOpened() throws IOException {
        for (int length : new int[] {0, 1, 15, 16, 17, 4096, 100_000}) {
            byte[] content = new byte[length];
            new Random(length).nextBytes(content);
            ByteBuffer around = ByteBuffer.allocateDirect(length + 20).position(7);
            around.put(content).flip().position(7);

            ByteBuffer sealed = sealed(around);
            assertThat(around.remaining()).isEqualTo(length);
            assertThat(sealed.remaining()).isEqualTo(length + SealedObject.OVERHEAD);

            ByteBuffer moved = ByteBuffer.allocate(sealed.remaining() + 9).position(5);
            moved.put(sealed.duplicate()).flip().position(5);
            assertThat(SealedObject.open(PATH, moved, KEY)).isEqualTo(ByteBuffer.wrap(content));
            assertThat(SealedObject.open(PATH, sealed.asReadOnlyBuffer(), KEY)).isEqualTo(ByteBuffer.wrap(content));
        }
    }

    @Test
    void noBitMayChangeAndNothingMayBeCutOrAdded() {
        ByteBuffer sealed = sealed(bytes("the content"));
        for (int bit = 0; bit < 8 * sealed.limit(); bit++) {
            ByteBuffer changed = copyOf(sealed, sealed.limit());
            changed.put(bit / 8, (byte) (changed.get(bit / 8) ^ 1 << bit % 8));
            assertDamaged(PATH, changed, KEY);
        }
        for (int length = 0; length < sealed.limit(); length++) {
            assertDamaged(PATH, copyOf(sealed, length), KEY);
        }
        assertDamaged(
                PATH,
                ByteBuffer.allocate(sealed.limit() + 1).put(sealed.duplicate()).clear(),
                KEY);
    }

    private static ByteBuffer copyOf(ByteBuffer bytes, int length) {
        return ByteBuffer.allocate(length).put(bytes.slice(0, length)).flip();
    }

    private static void assertDamaged(String path, ByteBuffer sealed, byte[] key) {
        assertThatThrownBy(() -> SealedObject.open(path, sealed, key)).isInstanceOf(DamagedObjectException.class);
    }

    @Test
    void itOpensInItsPlaceAndWithItsKeyOnly() {
        assertDamaged(PATH + "x", sealed(bytes("the content")), KEY);
        assertDamaged(PATH, sealed(bytes("the content")), key(1));
    }

    @Test
    void equalContentIsSealedDifferently() {
        Random random = new Random(1);
        ByteBuffer first = SealedObject.seal(PATH, bytes("the content"), "key-1", KEY, random);
        ByteBuffer second = SealedObject.seal(PATH, bytes("the content"), "key-1", KEY, random);
        int content = SealedObject.OVERHEAD - 16;
        assertThat(first.slice(content, 27)).isNotEqualTo(second.slice(content, 27));
    }

    @Test
    void whatCannotBeOneIsToldApart() {
        assertThatThrownBy(() -> SealedObject.keyId(ByteBuffer.allocate(10))).hasMessageContaining("10 bytes");
        assertThatThrownBy(() -> SealedObject.keyId(ByteBuffer.allocate(1000))).hasMessage("it is not encrypted");
        ByteBuffer newer = sealed(bytes("x"));
        newer.put(4, (byte) 2);
        assertThatThrownBy(() -> SealedObject.keyId(newer)).hasMessageContaining("version 2");
    }
}
