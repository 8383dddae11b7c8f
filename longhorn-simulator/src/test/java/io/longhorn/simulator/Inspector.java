package io.longhorn.simulator;

import io.longhorn.engine.ReplicaRecord;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ProtocolVersion;
import io.longhorn.replica.wire.ReadLayout;
import io.longhorn.simulator.history.Violation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Speaks to replica servers as an engine does, one conversation after another, to make replicas and to see what they hold. */
final class Inspector {
    private static final long LIMIT_NANOS = 60_000_000_000L;
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    private final SimScheduler scheduler;
    private final SimNetwork network;
    private final SimProcess process;
    private final SimLoop loop;
    private final UUID clusterId;
    private final UUID engineId = new UUID(99, 99);

    Inspector(SimScheduler scheduler, SimNetwork network, SimHost host, UUID clusterId) {
        this.scheduler = scheduler;
        this.network = network;
        this.process = host.start("inspector");
        this.loop = process.newLoop("inspector");
        this.clusterId = clusterId;
    }

    /** What a replica holds: its status, and the content of head ("") and snapshots by name. */
    record Found(Message.FenceOk fenced, Message.StatusOk status, Map<String, ByteBuffer> contents) {}

    void create(ReplicaRecord replica, UUID volumeId, String volumeName, long sizeBytes) {
        Conversation conversation = new Conversation(replica.endpoint());
        conversation.ask(
                0,
                0,
                new Message.CreateReplica(0, volumeId, volumeName, replica.replicaId(), sizeBytes, 1, new UUID(0, 0)),
                Message.Done.class);
        conversation.close();
    }

    /** What the replica holds; null if its disk {@code mayBeDamaged} and it says so. */
    @Nullable
    Found inspect(ReplicaRecord replica, UUID volumeId, long epoch, long recordVersion, boolean mayBeDamaged) {
        try {
            return inspect(replica, volumeId, epoch, recordVersion);
        } catch (Violation refused) {
            if (mayBeDamaged) {
                return null;
            }
            throw refused;
        }
    }

    private Found inspect(ReplicaRecord replica, UUID volumeId, long epoch, long recordVersion) {
        Conversation conversation = new Conversation(replica.endpoint());
        Message.FenceOk fenced = conversation.ask(
                epoch,
                0,
                new Message.Fence(epoch, engineId, clusterId, volumeId, replica.replicaId(), recordVersion),
                Message.FenceOk.class);
        Message.StatusOk status = conversation.ask(epoch, 1, new Message.Status(), Message.StatusOk.class);
        int blocks = (int) (status.sizeBytes() / BLOCK);
        Map<String, ByteBuffer> contents = new TreeMap<>();
        contents.put("", conversation.read(epoch, LayerId.LIVE, blocks));
        for (Message.Layer layer : status.layers()) {
            if (layer.frozenSequence() != 0 && !layer.removed()) {
                contents.put(layer.name(), conversation.read(epoch, layer.id(), blocks));
            }
        }
        conversation.close();
        return new Found(fenced, status, contents);
    }

    private final class Conversation implements Connection.Handler, Connection.Connector.Result {
        private final String endpoint;
        private final ArrayDeque<Message> answers = new ArrayDeque<>();
        private final Map<Long, ByteBuffer> blocks = new HashMap<>();
        private @Nullable Connection connection;
        private String ended = "";

        Conversation(String endpoint) {
            this.endpoint = endpoint;
            loop.execute(() -> network.connector(process).connect(loop, endpoint, this));
            await(() -> connection != null);
            ask(0, 0, ProtocolVersion.hello(engineId, clusterId, ""), Message.HelloOk.class);
        }

        private void await(java.util.function.BooleanSupplier condition) {
            long limit = scheduler.now() + LIMIT_NANOS;
            while (!condition.getAsBoolean()) {
                if (scheduler.now() > limit || !ended.isEmpty()) {
                    throw new Violation(
                            Violation.Kind.BROKEN,
                            "replica server " + endpoint + " does not answer an inspection: " + ended);
                }
                scheduler.runUntil(scheduler.now() + 200_000);
            }
        }

        private void send(FrameBuffer frame) {
            Connection open = connection;
            if (open != null) {
                open.send(frame);
            } else {
                frame.release();
            }
        }

        <T extends Message> T ask(long epoch, long request, Message message, Class<T> wanted) {
            loop.execute(() -> send(MessageCodec.encode(network.memory().pool(), epoch, request, message)));
            await(() -> answers.stream().anyMatch(wanted::isInstance));
            T found = wanted.cast(
                    answers.stream().filter(wanted::isInstance).findFirst().orElseThrow());
            answers.clear();
            return found;
        }

        ByteBuffer read(long epoch, LayerId layer, int count) {
            ByteBuffer all = ByteBuffer.allocate(count * BLOCK).order(ByteOrder.LITTLE_ENDIAN);
            for (int first = 0; first < count; first += FrameLayout.BLOCKS_MAX) {
                int some = Math.min(FrameLayout.BLOCKS_MAX, count - first);
                long offset = (long) first * BLOCK;
                long request = 1000L + first;
                loop.execute(() -> {
                    FrameBuffer frame = network.memory().pool().acquire(ReadLayout.READ_BYTES);
                    ReadLayout.encodeRead(frame, epoch, request, layer, 0, offset, some * BLOCK);
                    send(frame);
                });
                await(() -> blocks.containsKey(request));
                ByteBuffer answer = blocks.remove(request);
                all.put(first * BLOCK, answer, 0, answer.capacity());
            }
            return all;
        }

        void close() {
            loop.execute(() -> {
                Connection open = connection;
                if (open != null) {
                    open.close();
                }
            });
            scheduler.runUntil(scheduler.now() + 10_000_000);
        }

        @Override
        public Connection.Handler onConnected(Connection opened) {
            connection = opened;
            return this;
        }

        @Override
        public void onFailed(String cause) {
            ended = cause;
        }

        @Override
        public void onFrame(ByteBuffer b, int at, int length) {
            FrameType type = FrameType.of(FrameLayout.type(b, at));
            if (type == FrameType.ACK || type == FrameType.DAMAGE) {
                return;
            }
            if (type != FrameType.READ_OK) {
                Message message = MessageCodec.decode(b, at);
                if (message instanceof Message.Failure failure) {
                    ended = failure.toString();
                }
                answers.add(message);
                return;
            }
            int count = ReadLayout.blockCount(b, at);
            ByteBuffer copy = ByteBuffer.allocate(count * BLOCK).order(ByteOrder.LITTLE_ENDIAN);
            if (FrameLayout.payloadLength(b, at) > 0) {
                copy.put(0, b, at + FrameLayout.headerLength(b, at), count * BLOCK);
                for (int i = 0; i < count; i++) {
                    int crc = io.longhorn.replica.wire.Checksum.block(copy, i * BLOCK);
                    if (crc != ReadLayout.blockCrc(b, at, i)) {
                        ended = "block " + i + " of an answer does not match its checksum";
                        return;
                    }
                }
            }
            blocks.put(FrameLayout.number(b, at), copy);
        }

        @Override
        public void onBatchEnd() {}

        @Override
        public void onClosed(String cause) {
            ended = ended.isEmpty() ? cause : ended;
        }
    }
}
