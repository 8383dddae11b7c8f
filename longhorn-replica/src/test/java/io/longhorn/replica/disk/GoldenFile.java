package io.longhorn.replica.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Golden vectors of files: {@code src/test/resources/format/NAME.txt}. Lines with {@code #} say what the file says, the others are its bytes, sixteen a line; lines of
 * zeroes are left out. A vector is never edited, only added; a missing one fails with the text it would have.
 */
public final class GoldenFile {
    private static final int LINE_BYTES = 16;

    /** What the bytes of a file mean. */
    public interface Reading {
        String words(byte[] file) throws IOException;
    }

    private GoldenFile() {}

    /** Compares what is written now with the vector, and what is read from the vector with its words. */
    public static void check(String name, byte[] written, Reading reading) throws IOException {
        List<String> vector = read(name);
        String draft = comment(written.length, reading.words(written)) + dump(written);
        assertThat(vector).as("no vector %s; it would be\n%s", name, draft).isNotEmpty();
        byte[] golden = undump(vector);
        assertThat(dump(written)).as("what is written now").isEqualTo(dump(golden));
        assertThat(written).hasSameSizeAs(golden);
        assertThat(comment(golden.length, reading.words(golden)))
                .as("what the vector says")
                .isEqualTo(String.join(
                                "\n",
                                vector.stream()
                                        .filter(line -> line.startsWith("#"))
                                        .toList())
                        + "\n");
    }

    private static List<String> read(String name) {
        try (InputStream in = GoldenFile.class.getResourceAsStream("/format/" + name + ".txt")) {
            return in == null
                    ? List.of()
                    : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String comment(int length, String words) {
        StringBuilder text = new StringBuilder("# length = " + length + "\n");
        words.lines().forEach(line -> text.append("#   ").append(line).append('\n'));
        return text.toString();
    }

    private static String dump(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < bytes.length; at += LINE_BYTES) {
            byte[] line = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + LINE_BYTES));
            if (Arrays.equals(line, new byte[line.length])) {
                continue;
            }
            text.append(String.format(Locale.ROOT, "%05x ", at));
            for (byte each : line) {
                text.append(String.format(Locale.ROOT, " %02x", each));
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static byte[] undump(List<String> vector) {
        byte[] bytes = new byte[Integer.parseInt(vector.get(0).substring("# length = ".length()))];
        for (String line : vector) {
            if (!line.startsWith("#")) {
                String[] parts = line.trim().split(" +", -1);
                int at = Integer.parseInt(parts[0], 16);
                for (int i = 1; i < parts.length; i++) {
                    bytes[at + i - 1] = (byte) Integer.parseInt(parts[i], 16);
                }
            }
        }
        return bytes;
    }
}
