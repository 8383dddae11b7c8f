package io.longhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {

    @ParameterizedTest
    @CsvSource({
        "10.0.0.1:9500, 10.0.0.1, 9500",
        "localhost:0, localhost, 0",
        "storage-1.example.com:65535, storage-1.example.com, 65535",
        "replica_0:1, replica_0, 1",
        "[::1]:9500, ::1, 9500",
        "[fd00::12:34]:80, fd00::12:34, 80",
        "[::ffff:10.0.0.1]:80, ::ffff:10.0.0.1, 80",
        "[fe80::1%Eth0]:80, fe80::1%Eth0, 80",
    })
    void addressesAreReadAndShownTheSame(String text, String host, int port) {
        HostPort parsed = HostPort.parse(text);

        assertThat(parsed).isEqualTo(new HostPort(host, port));
        assertThat(parsed).hasToString(text);
    }

    @Test
    void hostsAreComparedWithoutCase() {
        assertThat(HostPort.parse("Storage-1:9500")).isEqualTo(HostPort.parse("storage-1:9500"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                "host",
                "host:",
                ":9500",
                "host:65536",
                "host:-1",
                "host:+1",
                "host:95 00",
                "host:123456",
                "host:٣",
                "ho st:1",
                "host/path:1",
                "http://host:1",
                "-host:1",
                "host..name:1",
                "::1:9500",
                "[::1]",
                "[::1]9500",
                "[::1:9500",
                "[]:1",
                "[host]:1",
                "[1.2.3.4]:1",
                "[::g]:1",
                "[1:2:3:4:5:6:7:8:9]:1",
                "[::1%]:1",
                "1.2.3:1",
                "256.0.0.1:1",
                "1.2.3.4.5:1",
                "1.2.3.4.:1",
            })
    void wrongAddressesAreRefusedAndQuoted(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.parse(text))
                .withMessageContaining("\"" + text + "\"");
    }

    @Test
    void anIpv6AddressWithoutBracketsIsToldToUseThem() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPort.parse("fd00::1:9500"))
                .withMessageContaining("brackets");
    }
}
