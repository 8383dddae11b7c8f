package io.longhorn.frontend.nbd;

import io.longhorn.HostPort;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** A client of the tests: blocking, one thread, numbers of its own, so that a wrong one of the server shows. */
final class NbdClient implements Closeable {

    static final int FIXED_NEWSTYLE = 1;
    static final int NO_ZEROES = 2;
    private static final int SILENCE_MILLIS = 20_000;

    /** An answer to an option. */
    record OptionAnswer(int option, int type, byte[] data) {

        boolean isError() {
            return type < 0;
        }

        /** The number behind the error bit. */
        int error() {
            return type & 0x7fffffff;
        }

        String text(int from) {
            return new String(data, from, data.length - from, StandardCharsets.UTF_8);
        }
    }

    /** A reply: simple, or the one chunk of a structured one, with its type. */
    record Reply(boolean structured, int type, int error, long cookie, byte[] data) {

        long number(int at, int bytes) {
            long value = 0;
            for (int i = 0; i < bytes; i++) {
                value = value << 8 | (data[at + i] & 0xff);
            }
            return value;
        }
    }

    private final Closeable socket;
    private DataInputStream in;
    private DataOutputStream out;

    private NbdClient(Closeable socket, DataInputStream in, DataOutputStream out) {
        this.socket = socket;
        this.in = in;
        this.out = out;
    }

