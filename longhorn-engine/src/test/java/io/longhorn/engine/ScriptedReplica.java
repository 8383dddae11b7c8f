package io.longhorn.engine;

import io.longhorn.ErrorCode;
import io.longhorn.replica.wire.AckLayout;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.ReadLayout;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A replica in memory with one layer, for tests of the engine alone: speaks the protocol, keeps its records, and does wrong what a test
 * tells it to. The real one is tested with the real engine by the simulator.
 */
final class ScriptedReplica {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    private record Block(long sequence, int crc, byte[] data) {}

    private final Loop loop;
    final String endpoint;
    final UUID id;
    private final FramePool pool = new FramePool();
    final List<byte[]> records = new ArrayList<>();
    final List<FrameType> received = new ArrayList<>();
    private final TreeMap<Long, Block> blocks = new TreeMap<>();
    private final List<Message.EpochStart> history = new ArrayList<>();
    private long promised;
    long last;
    long lastEpoch;
    long durable;
    long committed;
    long sizeBytes = 1 << 20;
    private long used;
    private boolean mixed;
    private long common;
    private End end;

    /** Takes records but says nothing. */
    boolean mute;
    /** Answers records but no pings. */
    boolean ignoresPings;
    /** Answers records but never calls anything durable. */
    boolean neverDurable;

    /** Answers a flush with what was durable before. */
    boolean neverSyncs;

    Runnable whenAskedForRecords = () -> {};
    boolean down;
    boolean uncertain;
    boolean exists = true;
    boolean full;
    /** Its journal has no room while it holds records of which nobody said that they are confirmed. */
    boolean fullOfUnconfirmed;
    /** Flips bits of every block and record it is asked for. */
    boolean rotten;
    /** Loses its connection when the first good copy comes. */
    boolean failsWhenRepaired;
    /** The block whose map is damaged. */
    long lostBlock = -1;
    /** How long its disk needs to make it. */
    long makingNanos;
    /** Snapshots it holds for this connection, by pin. */
    final Map<Integer, LayerId> pins = new TreeMap<>();
    /** Knows no snapshot, whoever holds it. */
    boolean gaveBack;
    /** Takes no copies when it is rebuilt. */
    boolean refusesCopies;

    ScriptedReplica(Loop loop, String endpoint, UUID id) {
        this.loop = loop;
        this.endpoint = endpoint;
        this.id = id;
    }

    byte[] block(long number) {
        Block found = blocks.get(number);
        return found == null ? new byte[BLOCK] : found.data();
    }

    int blockCount() {
        return blocks.size();
    }

    /** Cuts the connection; both ends learn of it. */
    void cut() {
        End open = end;
        end = null;
        if (open != null) {
            open.open = false;
            loop.execute(() -> open.handler.onClosed("cut"));
        }
    }

    /** Power loss: what was not durable is gone. */
    void losePower() {
        cut();
        uncertain = true;
        records.removeIf(r -> RecordLayout.sequence(buffer(r), 0) > durable);
        blocks.clear();
        last = 0;
        for (byte[] r : List.copyOf(records)) {
            apply(buffer(r), 0);
        }
    }

    static Connection.Connector connector(Loop loop, List<ScriptedReplica> replicas) {
        return (l, endpoint, result) -> loop.execute(() -> {
            ScriptedReplica replica = replicas.stream()
                    .filter(r -> r.endpoint.equals(endpoint))
                    .findFirst()
                    .orElseThrow();
            if (replica.down) {
                result.onFailed("connection refused");
            } else {
                replica.accept(result);
            }
        });
    }

    private void accept(Connection.Connector.Result result) {
        cut();
        pins.clear();
        End made = new End();
        end = made;
        made.handler = result.onConnected(made);
    }

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The engine's end of the connection: what it sends is handled here. */
    private final class End implements Connection {
        private boolean open = true;
        private Handler handler;

        @Override
        public void send(FrameBuffer frame) {
            byte[] copy = new byte[frame.length()];
            frame.bytes().get(0, copy);
            frame.release();
            loop.execute(() -> {
                if (open && !down) {
                    handle(buffer(copy), copy);
                }
            });
        }

