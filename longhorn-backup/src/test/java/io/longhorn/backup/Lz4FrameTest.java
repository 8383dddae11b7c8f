package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4FrameInputStream;
import net.jpountz.xxhash.XXHashFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Lz4FrameTest {
    private static final byte[] HEADER = HexFormat.of().parseHex("04224d186470b9");

    /** Those whose content is guarded by a checksum. */
    private static final String[] CHECKED = {
        "independent-256k.bin", "independent-64k-all-fields.bin", "linked-64k.bin", "several-frames.bin"
    };

    private static byte[] noise(int bytes) {
        byte[] noise = new byte[bytes];
        new Random(bytes).nextBytes(noise);
        return noise;
    }

    private static byte[] letters(int bytes) {
        Random random = new Random(bytes);
        byte[] letters = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            letters[i] = (byte) ('a' + random.nextInt(4));
        }
        return letters;
    }

    private static byte[] repeated(int bytes, int period) {
        byte[] pattern = noise(period);
        byte[] repeated = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            repeated[i] = pattern[i % period];
        }
        return repeated;
    }

    private static List<byte[]> patterns(int bytes) {
        byte[] half = noise(bytes);
        Arrays.fill(half, 0, bytes / 2, (byte) 0);
        return List.of(new byte[bytes], noise(bytes), letters(bytes), repeated(bytes, 5003), repeated(bytes, 3), half);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    private static byte[] compress(byte[] content) {
        return bytes(Lz4Frame.compress(ByteBuffer.wrap(content)));
    }

    private static byte[] decompress(byte[] frame, int blockBytes) throws IOException {
        return bytes(Lz4Frame.decompress(ByteBuffer.wrap(frame), blockBytes));
    }

    // ------------------------------------------------------------------ what we write

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 12, 13, 255, 4096, 65535, 65537, 2 << 20, 4 << 20, (4 << 20) + 1, 9 << 20})
    void whatIsWrittenIsRead(int blockBytes) throws IOException {
        for (byte[] content : patterns(blockBytes)) {
            byte[] frame = compress(content);
            assertThat(Arrays.copyOf(frame, HEADER.length)).isEqualTo(HEADER);
            assertThat(frame.length).isLessThanOrEqualTo(blockBytes + HEADER.length + 8 + 4 * 3);
            assertThat(Arrays.equals(decompress(frame, blockBytes), content)).isTrue();
        }
    }

    @Test
    void whatDoesNotShrinkIsStoredAsItIs() {
        byte[] content = noise((4 << 20) + 100);
        ByteBuffer frame = ByteBuffer.wrap(compress(content)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(frame.remaining()).isEqualTo(content.length + HEADER.length + 4 * 4);
        assertThat(frame.getInt(7)).isEqualTo((4 << 20) | Lz4Frame.RAW);
        assertThat(frame.getInt(7 + 4 + (4 << 20))).isEqualTo(100 | Lz4Frame.RAW);
        assertThat(frame.slice(7 + 4, 4 << 20)).isEqualTo(ByteBuffer.wrap(content, 0, 4 << 20));
    }

    @Test
    void aSmallFrameIsKnownByteForByte() {
        // As the lz4 command writes it, but for the largest data block in the header.
        assertThat(HexFormat.of().formatHex(compress(new byte[100])))
                .isEqualTo("04224d186470b9" + "0b000000" + "1f0001004b500000000000" + "00000000" + "3c41f685");
        assertThat(HexFormat.of().formatHex(compress(new byte[0])))
                .isEqualTo("04224d186470b9" + "00000000" + "055dcc02");
    }

    @Test
    void buffersAreReadWhereverTheyLieAndStayAsTheyAre() throws IOException {
        byte[] content = letters(10_000);
        ByteBuffer direct = ByteBuffer.allocateDirect(10_100)
                .position(50)
                .put(content)
                .flip()
                .position(50);
        ByteBuffer within = ByteBuffer.allocate(10_100)
                .position(20)
                .slice()
                .position(30)
                .put(content)
                .flip()
                .position(30);
        for (ByteBuffer block : List.of(direct, within, within.asReadOnlyBuffer())) {
            ByteBuffer frame = Lz4Frame.compress(block);
            assertThat(block.remaining()).isEqualTo(content.length);
            assertThat(bytes(frame)).isEqualTo(compress(content));
            ByteBuffer moved = ByteBuffer.allocateDirect(20_000)
                    .position(7)
                    .put(frame)
                    .flip()
                    .position(7);
            ByteBuffer inside = ByteBuffer.allocate(20_000)
                    .position(9)
                    .slice()
                    .position(1)
                    .put(frame.flip())
                    .flip()
                    .position(1);
            for (ByteBuffer each : List.of(moved, inside, inside.asReadOnlyBuffer())) {
                int remaining = each.remaining();
                assertThat(bytes(Lz4Frame.decompress(each, content.length))).isEqualTo(content);
                assertThat(each.remaining()).isEqualTo(remaining);
            }
        }
    }

    /** Later ones let it load its C library without being asked, and complain. */
    @Test
    @EnabledForJreRange(max = JRE.JAVA_21)
    void theStreamsOfTheLibraryReadWhatWeWrite() throws IOException {
        for (byte[] content : patterns((4 << 20) + 12_345)) {
            try (InputStream in = new LZ4FrameInputStream(
                    new ByteArrayInputStream(compress(content)),
                    LZ4Factory.safeInstance().safeDecompressor(),
                    XXHashFactory.safeInstance().hash32())) {
                assertThat(Arrays.equals(in.readAllBytes(), content)).isTrue();
            }
        }
    }

    // ------------------------------------------------------------------ what the lz4 command wrote

    /**
     * By version 1.9.4, with {@code -B5}; {@code -B4 -BX --content-size}; {@code -B4 -BD -BX}; {@code -9 -B4 -BD --no-frame-crc}; and the last of two parts, 70,000 bytes with
     * {@code -B4 -BD} and the rest with {@code -B6}, a skippable frame before each.
     */
    private static byte[] golden(String name) throws IOException {
        try (InputStream in = Lz4FrameTest.class.getResourceAsStream("/lz4-frames/" + name)) {
            return in.readAllBytes();
        }
    }

    /** What every golden frame holds. */
    private static byte[] goldenContent() {
        return repeated(150_000, 5003);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "independent-256k.bin",
                "independent-64k-all-fields.bin",
                "linked-64k.bin",
                "linked-without-checksum.bin",
                "several-frames.bin"
            })
    void framesOfTheReferenceAreRead(String name) throws IOException {
        byte[] frame = golden(name);
        byte[] content = goldenContent();
        assertThat(decompress(frame, content.length)).isEqualTo(content);
        assertThat(bytes(Compression.GZIP.decompress(ByteBuffer.wrap(frame), content.length)))
                .isEqualTo(content);
        assertThatThrownBy(() -> decompress(frame, content.length - 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("more than");
        assertThatThrownBy(() -> decompress(frame, content.length + 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("expected 150001");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "independent-256k.bin",
                "independent-64k-all-fields.bin",
                "linked-64k.bin",
                "linked-without-checksum.bin"
            })
    void everyCutIsRefused(String name) throws IOException {
        byte[] frame = golden(name);
        for (int length = 0; length < frame.length; length += length < 100 || length > frame.length - 100 ? 1 : 97) {
            byte[] cut = Arrays.copyOf(frame, length);
            assertThatThrownBy(() -> decompress(cut, 150_000))
                    .as("cut at " + length)
                    .isInstanceOf(IOException.class);
        }
        assertThatThrownBy(() -> decompress(Arrays.copyOf(frame, frame.length + 1), 150_000))
                .isInstanceOf(IOException.class);
    }

    /** A checksum of 32 bits guards the content, one of 8 bits the header; what goes by all the checks must be right. */
    @Test
    void mutationsAreRefusedOrChangeNothing() throws IOException {
        byte[] content = goldenContent();
        Random random = new Random(20261128);
        int refused = 0;
        for (String name : CHECKED) {
            byte[] frame = golden(name);
            for (int i = 0; i < 1500; i++) {
                byte[] mutated = mutated(frame, random);
                try {
                    assertThat(Arrays.equals(decompress(mutated, content.length), content))
                            .as("mutation " + i + " of " + name)
                            .isTrue();
                } catch (IOException e) {
                    assertThat(e.getMessage()).isNotBlank();
                    refused++;
                }
            }
        }
        assertThat(refused).isGreaterThan(5000);
    }

    private static byte[] mutated(byte[] frame, Random random) {
        byte[] mutated = frame.clone();
        switch (random.nextInt(4)) {
            case 0 -> mutated[random.nextInt(mutated.length)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> mutated[random.nextInt(24)] = (byte) random.nextInt();
            case 2 -> {
                int from = random.nextInt(mutated.length);
                int to = Math.min(mutated.length, from + 1 + random.nextInt(8));
                for (int i = from; i < to; i++) {
                    mutated[i] = (byte) random.nextInt();
                }
            }
            default -> {
                int from = random.nextInt(mutated.length);
                int to = random.nextInt(mutated.length);
                int length = Math.min(1 + random.nextInt(64), mutated.length - Math.max(from, to));
                System.arraycopy(frame, from, mutated, to, length);
            }
        }
        return mutated;
    }

    /** Where no checksum helps, every wrong step must still be seen before it is made. */
    @Test
    void mutationsWithoutChecksumNeverFailInAnotherWay() throws IOException {
        byte[] frame = golden("linked-without-checksum.bin");
        byte[] independent = unchecked(true, sequences(golden("independent-256k.bin")));
        Random random = new Random(7);
        for (int i = 0; i < 3000; i++) {
            byte[] mutated = mutated(i % 2 == 0 ? frame : independent, random);
            try {
                assertThat(decompress(mutated, 150_000)).hasSize(150_000);
            } catch (IOException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    /** The first data block of a frame without content size. */
    private static byte[] sequences(byte[] frame) {
        int length = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN).getInt(7);
        return Arrays.copyOfRange(frame, 11, 11 + length);
    }

    // ------------------------------------------------------------------ frames made by hand

    /** A frame without any checksum but that of its header. */
    private static byte[] unchecked(boolean independent, byte[]... dataBlocks) {
        return frame(independent ? 0x60 : 0x40, 0x40, new byte[0], dataBlocks);
    }

    private static byte[] frame(int flags, int sizes, byte[] fields, byte[]... dataBlocks) {
        ByteArrayOutputStream descriptor = new ByteArrayOutputStream();
        descriptor.write(flags);
        descriptor.write(sizes);
        descriptor.writeBytes(fields);
        int hash = XXHashFactory.safeInstance().hash32().hash(descriptor.toByteArray(), 0, descriptor.size(), 0);
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.writeBytes(little(Lz4Frame.MAGIC));
        frame.writeBytes(descriptor.toByteArray());
        frame.write(hash >>> 8);
        for (byte[] data : dataBlocks) {
            frame.writeBytes(little(data.length));
            frame.writeBytes(data);
        }
        frame.writeBytes(little(0));
        return frame.toByteArray();
    }

    private static byte[] little(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }

    private static void assertRefused(byte[] frame, int blockBytes, String reason) {
        assertThatThrownBy(() -> decompress(frame, blockBytes))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void aLinkedDataBlockRefersToTheOneBefore() throws IOException {
        byte[] first = hex("40" + "61626364");
        byte[] second = hex("00" + "0400" + "10" + "78");
        assertThat(decompress(unchecked(false, first, second), 9)).asString().isEqualTo("abcdabcdx");
        assertThatThrownBy(() -> decompress(unchecked(true, first, second), 9))
                .as("if they are independent")
                .isInstanceOf(IOException.class);
    }

    @Test
    void nothingBeforeItsFrameIsReferredTo() {
        byte[] first = unchecked(false, hex("40" + "61626364"));
        byte[] second = unchecked(false, hex("00" + "0400" + "10" + "78"));
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        assertRefused(both, 9, "refers to what lies 4 bytes before byte 0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "40616263", // fewer literals than announced
                "f0", // no length of literals
                "f0ff", // an endless one
                "1061" + "0000" + "00", // a distance of nothing
                "1061" + "0200" + "00", // before the beginning
                "1061" + "01", // half a distance
                "1f61" + "0100", // no length of the match
                "1f61" + "0100" + "ffffffffffff00", // a match beyond the end of the block
                "1061" + "0100", // nothing after the match
            })
    void sequencesThatMakeNoSenseAreRefused(String sequences) {
        for (boolean independent : new boolean[] {true, false}) {
            assertThatThrownBy(() -> decompress(unchecked(independent, hex(sequences)), 500))
                    .as(independent ? "independent" : "linked")
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void headersThatAreNotUnderstoodAreRefused() {
        byte[] data = hex("1061");
        assertRefused(frame(0x61, 0x40, new byte[4], data), 1, "dictionary");
        assertRefused(frame(0x62, 0x40, new byte[0], data), 1, "unknown kind");
        assertRefused(frame(0xa0, 0x40, new byte[0], data), 1, "unknown kind");
        assertRefused(frame(0x60, 0x30, new byte[0], data), 1, "unknown kind");
        assertRefused(frame(0x60, 0xc0, new byte[0], data), 1, "unknown kind");
        assertRefused(frame(0x60, 0x41, new byte[0], data), 1, "unknown kind");
        assertRefused(frame(0x68, 0x40, hex("0200000000000000"), data), 1, "says 2");
        assertRefused(frame(0x68, 0x40, hex("ffffffffffffffff"), data), 1, "18446744073709551615");
        byte[] damaged = frame(0x60, 0x40, new byte[0], data);
        damaged[6] ^= 1;
        assertRefused(damaged, 1, "checksum of the header");
    }

    @Test
    void aDataBlockIsNoLargerThanItsFrameSays() {
        byte[] large = repeated(70_000, 50);
        byte[] sequences = LZ4Factory.safeInstance().fastCompressor().compress(large);
        assertRefused(unchecked(true, sequences), large.length, "more than 65536 bytes");
        assertRefused(unchecked(false, sequences), large.length, "more than");
        assertRefused(unchecked(true, noise(65_537)), 65_537, "allows 65536");
    }

    @Test
    void whatIsNoFrameIsRefused() {
        assertRefused(new byte[0], 1, "holds 0 bytes");
        assertRefused(hex("04"), 1, "ends after 1 bytes");
        assertRefused(noise(100), 1, "something other");
        assertRefused(hex("502a4d18" + "ffffffff" + "00"), 1, "ends after 9 bytes");
        assertThat(Lz4Frame.isOne(ByteBuffer.wrap(hex("04224d")))).isFalse();
        assertThat(Lz4Frame.isOne(ByteBuffer.wrap(hex("5f2a4d18")))).isTrue();
        assertThat(Lz4Frame.isOne(ByteBuffer.wrap(hex("02214c18")))).isFalse();
    }
}
