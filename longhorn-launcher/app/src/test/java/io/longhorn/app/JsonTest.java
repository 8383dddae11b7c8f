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
    void numbersThatJsonLacksBecomeNull() {
        assertThat(Json.of(List.of(Double.NaN, Double.POSITIVE_INFINITY))).isEqualTo("[\n  null,\n  null\n]\n");
    }
}