    /** Connected, nothing read or written. */
    static NbdClient raw(NbdAddress address) throws IOException {
        if (address instanceof NbdAddress.Unix unix) {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(unix.path()));
            return new NbdClient(
                    channel,
                    new DataInputStream(Channels.newInputStream(channel)),
                    new DataOutputStream(Channels.newOutputStream(channel)));
        }
        HostPort hostPort = ((NbdAddress.Tcp) address).hostPort();
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(SILENCE_MILLIS);
        socket.connect(new InetSocketAddress(hostPort.host(), hostPort.port()));
        return new NbdClient(
                socket, new DataInputStream(socket.getInputStream()), new DataOutputStream(socket.getOutputStream()));
    }

    /** Greeted; the next thing is an option. */
    static NbdClient greeted(NbdAddress address) throws IOException {
        NbdClient client = raw(address);
        client.greet(FIXED_NEWSTYLE | NO_ZEROES);
        return client;
    }

    /** In transmission, with simple replies. */
    static NbdClient simple(NbdAddress address, String export) throws IOException {
        NbdClient client = greeted(address);
        client.go(export);
        return client;
    }

    /** In transmission, with structured replies and block status. */
    static NbdClient structured(NbdAddress address, String export) throws IOException {
        NbdClient client = greeted(address);
        client.option(8, new byte[0]);
        client.option(10, metaQuery(export, "base:allocation"));
        client.go(export);
        return client;
    }

    void greet(int clientFlags) throws IOException {
        long magic = in.readLong();
        long second = in.readLong();
        int flags = in.readUnsignedShort();
        if (magic != 0x4e42444d41474943L || second != 0x49484156454F5054L || flags != 3) {
            throw new IOException("not the greeting: " + Long.toHexString(magic) + ", flags " + flags);
        }
        out.writeInt(clientFlags);
        out.flush();
    }

    void startTls(SSLContext context) throws IOException {
        List<OptionAnswer> answers = option(5, new byte[0]);
        if (answers.get(0).type() != 1) {
            throw new IOException("no TLS: " + answers);
        }
        SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket((Socket) socket, "localhost", 0, true);
        tls.startHandshake();
        in = new DataInputStream(tls.getInputStream());
        out = new DataOutputStream(tls.getOutputStream());
    }

    void sendOption(int option, byte[] data) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream header = new DataOutputStream(bytes);
        header.writeLong(0x49484156454F5054L);
        header.writeInt(option);
        header.writeInt(data.length);
        header.write(data);
        send(bytes.toByteArray());
    }

    /** All answers to an option, up to the final one. */
    List<OptionAnswer> option(int option, byte[] data) throws IOException {
        sendOption(option, data);
        return answers();
    }

    List<OptionAnswer> answers() throws IOException {
        List<OptionAnswer> answers = new ArrayList<>();
        OptionAnswer last;
        do {
            if (in.readLong() != 0x3e889045565a9L) {
                throw new IOException("not an answer to an option");
            }
            int option = in.readInt();
            int type = in.readInt();
            last = new OptionAnswer(option, type, in.readNBytes(in.readInt()));
            answers.add(last);
        } while (last.type() != 1 && !last.isError());
        return answers;
    }

    /** Enters transmission; returns the flags. */
    int go(String export) throws IOException {
        List<OptionAnswer> answers = option(7, infoQuery(export));
        OptionAnswer last = answers.get(answers.size() - 1);
        if (last.isError()) {
            throw new IOException("no such export: error " + last.error());
        }
        return ((answers.get(0).data()[10] & 0xff) << 8) | (answers.get(0).data()[11] & 0xff);
    }

    static byte[] infoQuery(String export, int... wanted) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(bytes);
        writeString(data, export);
        data.writeShort(wanted.length);
        for (int info : wanted) {
            data.writeShort(info);
        }
        return bytes.toByteArray();
    }

    static byte[] metaQuery(String export, String... queries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(bytes);
        writeString(data, export);
        data.writeInt(queries.length);
        for (String query : queries) {
            writeString(data, query);
        }
        return bytes.toByteArray();
    }

    private static void writeString(DataOutputStream data, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        data.writeInt(bytes.length);
        data.write(bytes);
    }

    static byte[] request(int flags, int type, long cookie, long offset, int length, byte[] payload)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(bytes);
        data.writeInt(0x25609513);
        data.writeShort(flags);
        data.writeShort(type);
        data.writeLong(cookie);
        data.writeLong(offset);
        data.writeInt(length);
        data.write(payload);
        return bytes.toByteArray();
    }

    void send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    void sendRequest(int flags, int type, long cookie, long offset, int length) throws IOException {
        send(request(flags, type, cookie, offset, length, new byte[0]));
    }

    void sendWrite(int flags, long cookie, long offset, byte[] payload) throws IOException {
        send(request(flags, 1, cookie, offset, payload.length, payload));
    }

    /** Reads a reply; a simple one carries {@code dataBytes} if it is no error. */
    Reply reply(int dataBytes) throws IOException {
        int magic = in.readInt();
        if (magic == 0x67446698) {
            int error = in.readInt();
            long cookie = in.readLong();
            return new Reply(false, 0, error, cookie, error == 0 ? in.readNBytes(dataBytes) : new byte[0]);
        }
        if (magic != 0x668e33ef) {
            throw new IOException("not a reply: " + Integer.toHexString(magic));
        }
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        byte[] data = in.readNBytes(in.readInt());
        if (flags != 1) {
            throw new IOException("more chunks than one");
        }
        int error = type < 0x8000 ? 0 : (int) new Reply(true, type, 0, cookie, data).number(0, 4);
        return new Reply(true, type, error, cookie, data);
    }

    Reply request(int flags, int type, long offset, int length) throws IOException {
        sendRequest(flags, type, 77, offset, length);
        return reply(type == 0 ? length : 0);
    }

    /** The error value, 0 if there is none. */
    int write(long offset, byte[] payload) throws IOException {
        sendWrite(0, 5, offset, payload);
        return reply(0).error();
    }

    byte[] read(long offset, int length) throws IOException {
        Reply reply = request(0, 0, offset, length);
        if (reply.error() != 0) {
            throw new IOException("read failed: error " + reply.error());
        }
        return reply.structured() ? java.util.Arrays.copyOfRange(reply.data(), 8, reply.data().length) : reply.data();
    }

    /** Whether the server ends the connection; reads what it still sends. */
    boolean isEnded() throws IOException {
        try {
            while (in.read() >= 0) {
                // What was under way.
            }
            return true;
        } catch (EOFException | java.net.SocketException e) {
            return true;
        }
    }

    DataInputStream in() {
        return in;
    }

    /** Sends nothing more, but still reads. */
    void endOutput() throws IOException {
        ((Socket) socket).shutdownOutput();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
