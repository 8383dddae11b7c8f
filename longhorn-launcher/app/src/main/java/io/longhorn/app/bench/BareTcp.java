package io.longhorn.app.bench;

import io.longhorn.app.Console;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/**
 * The least that a remote write can cost: a request of 4 KiB, an answer of 16 bytes, over one connection with one blocking
 * thread on each side. Client and server are processes of their own, so that each can be bound to a core.
 */
final class BareTcp {

    static final int REQUEST_BYTES = 4 << 10;
    static final int ANSWER_BYTES = 16;

    private static final Duration WARM_UP = Duration.ofSeconds(1);

    private BareTcp() {}

    /** Serves one connection to its end. */
    static void serve(Console console) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            console.line(Integer.toString(port(server)));
            try (SocketChannel socket = server.accept()) {
                socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
                ByteBuffer request = ByteBuffer.allocateDirect(REQUEST_BYTES);
                ByteBuffer answer = ByteBuffer.allocateDirect(ANSWER_BYTES);
                while (fill(socket, request.clear())) {
                    drain(socket, answer.clear());
                }
            }
        }
    }

    /** Makes round trips for some time after a warm-up; prints {@link BenchFigures} as one line. */
    static void call(Console console, int port, Duration duration) throws IOException {
        try (SocketChannel socket = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            run(socket, WARM_UP);
            console.line(BenchPart.toLine(run(socket, duration)));
        }
    }

    private static BenchFigures run(SocketChannel socket, Duration duration) throws IOException {
        ByteBuffer request = ByteBuffer.allocateDirect(REQUEST_BYTES);
        ByteBuffer answer = ByteBuffer.allocateDirect(ANSWER_BYTES);
        Latencies latencies = new Latencies();
        long begin = System.nanoTime();
        long end = begin + duration.toNanos();
        long last = begin;
        while (last < end) {
            drain(socket, request.clear());
            if (!fill(socket, answer.clear())) {
                throw new EOFException("the other side of the bare round trip has gone");
            }
            long now = System.nanoTime();
            latencies.record(now - last);
            last = now;
        }
        return latencies.figures(REQUEST_BYTES, last - begin, -1);
    }

    static int port(ServerSocketChannel server) throws IOException {
        return ((InetSocketAddress) server.getLocalAddress()).getPort();
    }

    /** Reads until the buffer is full; false if the connection ended first. */
    static boolean fill(SocketChannel socket, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (socket.read(buffer) < 0) {
                return false;
            }
        }
        return true;
    }

    static void drain(SocketChannel socket, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            int unused = socket.write(buffer);
        }
    }
}
