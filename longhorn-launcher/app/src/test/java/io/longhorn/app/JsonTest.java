package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {

    @Test
    void nestsMapsAndLists() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("a", 1);
        map.put("b", Arrays.asList(2L, null, true, 1.5));
        map.put("c", Map.of("d", "e"));
        assertThat(Json.of(map)).isEqualTo("""
                        {
                          "a": 1,
                          "b": [
                            2,
                            null,
                            true,
                            1.500
                          ],
                          "c": {
                            "d": "e"
                          }
                        }
                        """);
    }

    @Test
    void escapesWhatStringsMayNotHold() {
        assertThat(Json.of("q\" b\\ n\n t\t")).isEqualTo("\"q\\\" b\\\\ n\\n t\\u0009\"\n");
    }

    @Test
    void everyCharacterComesBackAsItWas() {
        StringBuilder all = new StringBuilder();
        for (char c = 0; c < 0x300; c++) {
            all.append(c);
        }
        String json = Json.of(all.toString()).strip();
        assertThat(json.chars()).allMatch(c -> c >= 0x20);
        assertThat(unescaped(json)).isEqualTo(all.toString());
    }

    /** By the book (RFC 8259, section 7), and strict. */
    private static String unescaped(String json) {
        assertThat(json).startsWith("\"").endsWith("\"");
        StringBuilder text = new StringBuilder();
        for (int i = 1; i < json.length() - 1; i++) {
            char c = json.charAt(i);
            assertThat(c).isNotEqualTo('"');
            if (c != '\\') {
                text.append(c);
                continue;
            }
            char kind = json.charAt(++i);
            switch (kind) {
                case '"', '\\' -> text.append(kind);
                case 'n' -> text.append('\n');
                case 'u' -> {
                    text.append((char) Integer.parseInt(json.substring(i + 1, i + 5), 16));
                    i += 4;
                }
                default -> throw new AssertionError("\\" + kind + " in " + json);
            }
        }
        return text.toString();
    }

    @Test
    void numbersThatJsonLacksBecomeNull() {
        assertThat(Json.of(List.of(Double.NaN, Double.POSITIVE_INFINITY))).isEqualTo("[\n  null,\n  null\n]\n");
    }
}
