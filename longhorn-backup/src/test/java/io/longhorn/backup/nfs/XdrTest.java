package io.longhorn.backup.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class XdrTest {

    private static String hex(XdrWriter out) {
        byte[] bytes = new byte[out.written().remaining()];
        out.written().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static XdrReader reader(String hex) {
        return new XdrReader(ByteBuffer.wrap(HexFormat.of().parseHex(hex)));
    }

    @Test
    void valuesAreBigEndianAndFillWholeWords() {
        XdrWriter out = new XdrWriter(1)
                .int32(-2)
                .int64(0x0102030405060708L)
                .bool(true)
                .fixed(new byte[] {9, 8, 7})
                .opaque(new byte[] {1, 2, 3, 4, 5})
                .text("\u00e4");
        assertThat(hex(out))
                .isEqualTo("fffffffe" + "0102030405060708" + "00000001" + "09080700" + "00000005" + "0102030405000000"
                        + "00000002" + "c3a40000");
    }

    @Test
    void whatWasWrittenIsRead() throws ProtocolException {
        XdrReader in = reader("fffffffe" + "0102030405060708" + "00000001" + "09080700" + "00000005"
                + "0102030405000000" + "00000002" + "c3a40000");
        assertThat(in.uint32()).isEqualTo(0xfffffffeL);
        assertThat(in.int64()).isEqualTo(0x0102030405060708L);
        assertThat(in.bool()).isTrue();
        assertThat(in.fixed(3)).containsExactly(9, 8, 7);
        assertThat(in.opaqueCopy(5)).containsExactly(1, 2, 3, 4, 5);
        assertThat(in.text(2)).contains("\u00e4");
        assertThat(in.remaining()).isZero();
    }

    @Test
    void theBufferOfTheContentKeepsItsPosition() {
        ByteBuffer content =
                ByteBuffer.wrap(new byte[] {0, 1, 2, 3}).position(1).limit(3);
        assertThat(hex(new XdrWriter(4).opaque(content))).isEqualTo("0000000201020000");
        assertThat(content.position()).isEqualTo(1);
    }

    /** Longer than what is there, longer than any array, and "negative". */
    @ParameterizedTest
    @ValueSource(strings = {"00000005", "7fffffff", "80000000", "ffffffff", "00000002ffff"})
    void aLengthThatIsNotTrueIsRefusedBeforeMemoryIsTaken(String hex) {
        assertThatThrownBy(() -> reader(hex).opaqueCopy(1 << 20))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("malformed answer");
        assertThatThrownBy(() -> reader(hex).text(1 << 20)).isInstanceOf(ProtocolException.class);
    }

    @Test
    void moreThanExpectedIsRefusedAlsoIfItIsThere() {
        assertThatThrownBy(() -> reader("0000000401020304").opaque(3))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("a length is 4, at most 3");
    }

    @Test
    void valuesThatEndEarlyAreRefused() {
        assertThatThrownBy(() -> reader("000000").int32()).isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> reader("00000000000000").int64()).isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> reader("0000").bool()).isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> reader("010203").fixed(3)).isInstanceOf(ProtocolException.class);
    }

    @Test
    void aBooleanIsZeroOrOne() {
        assertThatThrownBy(() -> reader("00000002").bool())
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("a boolean is 2");
    }

    @Test
    void textThatIsNotUtf8IsNone() throws ProtocolException {
        XdrReader in = reader("00000002ff000000" + "00000007");
        assertThat(in.text(2)).isEmpty();
        assertThat(in.int32()).isEqualTo(7);
    }
}
