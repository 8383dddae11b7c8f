package io.longhorn.replica.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.Connection;
import org.junit.jupiter.api.Test;

/** The contract between two loops of one process, and what is special there. */
class InProcessTransportTest extends ConnectionContract {
    private final InProcessTransport doors = new InProcessTransport(LIMITS);
    private int names;

    @Override
    Connection.Connector connector(TransportLimits limits) {
        return doors.withLimits(limits);
    }

    @Override
    String listen(NioLoop loop, TransportLimits limits, Connection.Acceptor acceptor) {
        String name = "server-" + names++;
        closeLater(doors.listen(loop, name, acceptor));
        return name;
    }

    @Override
    String nobody() {
        return "nobody";
    }

    @Test
    void framesOfOneTurnAreOneBatch() {
        TestPeer client = new TestPeer();
        TestPeer server = new TestPeer(100);
        doors.connect(near, listen(far, LIMITS, server.asAcceptor()), client.asResult());
        client.connection();

        TestPeer.on(near, () -> {
            for (int i = 0; i < 100; i++) {
                client.connection().send(TestFrames.frame(near.pool(), i, 0, 1));
            }
        });

        server.awaitFrames();
        TestPeer.on(far, () -> {
            assertThat(server.batches).isEqualTo(1);
            assertThat(server.brokenRuns).isZero();
        });
    }
}
