package io.longhorn.simulator.model;

import io.longhorn.ErrorCode;
import io.longhorn.replica.wire.AckLayout;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.ReadLayout;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.simulator.SimLoop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One engine's connection to a {@link ModelServer}. */
final class ModelConnection implements Connection.Handler {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    private static final long CREDIT = 1 << 20;

    private final ModelServer server;
    private final SimLoop loop;
    private final Connection connection;
    private @Nullable ModelReplica replica;
    private long used;
    private boolean appended;
    private boolean syncWanted;
    private boolean syncing;

    ModelConnection(ModelServer server, SimLoop loop, Connection connection) {
        this.server = server;
        this.loop = loop;
        this.connection = connection;
    }

    private void reply(long request, Message message) {
        ModelReplica r = replica;
        connection.send(MessageCodec.encode(connection.pool(), r == null ? 0 : r.promised, request, message));
    }

    private void refuse(long request, ErrorCode code, long first, String detail) {
        reply(request, new Message.Failure(code.number(), first, 0, detail));
        if (request == 0) {
            connection.close();
        }
    }

    @Override
    public void onFrame(ByteBuffer b, int at, int length) {
        FrameType type = FrameType.of(FrameLayout.type(b, at));
        if (!FrameLayout.headerCrcMatches(b, at) || type == null) {
            refuse(0, ErrorCode.CHECKSUM_REFUSED, FrameLayout.number(b, at), "header");
            return;
        }
        long request = FrameLayout.number(b, at);
        ModelReplica r = replica;
        if (r != null && !isCurrent(r, b, at, type)) {
            refuse(0, ErrorCode.FENCED, r.promised, "promised to " + r.promised);
        } else if (type.isRecord()) {
            record(b, at, length);
        } else if (type == FrameType.COMMIT) {
            bound().committed = Math.max(bound().committed, request);
        } else if (type == FrameType.FLUSH) {
            syncWanted = true;
        } else if (type == FrameType.READ) {
            read(b, at, request);
        } else if (type == FrameType.LAYER_BLOCKS) {
            install(b, at, request);
        } else {
            message(MessageCodec.decode(b, at), request);
        }
    }

    private boolean isCurrent(ModelReplica r, ByteBuffer b, int at, FrameType type) {
        long epoch = FrameLayout.epoch(b, at);
        return server.attached.get(r.replicaId) == this
                && (epoch == r.promised || (type.isRecord() && epoch >= r.lastEpoch && epoch <= r.promised));
    }

    private ModelReplica bound() {
        ModelReplica r = replica;
        if (r == null) {
            throw new IllegalStateException("not fenced");
        }
        return r;
    }

    @Override
    public void onBatchEnd() {
        if (appended && connection.isOpen()) {
            appended = false;
            acknowledge();
        }
        if (syncWanted && !syncing && replica != null) {
            sync(bound());
        }
    }

    private void sync(ModelReplica r) {
        syncWanted = false;
        syncing = true;
        long through = r.last;
        loop.schedule(200_000 + Math.floorMod(loop.nextRandomLong(), 1_500_000), () -> {
            syncing = false;
            if (server.attached.get(r.replicaId) == this && connection.isOpen()) {
                r.durable = Math.max(r.durable, Math.min(through, r.last));
                acknowledge();
                if (syncWanted) {
                    sync(r);
                }
            }
        });
    }

    private void acknowledge() {
        ModelReplica r = bound();
        server.lastAcknowledged.put(r.replicaId, loop.nanoTime());
        FrameBuffer frame = connection.pool().acquire(AckLayout.FRAME_BYTES);
        AckLayout.encode(frame, r.promised, r.last, r.durable, used + CREDIT, false);
        connection.send(frame);
    }

    @Override
    public void onClosed(String cause) {
        ModelReplica r = replica;
        if (r != null) {
            server.attached.remove(r.replicaId, this);
        }
    }

    private void record(ByteBuffer b, int at, int length) {
        ModelReplica r = bound();
        used += length;
        if (!RecordLayout.payloadMatches(b, at)) {
            refuse(0, ErrorCode.CHECKSUM_REFUSED, RecordLayout.sequence(b, at), "payload");
        } else if (RecordLayout.sequence(b, at) != r.last + 1) {
            refuse(0, ErrorCode.SEQUENCE_GAP, r.last + 1, "expected " + (r.last + 1));
        } else {
            r.append(b, at, length);
            appended = true;
            syncWanted |= (FrameLayout.flags(b, at) & FrameLayout.FLAG_FORCED) != 0;
        }
    }

