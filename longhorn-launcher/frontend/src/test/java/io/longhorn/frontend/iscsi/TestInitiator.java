package io.longhorn.frontend.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HostPort;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/** A small initiator that says what a test tells it to, also what no initiator should. One thread. */
final class TestInitiator implements AutoCloseable {

    static final String NAME = "iqn.2026-01.test:initiator";
    static final long LUN_1 = 0x0001_0000_0000_0000L;

    private static final int TIME_LIMIT_MILLIS = 20_000;

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    int cmdSn = 7;
    int nextItt = 1;
    int isid = 0x3d0001;
    int cid = 1;
    boolean headerDigest;
    boolean dataDigest;

    /** What is added to the digests of the next PDU. */
    int headerDigestError;

    int dataDigestError;

    /** A PDU: its basic header, and its data without padding. */
    record Received(ByteBuffer header, byte[] data) {

        int opcode() {
            return header.get(0) & 0x3f;
        }

        int flags() {
            return header.get(1) & 0xff;
        }

        int response() {
            return header.get(2) & 0xff;
        }

        int status() {
            return header.get(3) & 0xff;
        }

        int at(int offset) {
            return header.getInt(offset);
        }

        int loginStatus() {
            return header.getShort(36) & 0xffff;
        }

        String text() {
            return new String(data, StandardCharsets.UTF_8).replace('\0', '\n');
        }

        Map<String, String> pairs() {
            Map<String, String> pairs = new LinkedHashMap<>();
            for (String pair : text().split("\n", -1)) {
                int equals = pair.indexOf('=');
                if (equals > 0) {
                    pairs.put(pair.substring(0, equals), pair.substring(equals + 1));
                }
            }
            return pairs;
        }

        /** Key and code of the sense data of a response. */
        String sense() {
            return String.format("%x/%02x/%02x", data[2 + 2] & 0xf, data[2 + 12], data[2 + 13]);
        }
    }

