package io.longhorn.app.bench;

import io.longhorn.app.Console;
import io.longhorn.replica.wire.AlignedMemory;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The least that sequential replication can cost: the same 128 KiB go to three processes, each of which writes them to a
 * preallocated file and answers with 16 bytes; and the way back, in turn from one of them. No checksums, no journal, no
 * recovery.
 */
final class BulkFloor implements AutoCloseable {

    static final int FRAME_BYTES = 128 << 10;

    private static final int DEPTH = 8;
    private static final int HEADER_BYTES = 16;
    private static final long WRITE = 1;
    private static final long READ = 2;

    private final List<SocketChannel> sockets = new ArrayList<>();
    private final long fileBytes;
    private final ByteBuffer frame = AlignedMemory.allocate(HEADER_BYTES + FRAME_BYTES);
    private final ByteBuffer answer = ByteBuffer.allocateDirect(HEADER_BYTES);

    BulkFloor(List<Integer> ports, long fileBytes) throws IOException {
        this.fileBytes = fileBytes;
        try {
            for (int port : ports) {
                SocketChannel socket =
                        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                sockets.add(socket);
                socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /** One of the three: takes one connection, to its end. */
    static void serve(Console console, Path file, long fileBytes) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open();
                FileChannel channel = FileChannel.open(
                        file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer frame = AlignedMemory.allocate(HEADER_BYTES + FRAME_BYTES);
            for (long at = 0; at < fileBytes; at += FRAME_BYTES) {
                write(channel, at, frame.clear().limit(FRAME_BYTES));
            }
            channel.force(false);
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            console.line(Integer.toString(BareTcp.port(server)));
            try (SocketChannel socket = server.accept()) {
                socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
                while (BareTcp.fill(socket, frame.clear().limit(HEADER_BYTES))) {
                    serveOne(socket, channel, frame);
                }
            }
        }
    }

    BenchFigures write(Duration duration) throws IOException {
        return keepInFlight(
                duration,
                number -> {
                    for (SocketChannel socket : sockets) {
                        frame.clear().putLong(0, WRITE).putLong(Long.BYTES, offset(number));
                        BareTcp.drain(socket, frame);
                    }
                },
                number -> {
                    for (SocketChannel socket : sockets) {
                        receive(socket, answer.clear());
                    }
                });
    }

    BenchFigures read(Duration duration) throws IOException {
        return keepInFlight(
                duration,
                number -> {
                    answer.clear().putLong(0, READ).putLong(Long.BYTES, offset(number));
                    BareTcp.drain(socket(number), answer);
                },
                number -> receive(socket(number), frame.clear().limit(FRAME_BYTES)));
    }

    /** One half of an operation. */
    @FunctionalInterface
    private interface Half {
        void of(long number) throws IOException;
    }

    private static BenchFigures keepInFlight(Duration duration, Half send, Half receive) throws IOException {
        Latencies latencies = new Latencies();
        long[] sentNanos = new long[DEPTH];
        long begin = System.nanoTime();
        long end = begin + duration.toNanos();
        long sent = 0;
        long answered = 0;
        while (System.nanoTime() < end || answered < sent) {
            if (sent - answered < DEPTH && System.nanoTime() < end) {
                sentNanos[(int) (sent % DEPTH)] = System.nanoTime();
                send.of(sent);
                sent++;
            } else {
                receive.of(answered);
                latencies.record(System.nanoTime() - sentNanos[(int) (answered % DEPTH)]);
                answered++;
            }
        }
        return latencies.figures(FRAME_BYTES, System.nanoTime() - begin, -1);
    }

    @Override
    public void close() throws IOException {
        for (SocketChannel socket : sockets) {
            socket.close();
        }
    }

    private long offset(long number) {
        return number * FRAME_BYTES % fileBytes;
    }

    private SocketChannel socket(long number) {
        return sockets.get((int) (number % sockets.size()));
    }

    /**
     * Answers a request.
     *
     * @param frame holds its header
     */
    private static void serveOne(SocketChannel socket, FileChannel file, ByteBuffer frame) throws IOException {
        long operation = frame.getLong(0);
        long offset = frame.getLong(Long.BYTES);
        if (operation == WRITE) {
            receive(socket, frame.clear().limit(FRAME_BYTES));
            write(file, offset, frame.flip());
            BareTcp.drain(socket, frame.clear().limit(HEADER_BYTES));
        } else {
            read(file, offset, frame.clear().limit(FRAME_BYTES));
            BareTcp.drain(socket, frame.flip());
        }
    }

    private static void receive(SocketChannel socket, ByteBuffer buffer) throws IOException {
        if (!BareTcp.fill(socket, buffer)) {
            throw new EOFException("the other side of the bulk floor has gone");
        }
    }

    private static void read(FileChannel file, long offset, ByteBuffer content) throws IOException {
        long position = offset;
        while (content.hasRemaining()) {
            int count = file.read(content, position);
            if (count < 0) {
                throw new EOFException("the file of the bulk floor is too short");
            }
            position += count;
        }
    }

    private static void write(FileChannel file, long offset, ByteBuffer content) throws IOException {
        long position = offset;
        while (content.hasRemaining()) {
            position += file.write(content, position);
        }
    }
}