    private void read(ByteBuffer b, int at, long request) {
        ModelReplica r = bound();
        LayerId layer = new LayerId(ReadLayout.layerEpoch(b, at), ReadLayout.layerSequence(b, at));
        ModelContent.Layer found = r.content.layers.get(layer);
        if (!layer.isLive() && (found == null || found.facts().removed())) {
            refuse(request, ErrorCode.SNAPSHOT_NOT_FOUND, 0, "no snapshot " + layer);
            return;
        }
        server.lastAcknowledged.put(r.replicaId, loop.nanoTime());
        int count = ReadLayout.length(b, at) / BLOCK;
        long first = ReadLayout.offset(b, at) / BLOCK;
        FrameBuffer frame = connection.pool().acquire(ReadLayout.answerHeaderLength(count) + count * BLOCK);
        byte[] zeroes = new byte[BLOCK];
        for (int i = 0; i < count; i++) {
            ModelContent.Entry entry = r.content.find(layer, first + i);
            boolean data = entry != null && entry.state() == BlockState.DATA;
            frame.bytes().putInt(ReadLayout.TABLE_OFFSET + 4 * i, data ? entry.crc() : Checksum.ZERO_BLOCK);
            frame.bytes().put(ReadLayout.answerHeaderLength(count) + i * BLOCK, data ? entry.data() : zeroes);
        }
        ReadLayout.encodeAnswer(frame, r.promised, request, count, false);
        connection.send(frame);
    }

    private void message(Message message, long request) {
        if (message instanceof Message.Hello hello) {
            reply(
                    0,
                    ProtocolVersion.negotiate(hello, connection.peerName())
                            .helloOk(server.serverId, server.host().bootId(), 1, server.replicas.size(), 1L << 30));
        } else if (message instanceof Message.CreateReplica create) {
            server.replicas.computeIfAbsent(
                    create.replicaId(), id -> new ModelReplica(create.volumeId(), id, create.sizeBytes()));
            reply(request, new Message.Done());
        } else if (message instanceof Message.Fence fence) {
            fence(fence);
        } else if (message instanceof Message.Ping ping) {
            if (replica != null) {
                server.lastAcknowledged.put(bound().replicaId, loop.nanoTime());
            }
            reply(request, new Message.Pong(ping.epoch(), ping.sentNanos()));
        } else if (message instanceof Message.Status) {
            ModelReplica r = bound();
            reply(
                    request,
                    new Message.StatusOk(r.content.sizeBytes, r.last, r.committed, r.last, 0, 0, r.content.facts()));
        } else if (message instanceof Message.Records wanted) {
            records(wanted, request);
        } else if (message instanceof Message.MapQuery query) {
            ownBlocks(query, request);
        } else if (message instanceof Message.LayerRead wanted) {
            layerRead(wanted, request);
        } else if (message instanceof Message.RebuildBegin begin) {
            bound().beginRebuild(begin);
            reply(request, new Message.Done());
        } else if (message instanceof Message.RebuildEnd) {
            ModelReplica r = bound();
            r.takeAsBase();
            r.durable = r.last;
            // All it has is stable, and all it acknowledges from now on is of this boot.
            r.uncertain = false;
            reply(request, new Message.Done());
            acknowledge();
        } else if (message instanceof Message.Joined) {
            bound().mixed = false;
            bound().uncertain = false;
            reply(request, new Message.Done());
        } else {
            reply(request, new Message.Done());
        }
    }

    private void fence(Message.Fence fence) {
        ModelReplica r = server.replicas.get(fence.replicaId());
        if (r == null) {
            refuse(0, ErrorCode.REPLICA_NOT_FOUND, 0, "no replica " + fence.replicaId());
            return;
        }
        if (fence.epoch() < r.promised
                || (fence.epoch() == r.promised && !fence.engineId().equals(r.promisedTo))
                || fence.recordVersion() < r.promisedVersion) {
            refuse(0, ErrorCode.FENCED, r.promised, "promised to " + r.promised);
            return;
        }
        ModelConnection earlier = server.attached.put(r.replicaId, this);
        if (earlier != null && earlier != this) {
            earlier.connection.close();
        }
        r.promised = fence.epoch();
        r.promisedTo = fence.engineId();
        r.promisedVersion = fence.recordVersion();
        replica = r;
        used = 0;
        Long acknowledged = server.lastAcknowledged.get(r.replicaId);
        long quiet = acknowledged == null ? -1 : (loop.nanoTime() - acknowledged) / 1_000_000;
        reply(
                0,
                new Message.FenceOk(
                        r.promised,
                        r.lastEpoch,
                        r.last,
                        r.last,
                        r.durable,
                        r.committed,
                        r.uncertain,
                        r.mixed,
                        r.common,
                        r.content.sizeBytes,
                        CREDIT,
                        quiet,
                        r.history));
    }

