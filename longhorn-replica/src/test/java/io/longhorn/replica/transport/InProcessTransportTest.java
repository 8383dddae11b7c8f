package io.longhorn.replica.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.Connection;
import java.nio.ByteBuffer;
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
    void bothEndsMayBeOnOneLoop() {
        int count = 2000;
        TestPeer server = new TestPeer(count);
        TestPeer client = new TestPeer(count) {
            @Override
            public void onFrame(ByteBuffer buffer, int offset, int length) {
                super.onFrame(buffer, offset, length);
                if (numbers.size() < count) {
                    send(connection(), numbers.size());
                }
            }
        };
        TestPeer echo = new TestPeer() {
            @Override
            public void onFrame(ByteBuffer buffer, int offset, int length) {
                send(connection(), TestFrames.number(buffer, offset));
                server.onFrame(buffer, offset, length);
            }
        };
        doors.connect(near, listen(near, LIMITS, echo.asAcceptor()), client.asResult());
        client.connection();

        TestPeer.on(near, () -> send(client.connection(), 0));

        server.awaitFrames();
        client.awaitFrames();
        TestPeer.on(near, () -> {
            assertThat(client.numbers).hasSize(count).isSorted();
            client.connection().close();
        });
        assertThat(echo.awaitClosed()).contains("closed the connection");
        assertThat(client.damaged).isNotDone();
        assertThat(server.damaged).isNotDone();
    }

    private void send(Connection connection, long number) {
        connection.send(TestFrames.frame(near.pool(), number, 0, (int) number % 3));
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
