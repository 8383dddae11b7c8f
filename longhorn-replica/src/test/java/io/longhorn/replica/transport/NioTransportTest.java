package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Connection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** The contract over plain TCP. */
class NioTransportTest extends ConnectionContract {

    @Override
    Connection.Connector connector(TransportLimits limits) {
        return new NioTransport(limits);
    }

    @Override
    String listen(NioLoop loop, TransportLimits limits, Connection.Acceptor acceptor) throws IOException {
        Listener listener = new NioTransport(limits)
                .listen(loop, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), acceptor);
        closeLater(listener);
        return "127.0.0.1:" + listener.localAddress().getPort();
    }

    @Override
    String nobody() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "127.0.0.1:" + socket.getLocalPort();
        }
    }
}
