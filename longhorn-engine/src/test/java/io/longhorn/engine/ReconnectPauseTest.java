package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ReconnectPauseTest {
    private static final long MILLISECOND = 1_000_000;
    private static final long SECOND = 1000 * MILLISECOND;

    private final TurnLoop loop = new TurnLoop();
    private final List<Long> attempts = new ArrayList<>();
    /** Nobody listens there. */
    private final Connection.Connector refusing = (on, endpoint, result) -> {
        attempts.add(on.nanoTime());
        on.execute(() -> result.onFailed("refused"));
    };

    @Test
    void whoComesBackIsFoundWithinAnEighthOfItsAbsence() {
        long begin = absent(60 * SECOND);

        for (int i = 1; i < attempts.size(); i++) {
            long pause = attempts.get(i) - attempts.get(i - 1);
            long away = attempts.get(i - 1) - begin;
            assertThat(pause).as("after %d ms", away / MILLISECOND).isEqualTo(Math.max(SECOND / 16, away / 8));
        }
    }

    @Test
    void whoStaysAwayIsTriedEverySixteenSeconds() {
        absent(3600 * SECOND);

        assertThat(attempts).hasSizeLessThan(300);
        assertThat(attempts.get(attempts.size() - 1) - attempts.get(attempts.size() - 2))
                .isEqualTo(16 * SECOND);
    }

    /** Returns when the first attempt failed. */
    private long absent(long nanos) {
        long begin = loop.nanoTime();
        ReplicaLink link = new ReplicaLink(
                loop,
                refusing,
                new Nobody(),
                new ReplicaLink.Identity(UUID.randomUUID(), UUID.randomUUID(), UUID.randomUUID(), ""),
                new ReplicaRecord(UUID.randomUUID(), "absent:9500"),
                SECOND);
        link.start(1, 1);
        loop.pass(nanos);
        link.stop();
        return begin;
    }

    private static final class Nobody implements ReplicaLink.Owner {
        @Override
        public void onFenced(ReplicaLink link, Message.FenceOk state) {
            throw new AssertionError();
        }

        @Override
        public void onAcknowledged(ReplicaLink link) {
            throw new AssertionError();
        }

        @Override
        public void onRefused(ReplicaLink link, Message.Failure failure) {
            throw new AssertionError(failure);
        }

        @Override
        public void onUnreachable(ReplicaLink link, String cause) {
            assertThat(cause).isEqualTo("refused");
        }

        @Override
        public void onLost(ReplicaLink link, String cause) {
            throw new AssertionError(cause);
        }

        @Override
        public void onRecord(ReplicaLink link, ByteBuffer b, int at) {
            throw new AssertionError();
        }

        @Override
        public void onDamage(ReplicaLink link, Message.Damage damage) {
            throw new AssertionError(damage);
        }
    }
}
