package io.longhorn.backup.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RpcMessagesTest {
    private static final String XID = "01020304";
    private static final String REPLY = "00000001";

    private static ByteBuffer record(String hex) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    @Test
    void aCallNamesProgramProcedureAndUser() {
        XdrWriter out = new XdrWriter(16);
        RpcMessages.writeCall(out, 0x01020304, 1000, 100);
        assertThat(out.written())
                .isEqualTo(record(
                        // xid, call, RPC 2, NFS, version 4, COMPOUND
                        "01020304 00000000 00000002 000186a3 00000004 00000001"
                                // AUTH_SYS of 28 bytes: stamp, "longhorn", uid, gid, no more groups
                                + "00000001 0000001c 00000000 00000008 6c6f6e67686f726e 000003e8 00000064 00000000"
                                // no verifier
                                + "00000000 00000000"));
    }

    @Test
    void theResultsOfAnAcceptedCallFollow() throws IOException {
        // With a verifier of three bytes.
        ByteBuffer answer = record(XID + REPLY + "00000000 00000001 00000003 aabbcc00 00000000 0000002a");
        assertThat(RpcMessages.xidOf(answer)).isEqualTo(0x01020304);
        XdrReader in = RpcMessages.readReply(answer);
        assertThat(in.int32()).isEqualTo(42);
        assertThat(in.remaining()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "00000001 00000000 00000003 00000004 | RPC versions 3 to 4",
                "00000001 00000001 00000001 | insecure",
                "00000001 00000001 00000005 | insecure",
                "00000001 00000001 00000002 | AUTH_REJECTEDCRED",
                "00000001 00000001 0000000d | authentication status 13",
                "00000000 00000000 00000000 00000001 | does not offer NFS",
                "00000000 00000000 00000000 00000002 00000003 00000003 | versions 3 to 3",
                "00000000 00000000 00000000 00000003 | COMPOUND",
                "00000000 00000000 00000000 00000004 | GARBAGE_ARGS",
                "00000000 00000000 00000000 00000005 | SYSTEM_ERR"
            })
    void aRejectionSaysWhy(String body, String expected) {
        assertThatThrownBy(() -> RpcMessages.readReply(record(XID + REPLY + body)))
                .isInstanceOf(RpcRejectedException.class)
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "010203",
                XID,
                XID + "00000000",
                XID + "00000007",
                XID + REPLY,
                XID + REPLY + "00000002",
                XID + REPLY + "00000001",
                XID + REPLY + "00000001 00000002",
                XID + REPLY + "00000001 00000000 00000003",
                XID + REPLY + "00000000 00000000",
                XID + REPLY + "00000000 00000000 ffffffff 00000000",
                XID + REPLY + "00000000 00000000 00000191",
                XID + REPLY + "00000000 00000000 00000000",
                XID + REPLY + "00000000 00000000 00000000 00000006",
                XID + REPLY + "00000000 00000000 00000000 00000002 00000003"
            })
    void aMalformedAnswerIsRefused(String hex) {
        assertThatThrownBy(() -> RpcMessages.readReply(record(hex)))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("malformed answer");
    }
}
