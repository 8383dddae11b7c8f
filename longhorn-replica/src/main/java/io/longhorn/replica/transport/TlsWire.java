package io.longhorn.replica.transport;

import io.longhorn.replica.wire.FrameBuffer;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Bytes encrypted by TLS. Records are decrypted from the loop's receive buffer into another buffer of the loop and encrypted the other way round; a connection
 * keeps memory only for a record whose end has not come, and for records that the socket did not take. The expensive steps of a handshake run
 * elsewhere; the wire does nothing meanwhile.
 */
final class TlsWire implements SocketWire {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SocketChannel channel;
    private final FrameInput input;
    private final OutputQueue output;
    private final SSLEngine engine;
    private final Executor tasks;
    private final Events events;

    private boolean established;
    private boolean taskRunning;
    private boolean peerEnded;

    /** The beginning of a record, or whole records that came while a task ran. */
    private @Nullable FrameBuffer cipherIn;

    private int cipherInBytes;
    /** What of {@link #cipherIn} goes along to another loop. */
    private byte @Nullable [] carriedIn;
    /** Records that the socket did not take, from {@link #cipherOutFrom}. */
    private @Nullable FrameBuffer cipherOut;

    private int cipherOutFrom;

    /** What the connection is told; on the loop. */
    interface Events {
        /** The peer is who it should be, and frames may go both ways. */
        void onEstablished();

        /** A task is finished: {@code step} goes on from there. */
        void onTaskDone(Step step);
    }

    /** Something that may fail, and then ends the connection. */
    interface Step {
        void run(NioLoop loop) throws IOException;
    }

    TlsWire(
            SocketChannel channel,
            FrameInput input,
            OutputQueue output,
            SSLEngine engine,
            Executor tasks,
            Events events) {
        this.channel = channel;
        this.input = input;
        this.output = output;
        this.engine = engine;
        this.tasks = tasks;
        this.events = events;
    }

    @Override
    public boolean begin(NioLoop loop) throws IOException {
        engine.beginHandshake();
        proceed(loop, engine.getHandshakeStatus());
        return false;
    }

    @Override
    public Progress read(NioLoop loop) throws IOException {
        ByteBuffer cipher = loop.buffers().receive().clear();
        int kept = cipherInBytes;
        takeCipherIn(cipher);
        int read = channel.read(cipher);
        boolean filled = !cipher.hasRemaining();
        cipher.flip();
        decrypt(loop, cipher);
        if (peerEnded || (read < 0 && !established)) {
            return Progress.ENDED;
        }
        if (read < 0) {
            throw new EOFException("the stream was cut off" + (kept > 0 ? " in the middle of a record" : ""));
        }
        return filled ? Progress.MORE : Progress.DRAINED;
    }

    private void takeCipherIn(ByteBuffer cipher) {
        FrameBuffer kept = cipherIn;
        if (kept != null) {
            cipher.put(0, kept.bytes(), 0, cipherInBytes).position(cipherInBytes);
            cipherIn = null;
            cipherInBytes = 0;
            kept.release();
        }
    }

    private void decrypt(NioLoop loop, ByteBuffer cipher) throws IOException {
        ByteBuffer plain = loop.buffers().plain().clear();
        try {
            boolean more = true;
            while (more && cipher.hasRemaining() && !taskRunning && !peerEnded) {
                SSLEngineResult result = engine.unwrap(cipher, plain);
                more = switch (result.getStatus()) {
                    case OK -> result.bytesConsumed() > 0 || result.getHandshakeStatus() != HandshakeStatus.NEED_UNWRAP;
                    case BUFFER_UNDERFLOW -> false;
                    case CLOSED -> {
                        peerEnded = true;
                        yield false;
                    }
                    case BUFFER_OVERFLOW ->
                        throw new SSLException(
                                "a record of more than " + plain.remaining() + " bytes, which cannot be");
                };
                proceed(loop, result.getHandshakeStatus());
            }
        } catch (SSLException e) {
            writeAlert(loop, e);
            throw e;
        }
        if (cipher.hasRemaining() && !peerEnded) {
            keep(loop, cipher);
        }
        // Handlers run in here, so it comes when everything else is in order.
        if (plain.position() > 0) {
            if (!established) {
                throw new SSLException("data came before the handshake had ended");
            }
            input.accept(plain, 0, plain.position(), loop.pool());
        }
    }

    private void keep(NioLoop loop, ByteBuffer cipher) {
        FrameBuffer kept = loop.pool().acquire(cipher.remaining());
        kept.bytes().put(0, cipher, cipher.position(), cipher.remaining());
        cipherIn = kept;
        cipherInBytes = cipher.remaining();
    }

    /** Does what the handshake needs now, other than input. */
    private void proceed(NioLoop loop, HandshakeStatus first) throws IOException {
        HandshakeStatus status = first;
        while (true) {
            switch (status) {
                case NEED_WRAP -> status = wrapHandshake(loop);
                case NEED_TASK -> {
                    startTasks();
                    return;
                }
                case FINISHED -> {
                    if (!established) {
                        established = true;
                        events.onEstablished();
                    }
                    return;
                }
                default -> {
                    return;
                }
            }
        }
    }