        @Override
        public int queuedBytes() {
            return 0;
        }

        @Override
        public void close() {
            if (open) {
                open = false;
                loop.execute(() -> handler.onClosed("closed by the engine"));
            }
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public FramePool pool() {
            return pool;
        }

        @Override
        public String peerName() {
            return endpoint;
        }
    }

    private void reply(FrameBuffer frame) {
        byte[] copy = new byte[frame.length()];
        frame.bytes().get(0, copy);
        frame.release();
        End to = end;
        loop.execute(() -> {
            if (to != null && to.open && !mute) {
                to.handler.onFrame(buffer(copy), 0, copy.length);
                to.handler.onBatchEnd();
            }
        });
    }

    private void reply(long request, Message message) {
        reply(MessageCodec.encode(pool, promised, request, message));
    }

    private void ack() {
        FrameBuffer frame = pool.acquire(AckLayout.FRAME_BYTES);
        AckLayout.encode(frame, promised, last, neverDurable ? 0 : durable, credit(), full);
        reply(frame);
    }

    private long credit() {
        return full || (fullOfUnconfirmed && committed < last) ? used : used + (1 << 20);
    }

    private void commit(long sequence) {
        committed = Math.max(committed, sequence);
        if (fullOfUnconfirmed) {
            ack();
        }
    }

    private void handle(ByteBuffer b, byte[] bytes) {
        FrameType type = FrameType.of(FrameLayout.type(b, 0));
        long request = FrameLayout.number(b, 0);
        received.add(type);
        if (type.isRecord()) {
            record(b, bytes);
            return;
        }
        switch (type) {
            case COMMIT -> commit(request);
            case FLUSH -> {
                durable = neverSyncs ? durable : last;
                ack();
            }
            case READ -> read(b, request);
            case LAYER_BLOCKS -> install(b, request);
            default -> message(MessageCodec.decode(b, 0), request);
        }
    }

    private void record(ByteBuffer b, byte[] bytes) {
        used += RecordLayout.creditBytes(b, 0);
        if (RecordLayout.sequence(b, 0) != last + 1) {
            reply(0, new Message.Failure(ErrorCode.SEQUENCE_GAP.number(), last + 1, 0, "expected " + (last + 1)));
            return;
        }
        records.add(bytes);
        apply(b, 0);
        if ((FrameLayout.flags(b, 0) & FrameLayout.FLAG_FORCED) != 0) {
            durable = last;
        }
        ack();
    }

    private void apply(ByteBuffer b, int at) {
        last = RecordLayout.sequence(b, at);
        lastEpoch = FrameLayout.epoch(b, at);
        if (history.isEmpty() || history.get(history.size() - 1).epoch() != lastEpoch) {
            history.add(new Message.EpochStart(lastEpoch, last));
        }
        committed = Math.max(committed, RecordLayout.committed(b, at));
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        long first = RecordLayout.offset(b, at) / BLOCK;
        if (type == FrameType.WRITE) {
            for (int i = 0; i < RecordLayout.blockCount(b, at); i++) {
                byte[] data = new byte[BLOCK];
                b.get(at + FrameLayout.headerLength(b, at) + i * BLOCK, data);
                blocks.put(first + i, new Block(last, RecordLayout.blockCrc(b, at, i), data));
            }
        } else if (type == FrameType.DISCARD || type == FrameType.WRITE_ZEROES) {
            for (long i = first; i < first + RecordLayout.length(b, at) / BLOCK; i++) {
                blocks.put(i, new Block(last, Checksum.ZERO_BLOCK, new byte[BLOCK]));
            }
        } else if (type == FrameType.EXPAND
                && MessageCodec.decodeStructure(b, at) instanceof StructureOperation.Expand expand) {
            sizeBytes = expand.sizeBytes();
        }
    }

