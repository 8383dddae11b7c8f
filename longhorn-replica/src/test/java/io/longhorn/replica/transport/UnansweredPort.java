package io.longhorn.replica.transport;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/** A port of loopback at which nobody listens, and nobody can: it is taken until this is closed. */
final class UnansweredPort implements Closeable {
    private final Socket socket = new Socket();

    UnansweredPort() throws IOException {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    String endpoint() {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
