package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.ErrorCode;
import io.longhorn.replica.wire.AckLayout;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.ReadLayout;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.SequenceLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One engine's end of one connection: says what a test tells it to, remembers what it was answered, and knows what the volume must hold after each record. */
final class ScriptedEngine {
    /** A record as this volume's history has it. */
    record Entry(long epoch, long sequence, VolumeModel.Operation operation) {}

    private final ReplicaRig rig;
    final long epoch;
    final UUID engineId;
    UUID replicaId = ReplicaRig.REPLICA;
    UUID volumeId = ReplicaRig.VOLUME;
    UUID clusterId = ReplicaRig.CLUSTER;
    long recordVersion;
    private final FramePool pool = new FramePool();
    private final Peer peer = new Peer();
    private Connection.@Nullable Handler handler;
    private long requests;

    /** The volume's history, shared by all engines of a test. */
    List<Entry> history = new ArrayList<>();

    int blocks = ReplicaRig.BLOCKS;
    long committed;
    long sequence;

    /** What the replica said. */
    final Map<Long, Message> answers = new HashMap<>();

    final Map<Long, ByteBuffer> reads = new HashMap<>();
    final List<Message.Failure> failures = new ArrayList<>();
    final List<Message.Damage> damage = new ArrayList<>();
    final List<ByteBuffer> records = new ArrayList<>();
    long journaled;
    long durable;
    long creditBytes;
    boolean diskFull;
    int acks;
    boolean closed;

    ScriptedEngine(ReplicaRig rig, long epoch) {
        this.rig = rig;
        this.epoch = epoch;
        this.recordVersion = epoch;
        this.engineId = new UUID(0xE, epoch);
    }

    /** An engine that goes on with this one's history. */
    ScriptedEngine next(long nextEpoch) {
        return next(rig, nextEpoch);
    }

    ScriptedEngine next(ReplicaRig at, long nextEpoch) {
        ScriptedEngine engine = new ScriptedEngine(at, nextEpoch);
        engine.history = new ArrayList<>(history);
        engine.blocks = blocks;
        engine.replicaId = replicaId;
        engine.volumeId = volumeId;
        engine.sequence = sequence;
        engine.committed = committed;
        return engine;
    }

    // ------------------------------------------------------------------ the connection

    private final class Peer implements Connection {
        @Override
        public void send(FrameBuffer frame) {
            try {
                if (!closed) {
                    take(frame.bytes(), frame.length());
                }
            } finally {
                frame.release();
            }
        }

        @Override
        public int queuedBytes() {
            return 0;
        }

        @Override
        public void close() {
            closed = true;
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public FramePool pool() {
            return pool;
        }

        @Override
        public String peerName() {
            return "engine of epoch " + epoch;
        }
    }

    private void take(ByteBuffer b, int length) {
        FrameType type = FrameType.of(FrameLayout.type(b, 0));
        long number = FrameLayout.number(b, 0);
        if (type == null) {
            throw new AssertionError("a frame of no type");
        }
        if (type == FrameType.ACK) {
            acks++;
            assertThat(AckLayout.journaled(b, 0)).as("an ACK never goes back").isGreaterThanOrEqualTo(journaled);
            journaled = AckLayout.journaled(b, 0);
            durable = AckLayout.durable(b, 0);
            creditBytes = AckLayout.creditBytes(b, 0);
            diskFull = AckLayout.diskFull(b, 0);
        } else if (type.isRecord()) {
            records.add(copy(b, length));
        } else if (type == FrameType.READ_OK || type == FrameType.LAYER_BLOCKS) {
            reads.put(number, copy(b, length));
        } else {
            Message message = MessageCodec.decode(b, 0);
            if (message instanceof Message.Failure failure) {
                failures.add(failure);
            }
            if (message instanceof Message.Damage found) {
                damage.add(found);
            }
            answers.put(number, message);
        }
    }

    private static ByteBuffer copy(ByteBuffer b, int length) {
        ByteBuffer copy = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        copy.put(0, b, 0, length);
        return copy;
    }

    /** The connection is lost; the server hears of it. */
    void lose() {
        Connection.Handler present = handler;
        closed = true;
        if (present != null) {
            present.onClosed("lost by the test");
        }
        rig.run();
    }

    /** Gives the frame to the server as a batch of its own. */
    void deliver(FrameBuffer frame) {
        Connection.Handler present = handler;
        if (present == null) {
            present = rig.host().onAccepted(peer);
            handler = present;
        }
        int length = frame.length();
        present.onFrame(frame.bytes(), 0, length);
        present.onBatchEnd();
        frame.release();
    }