    private HandshakeStatus wrapHandshake(NioLoop loop) throws IOException {
        ByteBuffer cipher = loop.buffers().cipher().clear();
        SSLEngineResult result = engine.wrap(NOTHING.duplicate(), cipher);
        emit(loop, cipher.flip());
        if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
            return HandshakeStatus.NOT_HANDSHAKING;
        }
        return result.getHandshakeStatus();
    }

    private void startTasks() {
        taskRunning = true;
        tasks.execute(() -> {
            Runnable task;
            while ((task = engine.getDelegatedTask()) != null) {
                task.run();
            }
            events.onTaskDone(this::resume);
        });
    }

    private void resume(NioLoop loop) throws IOException {
        taskRunning = false;
        try {
            proceed(loop, engine.getHandshakeStatus());
        } catch (SSLException e) {
            writeAlert(loop, e);
            throw e;
        }
        if (!taskRunning) {
            ByteBuffer cipher = loop.buffers().receive().clear();
            takeCipherIn(cipher);
            decrypt(loop, cipher.flip());
        }
    }

    /** After a failure the engine has one more thing to say to the peer. */
    private void writeAlert(NioLoop loop, SSLException failure) {
        try {
            if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                ByteBuffer cipher = loop.buffers().cipher().clear();
                engine.wrap(NOTHING.duplicate(), cipher);
                emit(loop, cipher.flip());
            }
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    @Override
    public void write(NioLoop loop) throws IOException {
        writeCipherOut();
        if (!established) {
            return;
        }
        // The engine may split what is offered in two, and wants room for the largest record each time.
        int roomBytes = 2 * engine.getSession().getPacketBufferSize();
        while (cipherOut == null && !output.isEmpty()) {
            ByteBuffer cipher = loop.buffers().cipher().clear();
            while (!output.isEmpty() && cipher.remaining() >= roomBytes) {
                ByteBuffer plain = loop.buffers().toEncrypt().clear();
                output.copyTo(plain);
                plain.flip();
                while (plain.hasRemaining()) {
                    encrypt(plain, cipher);
                }
            }
            emit(loop, cipher.flip());
        }
    }

    private void encrypt(ByteBuffer plain, ByteBuffer cipher) throws IOException {
        SSLEngineResult result = engine.wrap(plain, cipher);
        if (result.getStatus() != SSLEngineResult.Status.OK) {
            throw new SSLException("cannot encrypt: " + result.getStatus());
        }
    }

    /** Writes records, and keeps what the socket does not take. */
    private void emit(NioLoop loop, ByteBuffer cipher) throws IOException {
        writeCipherOut();
        FrameBuffer before = cipherOut;
        if (before == null) {
            channel.write(cipher);
        }
        if (!cipher.hasRemaining()) {
            return;
        }
        int had = before == null ? 0 : before.length() - cipherOutFrom;
        FrameBuffer kept = loop.pool().acquire(had + cipher.remaining());
        if (before != null) {
            kept.bytes().put(0, before.bytes(), cipherOutFrom, had);
            before.release();
        }
        kept.bytes().put(had, cipher, cipher.position(), cipher.remaining());
        cipherOut = kept.length(had + cipher.remaining());
        cipherOutFrom = 0;
    }

    private void writeCipherOut() throws IOException {
        FrameBuffer kept = cipherOut;
        if (kept == null) {
            return;
        }
        kept.bytes().limit(kept.length()).position(cipherOutFrom);
        try {
            cipherOutFrom += channel.write(kept.bytes());
        } finally {
            kept.bytes().clear();
        }
        if (cipherOutFrom == kept.length()) {
            cipherOut = null;
            kept.release();
        }
    }

    @Override
    public boolean wantsToWrite() {
        return cipherOut != null || (established && !output.isEmpty());
    }

    @Override
    public boolean wantsToRead() {
        return !taskRunning;
    }

    @Override
    public int bytesUnderway() {
        FrameBuffer kept = cipherOut;
        return kept == null ? 0 : kept.length() - cipherOutFrom;
    }

    @Override
    public void writeEnd(NioLoop loop) throws IOException {
        engine.closeOutbound();
        while (!engine.isOutboundDone()) {
            ByteBuffer cipher = loop.buffers().cipher().clear();
            SSLEngineResult result = engine.wrap(NOTHING.duplicate(), cipher);
            emit(loop, cipher.flip());
            if (result.bytesProduced() == 0) {
                return;
            }
        }
    }

    @Override
    public void leaveLoop() {
        FrameBuffer kept = cipherIn;
        if (kept != null) {
            byte[] bytes = new byte[cipherInBytes];
            kept.bytes().get(0, bytes);
            carriedIn = bytes;
            cipherIn = null;
            cipherInBytes = 0;
            kept.release();
        }
    }

    @Override
    public void arriveAtLoop(NioLoop loop) throws IOException {
        byte[] bytes = carriedIn;
        if (bytes != null) {
            carriedIn = null;
            ByteBuffer cipher = loop.buffers().receive().clear();
            cipher.put(bytes);
            decrypt(loop, cipher.flip());
        }
    }

    @Override
    public void release() {
        carriedIn = null;
        FrameBuffer in = cipherIn;
        cipherIn = null;
        cipherInBytes = 0;
        if (in != null) {
            in.release();
        }
        FrameBuffer out = cipherOut;
        cipherOut = null;
        if (out != null) {
            out.release();
        }
    }
}