    TestInitiator(HostPort address) throws IOException {
        socket = new Socket(address.host(), address.port());
        socket.setSoTimeout(TIME_LIMIT_MILLIS);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** An initiator that is logged in to a target with the keys given, written as {@code key=value}. */
    static TestInitiator loggedIn(HostPort address, String target, String... keys) throws IOException {
        TestInitiator initiator = new TestInitiator(address);
        initiator.logIn(target, keys);
        return initiator;
    }

    Map<String, String> logIn(String target, String... keys) throws IOException {
        List<String> pairs = new ArrayList<>(List.of("InitiatorName=" + NAME, "TargetName=" + target));
        pairs.addAll(List.of(keys));
        Received reply = login(1, 3, true, pairs.toArray(String[]::new));
        assertThat(reply.loginStatus()).isZero();
        assertThat(reply.flags()).isEqualTo(0x87);
        headerDigest = "CRC32C".equals(reply.pairs().get("HeaderDigest"));
        dataDigest = "CRC32C".equals(reply.pairs().get("DataDigest"));
        return reply.pairs();
    }

    /** One login request and its answer. */
    Received login(int stage, int next, boolean transit, String... keys) throws IOException {
        sendLogin(stage << 2 | next | (transit ? 0x80 : 0), 0, text(keys));
        return receive();
    }

    void sendLogin(int flags, int tsih, byte[] text) throws IOException {
        ByteBuffer header = header(0x43, flags);
        header.putInt(8, 0x8000_0000 | isid >>> 8);
        header.putShort(12, (short) (isid << 8));
        header.putShort(14, (short) tsih);
        header.putInt(16, 0x1009);
        header.putShort(20, (short) cid);
        header.putInt(24, cmdSn);
        header.putInt(28, 0x55);
        send(header, text);
    }

    static byte[] text(String... keys) {
        return (keys.length == 0 ? "" : String.join("\0", keys) + "\0").getBytes(StandardCharsets.UTF_8);
    }

    static ByteBuffer header(int opcode, int flags) {
        ByteBuffer header = ByteBuffer.allocate(48);
        header.put(0, (byte) opcode);
        header.put(1, (byte) flags);
        return header;
    }

    /** Sends a command with immediate data and returns its tag. */
    int command(byte[] cdb, int flags, int expectedLength, byte[] data) throws IOException {
        int itt = nextItt++;
        send(commandHeader(cdb, flags, expectedLength, itt, cmdSn++), data);
        return itt;
    }

    static ByteBuffer commandHeader(byte[] cdb, int flags, int expectedLength, int itt, int cmdSn) {
        ByteBuffer header = header(0x01, flags);
        header.putLong(8, LUN_1);
        header.putInt(16, itt);
        header.putInt(20, expectedLength);
        header.putInt(24, cmdSn);
        header.put(32, cdb);
        return header;
    }

    void dataOut(int itt, int ttt, int dataSn, int offset, boolean isFinal, byte[] data) throws IOException {
        ByteBuffer header = header(0x05, isFinal ? 0x80 : 0);
        header.putLong(8, LUN_1);
        header.putInt(16, itt);
        header.putInt(20, ttt);
        header.putInt(36, dataSn);
        header.putInt(40, offset);
        send(header, data);
    }

    /** Sends a task management request, for immediate delivery, and returns its tag. */
    int manage(int function, long lun, int referencedTag, int referencedCmdSn) throws IOException {
        int itt = nextItt++;
        ByteBuffer header = header(0x42, 0x80 | function);
        header.putLong(8, lun);
        header.putInt(16, itt);
        header.putInt(20, referencedTag);
        header.putInt(24, cmdSn);
        header.putInt(32, referencedCmdSn);
        send(header, new byte[0]);
        return itt;
    }

    Received ping(String data) throws IOException {
        ByteBuffer header = header(0x40, 0x80);
        header.putInt(16, nextItt++);
        header.putInt(20, -1);
        header.putInt(24, cmdSn);
        send(header, data.getBytes(StandardCharsets.UTF_8));
        return receive();
    }

    /** TEST UNIT READY until it is; returns its answer. The first command of a nexus gets a unit attention. */
    Received becomeReady() throws IOException {
        Received answer;
        do {
            command(new byte[16], 0x80, 0, new byte[0]);
            answer = receive();
        } while (answer.status() == 2 && answer.sense().startsWith("6/"));
        return answer;
    }

    static byte[] read10(int block, int blocks) {
        return cdb10(0x28, block, blocks);
    }

    static byte[] write10(int block, int blocks) {
        return cdb10(0x2a, block, blocks);
    }

    private static byte[] cdb10(int operation, int block, int blocks) {
        ByteBuffer cdb = ByteBuffer.allocate(16);
        cdb.put(0, (byte) operation).putInt(2, block).putShort(7, (short) blocks);
        return cdb.array();
    }

    static byte[] bytes(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    void send(ByteBuffer header, byte[] data) throws IOException {
        ByteBuffer pdu = ByteBuffer.allocate(header.capacity() + data.length + 12);
        header.put(5, (byte) (data.length >> 16)).putShort(6, (short) data.length);
        pdu.put(bytesOf(header));
        if (headerDigest) {
            pdu.putInt(Integer.reverseBytes(crc(bytesOf(header)) + headerDigestError));
        }
        pdu.put(data).put(new byte[-data.length & 3]);
        if (dataDigest && data.length > 0) {
            pdu.putInt(
                    Integer.reverseBytes(crc(Arrays.copyOf(data, data.length + (-data.length & 3))) + dataDigestError));
        }
        headerDigestError = 0;
        dataDigestError = 0;
        sendRaw(Arrays.copyOf(pdu.array(), pdu.position()));
    }

    static byte[] bytesOf(ByteBuffer header) {
        byte[] bytes = new byte[header.capacity()];
        header.get(0, bytes);
        return bytes;
    }

    void sendRaw(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    Received receive() throws IOException {
        byte[] header = in.readNBytes(48);
        if (header.length < 48) {
            throw new EOFException();
        }
        if (headerDigest) {
            assertThat(Integer.reverseBytes(in.readInt())).isEqualTo(crc(header));
        }
        int length = ByteBuffer.wrap(header).getInt(4) & 0xff_ffff;
        byte[] padded = in.readNBytes(length + (-length & 3));
        if (dataDigest && length > 0) {
            assertThat(Integer.reverseBytes(in.readInt())).isEqualTo(crc(padded));
        }
        return new Received(ByteBuffer.wrap(header), Arrays.copyOf(padded, length));
    }

    /** Reads to the end of the connection; fails if it stays open. */
    void awaitClosed() throws IOException {
        try {
            while (in.read(new byte[4096]) >= 0) {
                // What was sent before is of no interest.
            }
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    /** As if the machine were gone. */
    void disconnect() throws IOException {
        socket.close();
    }

    private static int crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
