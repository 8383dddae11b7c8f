package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {

    @Test
    void everyKindOfValueIsRead() {
        assertThat(JsonReader.readObject("{\"a\": [1, -2.5, true, false], \"b\": {\"c\": \"\\u00e4\\n\"}}"))
                .isEqualTo(Map.of("a", List.of(1L, -2.5, true, false), "b", Map.of("c", "\u00e4\n")));
        assertThat(JsonReader.read("null")).isNull();
    }

    @Test
    void whatIsWrittenIsReadAgain() {
        Map<String, Object> value = Map.of("text", "\"\\\n\u0001", "number", Long.MIN_VALUE, "list", List.of());
        assertThat(JsonReader.read(Json.of(value))).isEqualTo(value);
        assertThat(Json.line(value)).doesNotContain("\n");
        assertThat(JsonReader.read(Json.line(value))).isEqualTo(value);
    }

    @Test
    void aNumberBeyondLongIsNoInteger() {
        assertThat(JsonReader.read("9223372036854775807")).isEqualTo(Long.MAX_VALUE);
        assertThat(JsonReader.read("9223372036854775808")).isInstanceOf(Double.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "[1",
                "{\"a\" 1}",
                "{\"a\":1,\"a\":2}",
                "nul",
                "1 2",
                "{}x",
                "'a'",
                "{\"a\":01}",
                "\"\n\""
            })
    void whatIsNoJsonIsRefused(String text) {
        assertThatThrownBy(() -> JsonReader.read(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("not JSON");
    }

    @Test
    void deepNestingIsRefused() {
        assertThatThrownBy(() -> JsonReader.read("[".repeat(1000) + "]".repeat(1000)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void onlyAnObjectIsAnObject() {
        assertThatThrownBy(() -> JsonReader.readObject("[1]"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("object");
    }
}