    /** Sends a request and returns its id. */
    long ask(Message message) {
        long id = ++requests;
        deliver(MessageCodec.encode(pool, handler == null ? 0 : epoch, id, message));
        return id;
    }

    /** Sends a request, runs everything, and returns the answer. */
    <T extends Message> T ask(Message message, Class<T> expected) {
        long id = ask(message);
        rig.run();
        Message answer = answers.get(id);
        assertThat(answer).as("answer to " + message.type()).isInstanceOf(expected);
        return expected.cast(answer);
    }

    ScriptedEngine hello() {
        ask(ProtocolVersion.hello(engineId, clusterId, ""), Message.HelloOk.class);
        return this;
    }

    Message.CreateReplica creation() {
        return new Message.CreateReplica(epoch, volumeId, "vol", replicaId, blocks * 4096L, recordVersion, engineId);
    }

    ScriptedEngine create() {
        ask(creation(), Message.Done.class);
        return this;
    }

    Message.Fence fencing() {
        return new Message.Fence(epoch, engineId, clusterId, volumeId, replicaId, recordVersion);
    }

    /** Fences, and takes over what the replica says of itself. */
    Message.FenceOk fence() {
        Message.FenceOk state = ask(fencing(), Message.FenceOk.class);
        journaled = state.journaled();
        durable = state.durable();
        creditBytes = state.creditBytes();
        sequence = state.lastSequence();
        if (sequence < history.size()) {
            history = new ArrayList<>(history.subList(0, (int) sequence));
        }
        return state;
    }

    /** Greets, makes the replica, fences it, starts the epoch. */
    ScriptedEngine open() {
        hello().create().fence();
        return startEpoch();
    }

    ScriptedEngine startEpoch() {
        send(new VolumeModel.Structure(new StructureOperation.BeginEpoch(engineId, recordVersion, List.of(replicaId))));
        return this;
    }

    // ------------------------------------------------------------------ records

    /** The frame of the record that comes next; it becomes part of the history. */
    FrameBuffer encode(VolumeModel.Operation operation) {
        sequence++;
        history.add(new Entry(epoch, sequence, operation));
        return encode(operation, 0, epoch, sequence);
    }

    FrameBuffer encode(VolumeModel.Operation operation, int flags, long recordEpoch, long recordSequence) {
        if (operation instanceof VolumeModel.Write write) {
            int count = write.seeds().length;
            FrameBuffer frame = pool.acquire(RecordLayout.writeFrameLength(count));
            for (int i = 0; i < count; i++) {
                VolumeModel.fill(frame.bytes(), RecordLayout.writeHeaderLength(count) + i * 4096, write.seeds()[i]);
            }
            RecordLayout.encodeWrite(
                    frame, flags, recordEpoch, recordSequence, committed, write.first() * 4096L, count);
            return frame;
        }
        if (operation instanceof VolumeModel.Zeroes zeroes) {
            FrameBuffer frame = pool.acquire(RecordLayout.TABLE_OFFSET);
            RecordLayout.encodeRange(
                    frame,
                    zeroes.discard() ? FrameType.DISCARD : FrameType.WRITE_ZEROES,
                    flags,
                    recordEpoch,
                    recordSequence,
                    committed,
                    zeroes.first() * 4096L,
                    zeroes.count() * 4096L);
            return frame;
        }
        return MessageCodec.encodeStructure(
                pool, flags, recordEpoch, recordSequence, committed, ((VolumeModel.Structure) operation).operation());
    }

    /** Sends the next record. Nothing else runs. */
    long send(VolumeModel.Operation operation) {
        deliver(encode(operation));
        return sequence;
    }

    long write(int first, long... seeds) {
        return send(new VolumeModel.Write(first, seeds));
    }

    long zeroes(int first, int count) {
        return send(new VolumeModel.Zeroes(first, count, false));
    }

    long discard(int first, int count) {
        return send(new VolumeModel.Zeroes(first, count, true));
    }

    /** Takes a snapshot; the id is that of the layer that was the head. */
    LayerId snapshot(String name) {
        LayerId id = model().headId;
        send(new VolumeModel.Structure(new StructureOperation.CreateSnapshot(name, true, 1000, Map.of("a", name))));
        return id;
    }

    long delete(LayerId snapshot) {
        return send(new VolumeModel.Structure(new StructureOperation.DeleteSnapshot(snapshot)));
    }

