package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {

    @ParameterizedTest
    @CsvSource({
        "4096, 4096, 4 KiB",
        "0, 0, 0 B",
        "1GiB, 1073741824, 1 GiB",
        "1536 mib, 1610612736, 1.5 GiB",
        "2TiB, 2199023255552, 2 TiB",
        "1000, 1000, 1000 B"
    })
    void sizesAreReadAndShown(String text, long bytes, String shown) {
        assertThat(ByteSize.parse(text).bytes()).isEqualTo(bytes);
        assertThat(ByteSize.parse(text)).hasToString(shown);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "GiB", "-1", "1.5GiB", "1GB", "1G", "9223372036854775808", "8192PiB", "1 GiB x"})
    void whatIsNoSizeIsRefused(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("size");
    }
}
