package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.longhorn.ErrorCode;
import io.longhorn.ProtocolException;
import io.longhorn.VersionMismatchException;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ProtocolVersionTest {
    private static final UUID ENGINE = new UUID(1, 2);
    private static final UUID CLUSTER = new UUID(3, 4);
    private static final UUID SERVER = new UUID(5, 6);

    @Test
    void thisBuildAgreesWithItself() {
        Message.Hello hello = ProtocolVersion.hello(ENGINE, CLUSTER, "secret");
        ProtocolVersion agreed = ProtocolVersion.negotiate(hello, "peer:1");
        assertThat(agreed).isEqualTo(new ProtocolVersion(ProtocolVersion.CURRENT, ProtocolVersion.FEATURES));
        Message.HelloOk answer = agreed.helloOk(SERVER, "boot", 1, 2, 3);
        assertThat(ProtocolVersion.accept(hello, answer)).isEqualTo(agreed);
        assertThat(hello.toString()).doesNotContain("secret");
    }

    @Test
    void adjacentVersionsMeetAtTheOlderOnesNewest() {
        assertThat(ProtocolVersion.negotiate(1, 2, 0, hello(2, 3, 0), "p").version())
                .isEqualTo(2);
        assertThat(ProtocolVersion.negotiate(2, 3, 0, hello(1, 2, 0), "p").version())
                .isEqualTo(2);
        assertThat(ProtocolVersion.negotiate(2, 3, 0, hello(2, 3, 0), "p").version())
                .isEqualTo(3);
        assertThat(ProtocolVersion.negotiate(1, 1, 0, hello(1, 2, 0), "p").version())
                .isEqualTo(1);
    }

    @Test
    void featuresAreThoseOfBoth() {
        assertThat(ProtocolVersion.negotiate(1, 1, 0b0110, hello(1, 1, 0b1100), "p")
                        .features())
                .isEqualTo(0b0100);
    }

    @Test
    void anEngineThatIsTooNewIsToldBothRanges() {
        VersionMismatchException e = catchThrowableOfType(
                VersionMismatchException.class, () -> ProtocolVersion.negotiate(1, 2, 0, hello(3, 4, 0), "peer:1"));
        assertThat(e.ourOldest()).isEqualTo(1);
        assertThat(e.ourNewest()).isEqualTo(2);
        assertThat(e.peerOldest()).isEqualTo(3);
        assertThat(e.peerNewest()).isEqualTo(4);
        Message.Failure failure = FailureMapping.of(e);
        assertThat(failure.code()).isEqualTo(ErrorCode.VERSION_MISMATCH.number());
        assertThat(failure.detail()).contains("3 to 4").contains("1 to 2");

        VersionMismatchException atEngine =
                (VersionMismatchException) FailureMapping.exception("server:2", hello(3, 4, 0), failure);
        assertThat(atEngine.ourOldest()).isEqualTo(3);
        assertThat(atEngine.ourNewest()).isEqualTo(4);
        assertThat(atEngine.peerOldest()).isEqualTo(1);
        assertThat(atEngine.peerNewest()).isEqualTo(2);
        assertThat(atEngine.peer()).isEqualTo("server:2");
    }

    @Test
    void anEngineThatIsTooOldIsRefused() {
        assertThatExceptionOfType(VersionMismatchException.class)
                .isThrownBy(() -> ProtocolVersion.negotiate(3, 4, 0, hello(1, 2, 0), "p"));
    }

    @Test
    void aRangeThatIsNoneIsRefused() {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> ProtocolVersion.negotiate(hello(2, 1, 0), "p"));
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> ProtocolVersion.negotiate(hello(0, 1, 0), "p"));
    }

    @Test
    void anAnswerBeyondTheOfferIsRefused() {
        Message.Hello hello = hello(1, 2, 0b01);
        for (Message.HelloOk answer : new Message.HelloOk[] {
            new Message.HelloOk(3, 0, SERVER, "b", 1, 1, 1),
            new Message.HelloOk(0, 0, SERVER, "b", 1, 1, 1),
            new Message.HelloOk(1, 0b10, SERVER, "b", 1, 1, 1)
        }) {
            assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> ProtocolVersion.accept(hello, answer));
        }
    }

    private static Message.Hello hello(int oldest, int newest, long features) {
        return new Message.Hello(oldest, newest, features, ENGINE, CLUSTER, "");
    }
}