    long revert(LayerId snapshot) {
        return send(new VolumeModel.Structure(new StructureOperation.Revert(snapshot)));
    }

    long expand(int toBlocks) {
        return send(new VolumeModel.Structure(new StructureOperation.Expand(toBlocks * 4096L)));
    }

    /** All that was sent is confirmed, and the replica is told. */
    void commit() {
        commit(sequence);
    }

    void commit(long through) {
        committed = through;
        FrameBuffer frame = pool.acquire(SequenceLayout.FRAME_BYTES);
        SequenceLayout.encode(frame, FrameType.COMMIT, epoch, through);
        deliver(frame);
    }

    void flush() {
        FrameBuffer frame = pool.acquire(SequenceLayout.FRAME_BYTES);
        SequenceLayout.encode(frame, FrameType.FLUSH, epoch, sequence);
        deliver(frame);
        rig.run();
    }

    /** Everything sent so far is confirmed, durable, and in the layers. */
    void settle() {
        commit();
        flush();
        rig.quiet();
    }

    /** Long enough for what goes on in the background. */
    void pass() {
        rig.pass(10 * ReplicaRig.SECOND);
    }

    FramePool pool() {
        return pool;
    }

    // ------------------------------------------------------------------ reading

    /** The volume after all records. */
    VolumeModel model() {
        return model(sequence);
    }

    VolumeModel model(long through) {
        VolumeModel model = new VolumeModel(blocks);
        for (Entry record : history) {
            if (record.sequence() <= through) {
                model.apply(record.operation(), record.epoch(), record.sequence());
            }
        }
        return model;
    }

    /** The READ's answer, or null if it was refused. */
    @Nullable
    ByteBuffer read(LayerId layer, int pin, int first, int count) {
        long id = ++requests;
        FrameBuffer frame = pool.acquire(ReadLayout.READ_BYTES);
        ReadLayout.encodeRead(frame, epoch, id, layer, pin, first * 4096L, count * 4096);
        deliver(frame);
        return reads.remove(id);
    }

    /** Seeds of blocks, each checked against the checksum that came with it. */
    long[] seeds(LayerId layer, int first, int count) {
        long[] seeds = new long[count];
        for (int from = 0; from < count; from += 64) {
            int n = Math.min(64, count - from);
            ByteBuffer answer = read(layer, 0, first + from, n);
            assertThat(answer)
                    .as("answer to a read of %s at %d, failures %s", layer, first + from, failures)
                    .isNotNull();
            int payload = ReadLayout.answerHeaderLength(n);
            boolean allZero = FrameLayout.payloadLength(answer, 0) == 0;
            for (int i = 0; i < n; i++) {
                int crc = allZero ? Checksum.ZERO_BLOCK : Checksum.block(answer, payload + i * 4096);
                assertThat(ReadLayout.blockCrc(answer, 0, i))
                        .as("checksum of block %d of %s", first + from + i, layer)
                        .isEqualTo(crc);
                seeds[from + i] = allZero ? 0 : VolumeModel.seedOf(answer, payload + i * 4096);
            }
        }
        return seeds;
    }

    long seed(int block) {
        return seeds(LayerId.LIVE, block, 1)[0];
    }

    /** The head and every snapshot hold what the history says. */
    void assertContent() {
        VolumeModel expected = model();
        assertSame(LayerId.LIVE, expected.head);
        expected.snapshots.forEach(this::assertSame);
    }

    private void assertSame(LayerId id, long[] expected) {
        long[] found = seeds(id, 0, expected.length);
        int at = Arrays.mismatch(found, expected);
        if (at >= 0) {
            throw new AssertionError("block " + at + " of " + id + " at " + sequence + " holds " + found[at]
                    + " instead of " + expected[at] + "; as many as " + wrong(found, expected) + " blocks are wrong");
        }
    }

    private static int wrong(long[] found, long[] expected) {
        int wrong = 0;
        for (int i = 0; i < expected.length; i++) {
            wrong += found[i] == expected[i] ? 0 : 1;
        }
        return wrong;
    }

    Message.StatusOk status() {
        return ask(new Message.Status(), Message.StatusOk.class);
    }

    /** Code of the last refusal. */
    ErrorCode refusal() {
        assertThat(failures).isNotEmpty();
        int number = failures.get(failures.size() - 1).code();
        for (ErrorCode code : ErrorCode.values()) {
            if (code.number() == number) {
                return code;
            }
        }
        throw new AssertionError("no code " + number);
    }
}