    private void read(ByteBuffer b, long request) {
        if (gaveBack && ReadLayout.pin(b, 0) != 0) {
            reply(request, new Message.Failure(ErrorCode.PIN_NOT_HELD.number(), 0, 0, "removed and not pinned"));
            return;
        }
        int count = ReadLayout.length(b, 0) / BLOCK;
        long first = ReadLayout.offset(b, 0) / BLOCK;
        if (lostBlock >= first && lostBlock < first + count) {
            reply(request, new Message.Failure(ErrorCode.DAMAGED_BLOCK.number(), lostBlock, 0, "map is damaged"));
            return;
        }
        FrameBuffer frame = pool.acquire(ReadLayout.answerHeaderLength(count) + count * BLOCK);
        for (int i = 0; i < count; i++) {
            Block found = blocks.get(first + i);
            frame.bytes().putInt(ReadLayout.TABLE_OFFSET + 4 * i, found == null ? Checksum.ZERO_BLOCK : found.crc());
            byte[] data = block(first + i).clone();
            if (rotten) {
                data[17] ^= 1;
            }
            frame.bytes().put(ReadLayout.answerHeaderLength(count) + i * BLOCK, data);
        }
        ReadLayout.encodeAnswer(frame, promised, request, count, false);
        reply(frame);
    }

    private void install(ByteBuffer b, long request) {
        if (refusesCopies) {
            reply(request, new Message.Failure(ErrorCode.DISK_FULL.number(), 0, 0, "no room for copies"));
            return;
        }
        int payload = FrameLayout.headerLength(b, 0);
        int entries = LayerBlocksLayout.entryCount(b, 0);
        for (int i = 0; i < entries; i++) {
            long block = LayerBlocksLayout.block(b, 0, i);
            if (LayerBlocksLayout.isDamaged(b, 0, i) && LayerBlocksLayout.sequence(b, 0, i) == 0) {
                lostBlock = block;
                continue;
            }
            lostBlock = lostBlock == block ? -1 : lostBlock;
            long sequence = LayerBlocksLayout.sequence(b, 0, i);
            byte[] data = new byte[BLOCK];
            if (!LayerBlocksLayout.isDamaged(b, 0, i) && LayerBlocksLayout.state(b, 0, i) == BlockState.DATA) {
                b.get(payload, data);
                payload += BLOCK;
            }
            Block own = blocks.get(block);
            if (own == null || own.sequence() < sequence) {
                blocks.put(block, new Block(sequence, LayerBlocksLayout.crc(b, 0, i), data));
            }
        }
        reply(request, new Message.RebuildProgress(LayerBlocksLayout.session(b, 0), entries, 0));
    }

    private void message(Message message, long request) {
        if (message instanceof Message.Hello hello) {
            reply(0, ProtocolVersion.negotiate(hello, endpoint).helloOk(id, "boot", 1, 1, 1L << 30));
        } else if (message instanceof Message.CreateReplica) {
            exists = true;
            loop.schedule(makingNanos, () -> reply(request, new Message.Done()));
        } else if (message instanceof Message.Fence fence) {
            fence(fence);
        } else if (message instanceof Message.Ping ping) {
            if (!ignoresPings) {
                reply(0, new Message.Pong(ping.epoch(), ping.sentNanos()));
            }
        } else if (message instanceof Message.Status) {
            reply(
                    request,
                    new Message.StatusOk(sizeBytes, last, committed, 0, 0, lostBlock < 0 ? 0 : 1, List.of(head())));
        } else if (message instanceof Message.Records records) {
            sendRecords(records, request);
        } else if (message instanceof Message.RebuildBegin begin) {
            mixed = true;
            sizeBytes = begin.sizeBytes();
            common = begin.commonSequence();
            blocks.values().removeIf(v -> v.sequence() > common);
            last = begin.baseSequence();
            lastEpoch = begin.baseEpoch();
            history.clear();
            history.addAll(begin.history());
            records.clear();
            reply(request, new Message.Done());
        } else if (message instanceof Message.LayerRead read) {
            layerRead(read, request);
        } else if (message instanceof Message.Pin pin) {
            pins.put(pin.pin(), pin.layer());
            reply(request, new Message.Done());
        } else if (message instanceof Message.Unpin unpin) {
            pins.remove(unpin.pin());
            reply(request, new Message.Done());
        } else if (message instanceof Message.MapQuery query
                && gaveBack
                && !query.layer().isLive()) {
            reply(request, new Message.Failure(ErrorCode.PIN_NOT_HELD.number(), 0, 0, "removed and not pinned"));
        } else if (message instanceof Message.MapQuery) {
            reply(request, new Message.MapPage(-1, lostRuns()));
        } else if (message instanceof Message.RebuildEnd) {
            durable = last;
            reply(request, new Message.Done());
            ack();
        } else if (message instanceof Message.Joined) {
            mixed = false;
            uncertain = false;
            reply(request, new Message.Done());
        } else if (message instanceof Message.Repair && failsWhenRepaired) {
            failsWhenRepaired = false;
            cut();
        } else if (message instanceof Message.Repair) {
            rotten = false;
            reply(request, new Message.Done());
        } else {
            reply(request, new Message.Done());
        }
    }

