package io.longhorn.backup.s3;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * Stands between a client and a server on loopback and spoils requests as a test says. Each request has a connection of its own. Its own client's half-closed connections and the
 * like end a request without a word: the client under test is the one who has to notice.
 */
final class FaultyProxy implements AutoCloseable {

    /** What happens to a request. */
    @FunctionalInterface
    interface Fault {
        void on(Request request) throws IOException, InterruptedException;

        /** None. */
        static Fault none() {
            return Request::forward;
        }

        /** The connection breaks after so many bytes of the body were passed on to the server. */
        static Fault cutUpload(int bytes) {
            return request -> request.forwardUpload(bytes, () -> {});
        }

        /** The connection breaks after so many bytes of the answer's body were passed on to the client. */
        static Fault cutDownload(int bytes) {
            return request -> request.forwardDownload(bytes);
        }

        /** The server does what it is asked, and nobody learns of it. */
        static Fault loseAnswer() {
            return Request::forwardWithoutAnswer;
        }

        /** The request is taken and never answered; the latch is counted down when it is there. */
        static Fault silence(CountDownLatch there) {
            return request -> {
                request.skipBody();
                there.countDown();
                request.awaitEnd();
            };
        }

        /** As {@link #silence}, after some of the answer. */
        static Fault pause(int bytes, CountDownLatch there) {
            return request -> {
                request.forwardDownload(bytes);
                there.countDown();
                request.awaitEnd();
            };
        }

        /** An answer of our own. */
        static Fault answer(int status, String code) {
            return request -> {
                request.skipBody();
                request.answer(
                        status,
                        "<?xml version=\"1.0\"?><Error><Code>" + code
                                + "</Code><Message>by the test</Message></Error>");
            };
        }
    }

    /** Chooses for each request, by its number from 1 on and its first line. */
    @FunctionalInterface
    interface Faults {
        Fault of(int number, String line);
    }

    private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final int serverPort;
    private final Faults faults;
    private final Thread accepting;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final List<Thread> threads = new ArrayList<>();
    private int requests;

    FaultyProxy(int serverPort, Faults faults) throws IOException {
        this.serverPort = serverPort;
        this.faults = faults;
        accepting = new Thread(this::accept, "faulty-proxy");
        accepting.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + listening.getLocalPort();
    }

    synchronized int requests() {
        return requests;
    }

    private void accept() {
        while (true) {
            Socket client;
            try {
                client = listening.accept();
            } catch (IOException e) {
                // Closed.
                return;
            }
            sockets.add(client);
            Thread thread = new Thread(() -> serve(client), "faulty-proxy-request");
            synchronized (this) {
                threads.add(thread);
            }
            thread.start();
        }
    }

    private void serve(Socket client) {
        try (client) {
            Request request = new Request(client);
            int number;
            synchronized (this) {
                number = ++requests;
            }
            faults.of(number, request.line()).on(request);
        } catch (IOException e) {
            // One of the two is gone, and so is the request.
            sockets.remove(client);
        } catch (InterruptedException e) {
            // The proxy is closed.
            sockets.remove(client);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : sockets) {
            socket.close();
        }
        try {
            accepting.join();
            List<Thread> all;
            synchronized (this) {
                all = List.copyOf(threads);
            }
            for (Thread thread : all) {
                thread.interrupt();
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The head of a request was read; its body is still to come. */
    final class Request {
        private final InputStream fromClient;
        private final OutputStream toClient;
        private final List<String> head;
        private final int bodyBytes;

        Request(Socket client) throws IOException {
            fromClient = new BufferedInputStream(client.getInputStream());
            toClient = client.getOutputStream();
            head = head(fromClient);
            bodyBytes = length(head, 0);
        }

        String line() {
            return head.get(0);
        }

        void forward() throws IOException {
            exchange(bodyBytes, () -> {}, Integer.MAX_VALUE);
        }

        /** Only so many bytes, after which something is done before the connection breaks. */
        void forwardUpload(int bytes, Runnable then) throws IOException {
            exchange(bytes, then, 0);
        }

        void forwardDownload(int bytes) throws IOException {
            exchange(bodyBytes, () -> {}, bytes);
        }

        void forwardWithoutAnswer() throws IOException {
            try (Socket server = upload(bodyBytes)) {
                head(new BufferedInputStream(server.getInputStream()));
            }
        }

        private void exchange(int upMax, Runnable afterUpload, int downMax) throws IOException {
            try (Socket server = upload(upMax)) {
                afterUpload.run();
                if (upMax < bodyBytes) {
                    return;
                }
                InputStream fromServer = new BufferedInputStream(server.getInputStream());
                List<String> answer = head(fromServer);
                toClient.write(bytes(answer));
                copy(fromServer, toClient, Math.min(downMax, length(answer, Integer.MAX_VALUE)));
            }
        }

        private Socket upload(int bytesMax) throws IOException {
            Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
            sockets.add(server);
            OutputStream toServer = server.getOutputStream();
            toServer.write(bytes(head));
            copy(fromClient, toServer, Math.min(bytesMax, bodyBytes));
            return server;
        }

        void skipBody() throws IOException {
            fromClient.skipNBytes(bodyBytes);
        }

        /** Until the client, or the proxy, closes the connection. */
        void awaitEnd() throws IOException {
            while (fromClient.read() >= 0) {
                // Nothing else is expected.
            }
        }

        void answer(int status, String body) throws IOException {
            toClient.write(bytes(List.of(
                    "HTTP/1.1 " + status + " Said",
                    "Content-Type: application/xml",
                    "Content-Length: " + body.length())));
            toClient.write(body.getBytes(StandardCharsets.US_ASCII));
        }
    }

    private static List<String> head(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        while (true) {
            String line = line(in);
            if (line.isEmpty()) {
                return lines;
            }
            lines.add(line);
        }
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next = in.read();
        while (next != '\n') {
            if (next < 0) {
                throw new EOFException();
            }
            line.write(next);
            next = in.read();
        }
        return line.toString(StandardCharsets.ISO_8859_1).strip();
    }

    /** With a request for the connection's end in place of what it says about that. */
    private static byte[] bytes(List<String> head) {
        StringBuilder text = new StringBuilder();
        for (String line : head) {
            if (!line.regionMatches(true, 0, "Connection:", 0, 11)) {
                text.append(line).append("\r\n");
            }
        }
        return text.append("Connection: close\r\n\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static int length(List<String> head, int otherwise) {
        for (String line : head) {
            if (line.regionMatches(true, 0, "Content-Length:", 0, 15)) {
                return Integer.parseInt(line.substring(15).strip());
            }
        }
        return otherwise;
    }

    private static void copy(InputStream in, OutputStream out, int bytes) throws IOException {
        byte[] buffer = new byte[8192];
        int left = bytes;
        while (left > 0) {
            int count = in.read(buffer, 0, Math.min(left, buffer.length));
            if (count < 0) {
                return;
            }
            out.write(buffer, 0, count);
            out.flush();
            left -= count;
        }
    }
}
