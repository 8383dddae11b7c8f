package io.longhorn.backup.nfs;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Just enough of an NFS server, in memory, to fail at a chosen moment: the first operation of a kind that arrives after {@link #next} meets the fault. Whatever it executes it
 * does under one lock. That it answers as real servers do is for the tests with a real one to show.
 */
final class FakeNfsServer implements AutoCloseable {
    static final int WRITE_BYTES_MAX = 64 << 10;
    private static final int PAGE_ENTRIES = 10;
    private static final int WAIT_SECONDS = 30;

    enum Kind {
        /** The connection ends before the operation is executed. */
        DROP_BEFORE,
        /** The compound is executed; the connection ends in place of the answer. */
        DROP_AFTER,
        /** The same, and the server forgets all sessions: it restarted. */
        CRASH_AFTER,
        /** The server forgets all sessions; the compound finds none if the operation is SEQUENCE. */
        FORGET,
        /** The compound is executed and answered when {@link #release} says so. */
        HOLD,
        /** The answer is cut after so many bytes, or is so many bytes of nonsense; the value says. */
        CUT,
        /** The operation ends with a status, which is the value. */
        STATUS,
        /** The operation does no more bytes than the value. */
        SHORT,
        /** The server loses what was not committed, and changes its verifier. */
        LOSE_UNCOMMITTED
    }

    private record Fault(Kind kind, int value) {}

    private static final class Node {
        final long id;
        final boolean directory;
        final Map<String, Node> children = new TreeMap<>();
        byte[] content = {};

        Node(long id, boolean directory) {
            this.id = id;
            this.directory = directory;
        }
    }

    private static final class SlotState {
        int sequence;
        boolean kept;
        byte[] answer = {};
    }

    private static final class Session {
        final Map<Integer, SlotState> slots = new HashMap<>();
    }

    private static final class Drop extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /** What the compound at hand has done so far. */
    private static final class Context {
        Node current;
        Node saved;
        SlotState slot;
        boolean drop;
        boolean crash;
        boolean hold;
        int cutAt = -1;
        byte[] replay;
        boolean replayNotKept;
    }

    private final ServerSocket server;
    private final Set<Socket> sockets = new HashSet<>();
    private final Map<NfsOp, Deque<Fault>> faults = new EnumMap<>(NfsOp.class);
    private final Map<NfsOp, Integer> executed = new EnumMap<>(NfsOp.class);
    private final Map<ByteBuffer, Session> sessions = new HashMap<>();
    private final Set<ByteBuffer> states = new HashSet<>();
    private final Map<Long, Node> nodes = new HashMap<>();
    private final CountDownLatch released = new CountDownLatch(1);
    private final CountDownLatch held = new CountDownLatch(1);
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final Node root = node(true);
    private long lastNumber;
    private long verifier = 1;
    private int connections;
    private int slots = 4;
    private int lastSlot;

    FakeNfsServer() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start("fake-nfs-accept", this::accept);
    }

    private static void start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    URI url(String path, String options) {
        return URI.create("nfs://127.0.0.1:" + server.getLocalPort() + "/" + path
                + (options.isEmpty() ? "" : "?nfsOptions=" + options));
    }

    /** The next operation of that kind meets a fault; several wait in order. */
    synchronized FakeNfsServer next(NfsOp op, Kind kind, int value) {
        faults.computeIfAbsent(op, ignored -> new ArrayDeque<>()).add(new Fault(kind, value));
        return this;
    }

    FakeNfsServer next(NfsOp op, Kind kind) {
        return next(op, kind, 0);
    }

    /** How many calls the server lets be under way from now on. */
    synchronized void grantSlots(int count) {
        slots = count;
    }

    synchronized int executed(NfsOp op) {
        return executed.getOrDefault(op, 0);
    }

    /** The slot of the last call. */
    synchronized int lastSlot() {
        return lastSlot;
    }

    synchronized int connections() {
        return connections;
    }

    synchronized int openFiles() {
        return states.size();
    }

    synchronized int sessions() {
        return sessions.size();
    }

    /** Whether all faults were met. */
    synchronized boolean isCalm() {
        return faults.values().stream().allMatch(Deque::isEmpty);
    }

    /** All connections end. */
    synchronized void dropConnections() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    /** Waits until an answer is held back. */
    void awaitHeld() throws InterruptedException {
        if (!held.await(WAIT_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("no answer was held back");
        }
    }

    void release() {
        released.countDown();
    }

    /** Names in a directory, hidden ones too. */
    synchronized Set<String> names(String... path) {
        Node node = root;
        for (String name : path) {
            node = node.children.get(name);
        }
        return Set.copyOf(node.children.keySet());
    }

    synchronized void put(String name, String text) {
        Node file = node(false);
        file.content = text.getBytes(StandardCharsets.UTF_8);
        root.children.put(name, file);
    }

    private Node node(boolean directory) {
        Node node = new Node(++lastNumber, directory);
        nodes.put(node.id, node);
        return node;
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                synchronized (this) {
                    connections++;
                    sockets.add(socket);
                }
                start("fake-nfs-connection", () -> serve(socket));
            }
        } catch (SocketException e) {
            if (!server.isClosed()) {
                failures.add(e);
            }
        } catch (IOException e) {
            failures.add(e);
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            while (true) {
                byte[] request = new byte[in.readInt() & Integer.MAX_VALUE];
                in.readFully(request);
                Context context = new Context();
                byte[] answer = answer(new XdrReader(ByteBuffer.wrap(request)), context);
                if (context.hold) {
                    held.countDown();
                    start("fake-nfs-held", () -> sendLater(out, answer));
                } else {
                    send(out, answer);
                }
            }
        } catch (Drop | EOFException | SocketException e) {
            // How connections end here.
            return;
        } catch (IOException | RuntimeException e) {
            failures.add(e);
        }
    }

    private void sendLater(DataOutputStream out, byte[] answer) {
        try {
            if (released.await(WAIT_SECONDS, TimeUnit.SECONDS)) {
                send(out, answer);
            }
        } catch (SocketException e) {
            // The client did not wait.
            return;
        } catch (InterruptedException | IOException e) {
            failures.add(e);
        }
    }

    private static void send(DataOutputStream out, byte[] answer) throws IOException {
        synchronized (out) {
            // In two fragments, as servers may.
            int half = answer.length / 2;
            ByteBuffer record = ByteBuffer.allocate(answer.length + 2 * Integer.BYTES);
            record.putInt(half).put(answer, 0, half);
            record.putInt((answer.length - half) | RecordReader.LAST_FRAGMENT).put(answer, half, answer.length - half);
            out.write(record.array());
            out.flush();
        }
    }

    private synchronized byte[] answer(XdrReader in, Context context) throws IOException {
        int xid = in.int32();
        for (int i = 0; i < 5; i++) {
            in.int32();
        }
        in.int32();
        in.opaque(400);
        in.int32();
        in.opaque(400);
        in.opaque(100);
        in.int32();
        int count = in.int32();

        XdrWriter results = new XdrWriter(1024);
        int status = NfsStatus.OK;
        int done = 0;
        while (done < count && status == NfsStatus.OK) {
            NfsOp op = op(in.int32());
            XdrWriter result = new XdrWriter(256);
            status = context.replayNotKept ? NfsStatus.RETRY_UNCACHED_REP : execute(op, in, result, context);
            if (context.replay != null) {
                return withXid(context.replay, xid);
            }
            done++;
            results.int32(op.code()).int32(status);
            if (status == NfsStatus.OK) {
                append(results, result);
            }
        }

        XdrWriter reply = new XdrWriter(1024);
        reply.int32(xid).int32(RpcMessages.REPLY).int32(0).int32(0).int32(0).int32(0);
        reply.int32(status).text("").int32(done);
        append(reply, results);
        byte[] bytes = bytes(reply);
        if (context.slot != null) {
            context.slot.answer = bytes;
        }
        if (context.crash) {
            sessions.clear();
            states.clear();
        }
        if (context.drop) {
            throw new Drop();
        }
        return context.cutAt < 0 ? bytes : Arrays.copyOf(bytes, context.cutAt);
    }

    private static byte[] withXid(byte[] answer, int xid) {
        byte[] copy = answer.clone();
        ByteBuffer.wrap(copy).putInt(0, xid);
        return copy;
    }

    private static void append(XdrWriter to, XdrWriter what) {
        to.fixed(bytes(what));
    }

    private static byte[] bytes(XdrWriter writer) {
        ByteBuffer written = writer.written();
        byte[] bytes = new byte[written.remaining()];
        written.get(bytes);
        return bytes;
    }

    private static NfsOp op(int code) {
        return Arrays.stream(NfsOp.values())
                .filter(op -> op.code() == code)
                .findFirst()
                .orElseThrow();
    }

    private int execute(NfsOp op, XdrReader in, XdrWriter out, Context context) throws IOException {
        Deque<Fault> waiting = faults.getOrDefault(op, new ArrayDeque<>());
        Fault fault = waiting.poll();
        int most = Integer.MAX_VALUE;
        if (fault != null) {
            switch (fault.kind) {
                case DROP_BEFORE -> {
                    if (context.slot != null) {
                        context.slot.sequence--;
                    }
                    throw new Drop();
                }
                case DROP_AFTER -> context.drop = true;
                case CRASH_AFTER -> {
                    context.drop = true;
                    context.crash = true;
                }
                case FORGET -> {
                    sessions.clear();
                    states.clear();
                }
                case HOLD -> context.hold = true;
                case CUT -> context.cutAt = fault.value;
                case STATUS -> {
                    return fault.value;
                }
                case SHORT -> most = fault.value;
                case LOSE_UNCOMMITTED -> {
                    verifier++;
                    context.current.content = new byte[0];
                }
            }
        }
        int status = execute(op, in, out, context, most);
        if (context.replay == null) {
            executed.merge(op, 1, Integer::sum);
        }
        return status;
    }

    private int execute(NfsOp op, XdrReader in, XdrWriter out, Context context, int most) throws IOException {
        return switch (op) {
            case EXCHANGE_ID -> exchangeId(in, out);
            case CREATE_SESSION -> createSession(in, out);
            case DESTROY_SESSION ->
                sessions.remove(ByteBuffer.wrap(in.fixed(16))) == null ? NfsStatus.BADSESSION : NfsStatus.OK;
            case DESTROY_CLIENTID -> {
                in.int64();
                yield NfsStatus.OK;
            }
            case RECLAIM_COMPLETE -> {
                in.bool();
                yield NfsStatus.OK;
            }
            case SEQUENCE -> sequence(in, out, context);
            case PUTROOTFH -> {
                context.current = root;
                yield NfsStatus.OK;
            }
            case PUTFH -> {
                context.current = nodes.get(ByteBuffer.wrap(in.opaqueCopy(128)).getLong());
                yield context.current == null ? NfsStatus.STALE : NfsStatus.OK;
            }
            case SAVEFH -> {
                context.saved = context.current;
                yield NfsStatus.OK;
            }
            case GETFH -> {
                out.opaque(ByteBuffer.allocate(8).putLong(context.current.id).array());
                yield NfsStatus.OK;
            }
            case LOOKUP -> lookup(in, context);
            case ACCESS -> {
                int wanted = in.int32();
                out.int32(wanted).int32(wanted);
                yield NfsStatus.OK;
            }
            case GETATTR -> {
                writeAttributes(out, context.current, bitmap(in));
                yield NfsStatus.OK;
            }
            case CREATE -> create(in, out, context);
            case OPEN -> open(in, out, context);
            case CLOSE -> {
                in.int32();
                byte[] state = in.fixed(16);
                out.fixed(state);
                yield states.remove(ByteBuffer.wrap(state)) ? NfsStatus.OK : NfsStatus.BAD_STATEID;
            }
            case WRITE -> write(in, out, context, most);
            case COMMIT -> {
                in.int64();
                in.int32();
                out.int64(verifier);
                yield NfsStatus.OK;
            }
            case READ -> read(in, out, context, most);
            case READDIR -> readDirectory(in, out, context);
            case REMOVE -> {
                Node gone = context.current.children.remove(in.text(255).orElseThrow());
                change(out);
                if (gone != null) {
                    nodes.remove(gone.id);
                }
                yield gone == null ? NfsStatus.NOENT : NfsStatus.OK;
            }
            case RENAME -> rename(in, out, context);
        };
    }

    private int exchangeId(XdrReader in, XdrWriter out) throws IOException {
        in.int64();
        in.opaque(1024);
        in.int32();
        in.int32();
        in.int32();
        out.int64(++lastNumber)
                .int32(1)
                .int32(0)
                .int32(0)
                .int64(0)
                .text("fake")
                .text("fake")
                .int32(0);
        return NfsStatus.OK;
    }

    private int createSession(XdrReader in, XdrWriter out) throws IOException {
        in.int64();
        in.int32();
        in.int32();
        for (int i = 0; i < 14; i++) {
            in.int32();
        }
        in.int32();
        in.int32();
        in.int32();
        sessions.clear();
        states.clear();
        byte[] id = ByteBuffer.allocate(16).putLong(++lastNumber).array();
        sessions.put(ByteBuffer.wrap(id), new Session());
        out.fixed(id).int32(1).int32(0);
        new ChannelLimits(WRITE_BYTES_MAX + 4096, WRITE_BYTES_MAX + 4096, 4096, 16, slots).write(out);
        ChannelLimits.BACK.write(out);
        return NfsStatus.OK;
    }

    private int sequence(XdrReader in, XdrWriter out, Context context) throws IOException {
        byte[] id = in.fixed(16);
        int sequence = in.int32();
        int slot = in.int32();
        in.int32();
        boolean keep = in.bool();
        lastSlot = slot;
        Session session = sessions.get(ByteBuffer.wrap(id));
        if (session == null) {
            return NfsStatus.BADSESSION;
        }
        SlotState state = session.slots.computeIfAbsent(slot, ignored -> new SlotState());
        if (sequence == state.sequence && state.kept) {
            context.replay = state.answer;
            return NfsStatus.OK;
        } else if (sequence == state.sequence) {
            context.replayNotKept = true;
        } else if (sequence == state.sequence + 1) {
            state.sequence = sequence;
            state.kept = keep;
            context.slot = state;
        } else {
            return NfsStatus.SEQ_MISORDERED;
        }
        out.fixed(id)
                .int32(sequence)
                .int32(slot)
                .int32(slots - 1)
                .int32(slots - 1)
                .int32(0);
        return NfsStatus.OK;
    }

    private static int lookup(XdrReader in, Context context) throws IOException {
        String name = in.text(255).orElseThrow();
        if (!context.current.directory) {
            return NfsStatus.NOTDIR;
        }
        Node found = context.current.children.get(name);
        context.current = found == null ? context.current : found;
        return found == null ? NfsStatus.NOENT : NfsStatus.OK;
    }

    private static long bitmap(XdrReader in) throws IOException {
        int words = in.count(2);
        long bits = 0;
        for (int i = 0; i < words; i++) {
            bits |= in.uint32() << (32 * i);
        }
        return bits;
    }

    private static void writeAttributes(XdrWriter out, Node node, long wanted) {
        XdrWriter values = new XdrWriter(64);
        for (int attribute = 0; attribute < 64; attribute++) {
            if ((wanted & 1L << attribute) != 0) {
                switch (attribute) {
                    case Attributes.TYPE ->
                        values.int32(node.directory ? Attributes.TYPE_DIRECTORY : Attributes.TYPE_FILE);
                    case Attributes.SIZE -> values.int64(node.content.length);
                    case Attributes.READ_ERROR -> values.int32(NfsStatus.OK);
                    case Attributes.MAX_READ, Attributes.MAX_WRITE -> values.int64(WRITE_BYTES_MAX);
                    case Attributes.TIME_MODIFIED ->
                        values.int64(System.currentTimeMillis() / 1000).int32(5);
                    default -> throw new IllegalStateException("attribute " + attribute);
                }
            }
        }
        out.int32(2).int32((int) wanted).int32((int) (wanted >>> 32)).opaque(values.written());
    }

    private static void skipAttributes(XdrReader in) throws IOException {
        bitmap(in);
        in.opaque(100);
    }

    private static void change(XdrWriter out) {
        out.bool(true).int64(1).int64(2);
    }

    private int create(XdrReader in, XdrWriter out, Context context) throws IOException {
        in.int32();
        String name = in.text(255).orElseThrow();
        skipAttributes(in);
        if (context.current.children.containsKey(name)) {
            return NfsStatus.EXIST;
        }
        Node made = node(true);
        context.current.children.put(name, made);
        context.current = made;
        change(out);
        out.int32(0);
        return NfsStatus.OK;
    }

    private int open(XdrReader in, XdrWriter out, Context context) throws IOException {
        in.int32();
        in.int32();
        in.int32();
        in.int64();
        in.opaque(100);
        in.int32();
        in.int32();
        skipAttributes(in);
        in.int32();
        String name = in.text(255).orElseThrow();
        if (!context.current.directory) {
            return NfsStatus.NOTDIR;
        }
        if (context.current.children.containsKey(name)) {
            return NfsStatus.EXIST;
        }
        Node made = node(false);
        context.current.children.put(name, made);
        context.current = made;
        byte[] state = ByteBuffer.allocate(16).putLong(++lastNumber).array();
        states.add(ByteBuffer.wrap(state));
        out.fixed(state);
        change(out);
        out.int32(0).int32(0).int32(3).int32(0);
        return NfsStatus.OK;
    }

    private int write(XdrReader in, XdrWriter out, Context context, int most) throws IOException {
        byte[] state = in.fixed(16);
        long offset = in.int64();
        int stable = in.int32();
        byte[] data = in.opaqueCopy(WRITE_BYTES_MAX);
        if (!states.contains(ByteBuffer.wrap(state))) {
            return NfsStatus.BAD_STATEID;
        }
        int count = Math.min(data.length, most);
        Node file = context.current;
        file.content = Arrays.copyOf(file.content, Math.max(file.content.length, (int) offset + count));
        System.arraycopy(data, 0, file.content, (int) offset, count);
        out.int32(count).int32(stable).int64(verifier);
        return NfsStatus.OK;
    }

    private static int read(XdrReader in, XdrWriter out, Context context, int most) throws IOException {
        in.fixed(16);
        long offset = in.int64();
        int asked = in.int32();
        if (context.current.directory) {
            return NfsStatus.ISDIR;
        }
        byte[] content = context.current.content;
        int from = (int) Math.min(offset, content.length);
        int count = Math.min(Math.min(asked, most), content.length - from);
        out.bool(from + count == content.length).opaque(ByteBuffer.wrap(content, from, count));
        return NfsStatus.OK;
    }

    private int readDirectory(XdrReader in, XdrWriter out, Context context) throws IOException {
        long cookie = in.int64();
        in.fixed(8);
        in.int32();
        in.int32();
        long wanted = bitmap(in);
        if (!context.current.directory) {
            return NfsStatus.NOTDIR;
        }
        List<Node> children = context.current.children.values().stream()
                .sorted((a, b) -> Long.compare(a.id, b.id))
                .filter(node -> node.id > cookie)
                .toList();
        out.int64(verifier);
        children.stream().limit(PAGE_ENTRIES).forEach(child -> {
            String name = context.current.children.entrySet().stream()
                    .filter(entry -> entry.getValue() == child)
                    .findFirst()
                    .orElseThrow()
                    .getKey();
            out.bool(true).int64(child.id).text(name);
            writeAttributes(out, child, wanted);
        });
        out.bool(false).bool(children.size() <= PAGE_ENTRIES);
        return NfsStatus.OK;
    }

    private int rename(XdrReader in, XdrWriter out, Context context) throws IOException {
        String from = in.text(255).orElseThrow();
        String to = in.text(255).orElseThrow();
        Node moved = context.saved.children.get(from);
        if (moved == null) {
            return NfsStatus.NOENT;
        }
        Node before = context.current.children.get(to);
        if (before != null && before.directory) {
            return NfsStatus.EXIST;
        }
        context.saved.children.remove(from);
        context.current.children.put(to, moved);
        if (before != null) {
            nodes.remove(before.id);
        }
        change(out);
        change(out);
        return NfsStatus.OK;
    }

    /** Fails if the server itself did. */
    @Override
    public void close() throws IOException {
        server.close();
        dropConnections();
        if (!failures.isEmpty()) {
            throw new IOException("the fake server failed", failures.peek());
        }
    }
}