    private List<Message.MapRun> lostRuns() {
        return lostBlock < 0 ? List.of() : List.of(new Message.MapRun(lostBlock, 1, BlockState.DATA, 0));
    }

    private Message.Layer head() {
        return new Message.Layer(
                new LayerId(1, 1),
                LayerId.LIVE,
                0,
                "",
                false,
                false,
                0,
                1 << 20,
                (long) blocks.size() * BLOCK,
                Map.of());
    }

    private void fence(Message.Fence fence) {
        if (!exists) {
            reply(0, new Message.Failure(ErrorCode.REPLICA_NOT_FOUND.number(), 0, 0, "no such replica"));
        } else if (fence.epoch() < promised) {
            reply(0, new Message.Failure(ErrorCode.FENCED.number(), promised, 0, "promised to " + promised));
        } else {
            promised = fence.epoch();
            used = 0;
            reply(
                    0,
                    new Message.FenceOk(
                            promised, lastEpoch, last, last, durable, committed, uncertain, mixed, common, 1 << 20,
                            credit(), 0, history));
        }
    }

    private void sendRecords(Message.Records wanted, long request) {
        whenAskedForRecords.run();
        long next = wanted.fromSequence();
        for (byte[] record : records) {
            if (RecordLayout.sequence(buffer(record), 0) == next) {
                FrameBuffer frame = pool.acquire(record.length);
                frame.bytes().put(0, record);
                rot(frame, record.length);
                reply(frame.length(record.length));
                next++;
            }
        }
        reply(request, new Message.RecordsOk(next == wanted.fromSequence(), next));
    }

    private void layerRead(Message.LayerRead wanted, long request) {
        List<Map.Entry<Long, Block>> found = blocks.entrySet().stream()
                .filter(e -> wanted.blocks().isEmpty()
                        ? e.getKey() >= wanted.fromBlock()
                                && e.getKey() < wanted.toBlock()
                                && e.getValue().sequence() > wanted.sinceSequence()
                        : wanted.blocks().contains(e.getKey()))
                .limit(16)
                .toList();
        int header = LayerBlocksLayout.headerLength(found.size());
        FrameBuffer frame = pool.acquire(header + found.size() * BLOCK);
        int data = 0;
        for (int i = 0; i < found.size(); i++) {
            Block block = found.get(i).getValue();
            long number = found.get(i).getKey();
            if (number == lostBlock) {
                LayerBlocksLayout.putDamaged(frame.bytes(), i, number, 0, 0);
            } else {
                LayerBlocksLayout.putEntry(frame.bytes(), i, number, BlockState.DATA, block.sequence(), block.crc());
                frame.bytes().put(header + data++ * BLOCK, block.data());
            }
        }
        long next = found.size() < 16 ? -1 : found.get(15).getKey() + 1;
        LayerBlocksLayout.encode(frame, promised, request, wanted.layer(), next, found.size(), data);
        rot(frame, frame.length());
        reply(frame);
    }

    private void rot(FrameBuffer frame, int length) {
        if (rotten && FrameLayout.payloadLength(frame.bytes(), 0) > 0) {
            frame.bytes().put(length - 1, (byte) ~frame.bytes().get(length - 1));
        }
    }
}
