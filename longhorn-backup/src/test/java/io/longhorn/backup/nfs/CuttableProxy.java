package io.longhorn.backup.nfs;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Passes TCP connections on, and cuts the one at hand after so many bytes in one direction. */
final class CuttableProxy implements AutoCloseable {
    private final ServerSocket server;
    private final int to;
    private final List<Socket> sockets = new ArrayList<>();
    private final AtomicLong upLeft = new AtomicLong(Long.MAX_VALUE);
    private final AtomicLong downLeft = new AtomicLong(Long.MAX_VALUE);
    /** What is left of both after a cut. */
    private volatile long next = Long.MAX_VALUE;

    private final AtomicLong cuts = new AtomicLong();
    private final ConcurrentLinkedQueue<IOException> failures = new ConcurrentLinkedQueue<>();

    CuttableProxy(int to) throws IOException {
        this.to = to;
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "cuttable-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return server.getLocalPort();
    }

    /** How many connections were cut. */
    long cuts() {
        return cuts.get();
    }

    /** The connection that carries the last of so many bytes from the client is cut before it. */
    void cutUpAfter(long bytes) {
        upLeft.set(bytes);
    }

    /** The same with bytes from the server. */
    void cutDownAfter(long bytes) {
        downLeft.set(bytes);
    }

    /** From now on a connection is cut each time when so many bytes have gone in one direction. */
    void cutEvery(long bytes) {
        next = bytes;
        upLeft.set(bytes);
        downLeft.set(bytes);
    }

    private void accept() {
        try {
            while (true) {
                Socket client = server.accept();
                Socket real = new Socket();
                real.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), to));
                client.setTcpNoDelay(true);
                real.setTcpNoDelay(true);
                synchronized (sockets) {
                    sockets.add(client);
                    sockets.add(real);
                }
                start(() -> pass(client, real, upLeft));
                start(() -> pass(real, client, downLeft));
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                failures.add(e);
            }
        }
    }

    private void pass(Socket from, Socket into, AtomicLong left) {
        try (from;
                into) {
            InputStream in = from.getInputStream();
            OutputStream out = into.getOutputStream();
            byte[] bytes = new byte[16 << 10];
            for (int length = in.read(bytes); length >= 0; length = in.read(bytes)) {
                if (left.addAndGet(-length) <= 0) {
                    left.set(next);
                    cuts.incrementAndGet();
                    return;
                }
                out.write(bytes, 0, length);
            }
        } catch (SocketException e) {
            // How the other direction of a connection learns of its end.
            return;
        } catch (IOException e) {
            failures.add(e);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        synchronized (sockets) {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        if (!failures.isEmpty()) {
            throw new IOException("the proxy failed", failures.peek());
        }
    }
}
