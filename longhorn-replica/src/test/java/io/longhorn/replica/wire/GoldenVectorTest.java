package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The bytes of version 1, as they are kept in {@code format/wire/v1/NAME.txt}: lines with {@code #} say what the frame says, the others are its
 * bytes. A vector is never edited, only added; a missing one fails with the text it would have.
 */
class GoldenVectorTest {
    private static final String FOLDER = "/format/wire/v1/";

    @TestFactory
    Stream<DynamicTest> samplesAreEncodedAsTheyAlwaysWere() {
        return SampleFrames.frames(new FramePool()).entrySet().stream()
                .map(sample -> DynamicTest.dynamicTest(sample.getKey(), () -> {
                    FrameBuffer frame = sample.getValue();
                    List<String> vector = vector(sample.getKey(), text(sample.getKey(), frame));
                    assertThat(FrameText.dump(frame.bytes(), frame.length())).isEqualTo(bytesOf(vector));
                }));
    }

    @TestFactory
    Stream<DynamicTest> vectorsAreDecodedAsTheyAlwaysWere() throws IOException {
        return names().stream()
                .map(name -> DynamicTest.dynamicTest(name, () -> {
                    List<String> vector = vector(name, "");
                    byte[] bytes = FrameText.undump(bytesOf(vector));
                    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
                    assertThat(FrameLayout.checkStart(b, 0)).isEqualTo(bytes.length);
                    assertThat(FrameLayout.headerCrcMatches(b, 0)).isTrue();
                    assertThat(FrameText.decoding(b, bytes.length)).isEqualTo(wordsOf(vector));
                    assertThat(wordsOf(vector))
                            .noneMatch(line -> line.startsWith("check = ") && !line.endsWith("NONE"));
                }));
    }

    /** The samples' names, which {@code index.txt} repeats so that a vector whose sample was removed is still read. */
    private static List<String> names() throws IOException {
        List<String> names = read("index.txt");
        assertThat(names).containsAll(SampleFrames.frames(new FramePool()).keySet());
        return names;
    }

    private static List<String> vector(String name, String expected) throws IOException {
        List<String> lines = read(name + ".txt");
        assertThat(lines).as("no vector %s; it would be\n%s", name, expected).isNotEmpty();
        return lines;
    }

    private static List<String> read(String file) throws IOException {
        try (InputStream in = GoldenVectorTest.class.getResourceAsStream(FOLDER + file)) {
            return in == null
                    ? List.of()
                    : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList();
        }
    }

    static String text(String name, FrameBuffer frame) {
        List<String> lines = new ArrayList<>();
        lines.add("# " + name);
        FrameText.decoding(frame.bytes(), frame.length()).forEach(line -> lines.add("#   " + line));
        lines.addAll(FrameText.dump(frame.bytes(), frame.length()));
        return String.join("\n", lines) + "\n";
    }

    private static List<String> wordsOf(List<String> vector) {
        return vector.stream()
                .filter(line -> line.startsWith("#   "))
                .map(line -> line.substring(4))
                .toList();
    }

    private static List<String> bytesOf(List<String> vector) {
        return vector.stream().filter(line -> !line.startsWith("#")).toList();
    }
}
