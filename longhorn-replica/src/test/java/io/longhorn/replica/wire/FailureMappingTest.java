package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.AuthenticationFailedException;
import io.longhorn.DiskFullException;
import io.longhorn.ErrorCode;
import io.longhorn.FencedException;
import io.longhorn.LonghornException;
import io.longhorn.ProtocolException;
import io.longhorn.WrongClusterException;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class FailureMappingTest {
    private static final Message.Hello HELLO = ProtocolVersion.hello(new UUID(1, 2), new UUID(3, 4), "");

    @Test
    void anotherClusterKeepsItsName() {
        UUID found = new UUID(0x1234, -5);
        WrongClusterException back =
                (WrongClusterException) thereAndBack(new WrongClusterException("disk", new UUID(9, 9), found));
        assertThat(back.found()).isEqualTo(found);
        assertThat(back.expected()).isEqualTo(HELLO.clusterId());
        assertThat(back.where()).isEqualTo("server:1");
    }

    @Test
    void aFullDiskKeepsItsNumbers() {
        DiskFullException back = (DiskFullException) thereAndBack(new DiskFullException("disk", 10, 5));
        assertThat(back.neededBytes()).isEqualTo(10);
        assertThat(back.availableBytes()).isEqualTo(5);
    }

    @Test
    void aRefusedTokenComesBackAsSuch() {
        assertThat(thereAndBack(new AuthenticationFailedException("engine", "wrong token")))
                .isInstanceOf(AuthenticationFailedException.class);
    }

    @Test
    void beingFencedKeepsTheNewerEpochForTheEngine() {
        RefusedException back = (RefusedException) thereAndBack(new FencedException("orders", 5, 7));
        assertThat(back.errorCode()).isEqualTo(ErrorCode.FENCED);
        assertThat(back.first()).isEqualTo(7);
        assertThat(back.second()).isEqualTo(5);
    }

    @Test
    void anyCodeComesBackUnderItsNumber() {
        for (ErrorCode code : ErrorCode.values()) {
            Message.Failure failure = FailureMapping.of(code, 1, 2, "words");
            assertThat(failure.code()).isEqualTo(code.number());
            assertThat(FailureMapping.exception("server:1", HELLO, failure).errorCode())
                    .isEqualTo(code);
        }
    }

    @Test
    void aCodeOfANewerVersionIsKeptAsANumber() {
        RefusedException e = (RefusedException)
                FailureMapping.exception("server:1", HELLO, new Message.Failure(60000, 1, 2, "something new"));
        assertThat(e.errorCode()).isEqualTo(ErrorCode.SERVER_FAILED);
        assertThat(e.number()).isEqualTo(60000);
        assertThat(e.second()).isEqualTo(2);
        assertThat(e.peer()).isEqualTo("server:1");
        assertThat(e).hasMessageContaining("something new").hasMessageContaining("60000");
    }

    @Test
    void aRefusedFrameNamesItsNumber() {
        Message.Failure failure = FailureMapping.of(FrameFault.CHECKSUM, 55, "damaged");
        assertThat(failure).isEqualTo(new Message.Failure(ErrorCode.CHECKSUM_REFUSED.number(), 55, 0, "damaged"));
        assertThat(FailureMapping.of(ErrorCode.SERVER_BUSY, "later"))
                .isEqualTo(new Message.Failure(2213, 0, 0, "later"));
    }

    @Test
    void aBrokenProtocolIsToldInWords() {
        Message.Failure failure = FailureMapping.of(new ProtocolException("engine:1", "a field is wrong"));
        assertThat(failure.code()).isEqualTo(ErrorCode.PROTOCOL_VIOLATED.number());
        assertThat(failure.detail()).contains("a field is wrong");
    }

    private static LonghornException thereAndBack(LonghornException e) {
        FramePool pool = new FramePool();
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, FailureMapping.of(e));
        return FailureMapping.exception("server:1", HELLO, (Message.Failure) MessageCodec.decode(frame.bytes(), 0));
    }
}