    private void records(Message.Records wanted, long request) {
        long next = wanted.fromSequence();
        for (byte[] record : bound().log) {
            if (RecordLayout.sequence(ModelReplica.buffer(record), 0) == next) {
                FrameBuffer frame = connection.pool().acquire(record.length);
                frame.bytes().put(0, record);
                connection.send(frame.length(record.length));
                next++;
            }
        }
        boolean gone = next == wanted.fromSequence() && next <= bound().last;
        reply(request, new Message.RecordsOk(gone, next));
    }

    private void ownBlocks(Message.MapQuery query, long request) {
        List<Message.MapRun> runs = new ArrayList<>();
        if (!bound().content.layers.containsKey(query.layer())) {
            refuse(request, ErrorCode.SNAPSHOT_NOT_FOUND, 0, "no layer " + query.layer());
            return;
        }
        for (Map.Entry<Long, ModelContent.Entry> e :
                bound().content.layer(query.layer()).blocks().entrySet()) {
            if (e.getKey() >= query.fromBlock()
                    && e.getKey() < query.toBlock()
                    && e.getValue().sequence() > query.sinceSequence()) {
                if (runs.size() == 16) {
                    reply(request, new Message.MapPage(e.getKey(), runs));
                    return;
                }
                runs.add(new Message.MapRun(
                        e.getKey(), 1, e.getValue().state(), e.getValue().sequence()));
            }
        }
        reply(request, new Message.MapPage(-1, runs));
    }

    private void layerRead(Message.LayerRead wanted, long request) {
        ModelContent.Layer layer = bound().content.layers.get(wanted.layer());
        if (layer == null) {
            refuse(request, ErrorCode.SNAPSHOT_NOT_FOUND, 0, "no layer " + wanted.layer());
            return;
        }
        List<Map.Entry<Long, ModelContent.Entry>> found = new ArrayList<>();
        long next = -1;
        if (wanted.blocks().isEmpty()) {
            for (Map.Entry<Long, ModelContent.Entry> e :
                    layer.blocks().subMap(wanted.fromBlock(), wanted.toBlock()).entrySet()) {
                if (e.getValue().sequence() > wanted.sinceSequence()) {
                    if (found.size() == 8) {
                        next = e.getKey();
                        break;
                    }
                    found.add(e);
                }
            }
        } else {
            for (long block : wanted.blocks()) {
                ModelContent.Entry entry = layer.blocks().get(block);
                found.add(Map.entry(
                        block,
                        entry != null
                                ? entry
                                : new ModelContent.Entry(
                                        0, BlockState.ABSENT, Checksum.ZERO_BLOCK, new byte[0], false)));
            }
        }
        sendBlocks(wanted.layer(), found, next, request);
    }

    private void sendBlocks(LayerId layer, List<Map.Entry<Long, ModelContent.Entry>> found, long next, long request) {
        int header = LayerBlocksLayout.headerLength(found.size());
        FrameBuffer frame = connection.pool().acquire(header + found.size() * BLOCK);
        int data = 0;
        for (int i = 0; i < found.size(); i++) {
            ModelContent.Entry entry = found.get(i).getValue();
            LayerBlocksLayout.putEntry(
                    frame.bytes(), i, found.get(i).getKey(), entry.state(), entry.sequence(), entry.crc());
            if (entry.state() == BlockState.DATA) {
                frame.bytes().put(header + data++ * BLOCK, entry.data());
            }
        }
        LayerBlocksLayout.encode(frame, bound().promised, request, layer, next, found.size(), data);
        connection.send(frame);
    }

    private void install(ByteBuffer b, int at, long request) {
        ModelReplica r = bound();
        if (LayerBlocksLayout.session(b, at) != r.session || !LayerBlocksLayout.matches(b, at)) {
            refuse(request, ErrorCode.SUPERSEDED, 0, "not this rebuild's");
            return;
        }
        int entries = LayerBlocksLayout.entryCount(b, at);
        if (!r.content.layers.containsKey(LayerBlocksLayout.layer(b, at))) {
            // Deleted by a record that came meanwhile.
            reply(request, new Message.RebuildProgress(r.session, 0, entries));
            return;
        }
        int payload = at + LayerBlocksLayout.headerLength(entries);
        for (int i = 0; i < entries; i++) {
            boolean damaged = LayerBlocksLayout.isDamaged(b, at, i);
            BlockState state = damaged ? BlockState.DATA : LayerBlocksLayout.state(b, at, i);
            byte[] data = new byte[state == BlockState.DATA ? BLOCK : 0];
            if (!damaged) {
                b.get(payload, data);
                payload += data.length;
            }
            r.content.install(
                    LayerBlocksLayout.layer(b, at),
                    LayerBlocksLayout.block(b, at, i),
                    new ModelContent.Entry(
                            LayerBlocksLayout.sequence(b, at, i), state, LayerBlocksLayout.crc(b, at, i), data, false));
        }
        reply(request, new Message.RebuildProgress(r.session, entries, 0));
    }
}
