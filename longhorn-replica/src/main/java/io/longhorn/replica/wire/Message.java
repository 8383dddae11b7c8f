package io.longhorn.replica.wire;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The control messages: small, rare, encoded field by field in the order of the record components behind the common header
 * ({@link MessageCodec}). Requests carry a request id, answers repeat it; both stand in the header's number field.
 */
public sealed interface Message {

    FrameType type();

    /**
     * First frame of a connection, engine to replica.
     *
     * @param token shared secret, empty if TLS client certificates identify the engine
     */
    record Hello(int versionMin, int versionMax, long features, UUID engineId, UUID clusterId, String token)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.HELLO;
        }

        @Override
        public String toString() {
            return "Hello[" + versionMin + ".." + versionMax + ", engine " + engineId + ", cluster " + clusterId + "]";
        }
    }

    /**
     * Answer to {@link Hello}: the version and features both sides use from now on.
     *
     * @param replicas replicas this server keeps for all volumes
     * @param bootId identity of the host's present boot
     */
    record HelloOk(int version, long features, UUID serverId, String bootId, int disks, int replicas, long usableBytes)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.HELLO_OK;
        }
    }

    /** Makes an empty replica; an existing one with this id and size is fine, another size is an error. */
    record CreateReplica(
            long epoch,
            UUID volumeId,
            String volumeName,
            UUID replicaId,
            long sizeBytes,
            long recordVersion,
            UUID engineId)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.CREATE_REPLICA;
        }
    }

    /** Deletes a replica that no newer epoch than {@code epoch} was promised to. */
    record DeleteReplica(long epoch, UUID volumeId, UUID replicaId) implements Message {
        @Override
        public FrameType type() {
            return FrameType.DELETE_REPLICA;
        }
    }

    /** Binds this connection to a replica and promises it to an epoch and engine; everything older is refused from the answer on. */
    record Fence(long epoch, UUID engineId, UUID clusterId, UUID volumeId, UUID replicaId, long recordVersion)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.FENCE;
        }
    }

    /** One epoch of a replica's history: records from {@code startSequence} on, up to the next epoch's start, carry it. */
    record EpochStart(long epoch, long startSequence) {}

    /**
     * A replica's state, final for every epoch below the promised one.
     *
     * @param uncertain the replica may have lost records beyond {@code durable} that it acknowledged
     * @param mixed a rebuild was under way: content is that of no moment; {@code commonSequence} is its last trusted point
     * @param quietMillis time since this replica last acknowledged anything to the previous engine, -1 if not since its start
     * @param history oldest first; at most {@link #HISTORY_MAX}
     */
    record FenceOk(
            long promisedEpoch,
            long lastEpoch,
            long lastSequence,
            long journaled,
            long durable,
            long committed,
            boolean uncertain,
            boolean mixed,
            long commonSequence,
            long sizeBytes,
            long creditBytes,
            long quietMillis,
            List<EpochStart> history)
            implements Message {
        public FenceOk {
            history = List.copyOf(history);
        }

        @Override
        public FrameType type() {
            return FrameType.FENCE_OK;
        }
    }

    /** Epochs that a replica remembers; a replica whose last epoch is older than a peer's oldest is rebuilt in full. */
    int HISTORY_MAX = 512;

    /** A request without further answer was carried out, durably if it changed anything. */
    record Done() implements Message {
        @Override
        public FrameType type() {
            return FrameType.DONE;
        }
    }

    /**
     * A request, or with request id 0 the connection's record stream, failed.
     *
     * @param code a code of {@link io.longhorn.ErrorCode}
     * @param first error-specific number, for example the expected sequence
     */
    record Failure(int code, long first, long second, String detail) implements Message {
        @Override
        public FrameType type() {
            return FrameType.ERROR;
        }
    }

    /** Asks for a sign of life; also renews the read lease. {@code sentNanos} is the sender's clock, echoed. */
    record Ping(long epoch, long sentNanos) implements Message {
        @Override
        public FrameType type() {
            return FrameType.PING;
        }
    }

    record Pong(long epoch, long sentNanos) implements Message {
        @Override
        public FrameType type() {
            return FrameType.PONG;
        }
    }

    /** Asks for {@link StatusOk}. */
    record Status() implements Message {
        @Override
        public FrameType type() {
            return FrameType.STATUS;
        }
    }

    /**
     * A replica's layers and space.
     *
     * @param allocatedBytes space that the replica's files take on its disk, journal excluded
     */
    record StatusOk(
            long sizeBytes,
            long lastSequence,
            long committed,
            long checkpointed,
            long allocatedBytes,
            long damagedBlocks,
            List<Layer> layers)
            implements Message {
        public StatusOk {
            layers = List.copyOf(layers);
        }

        @Override
        public FrameType type() {
            return FrameType.STATUS_OK;
        }
    }

    /**
     * One layer. {@code parent} is {@link LayerId#LIVE} for none; {@code frozenSequence} is 0 for the head, else the sequence of the operation
     * that froze it; {@code name} is empty for the head and for residual layers without a name.
     *
     * @param removed the snapshot was deleted; the layer only serves its children, and its labels are dropped
     */
    record Layer(
            LayerId id,
            LayerId parent,
            long frozenSequence,
            String name,
            boolean userMade,
            boolean removed,
            long createdAtMillis,
            long sizeBytes,
            long dataBytes,
            Map<String, String> labels) {
        public Layer {
            // Nobody can ask for a removed snapshot's labels, and the limits of a message count on their absence.
            labels = removed ? Map.of() : Map.copyOf(labels);
        }
    }

    /** How {@link MapQuery} looks. */
    enum MapMode {
        /** The layer (LIVE: the head) with its parents: runs of blocks by state. */
        MERGED(1),
        /** Blocks that may differ between {@code layer} and {@code since}, two points of the tree: runs; state DATA = may differ. */
        CHANGED(2),
        /** Entries of this layer alone whose sequence is greater than {@code sinceSequence}. */
        OWN(3);

        private static final MapMode[] VALUES = values();

        private final int code;

        MapMode(int code) {
            this.code = code;
        }

        public int code() {
            return code;
        }

        /** The mode with that code. */
        public static MapMode of(int code) {
            if (code < MERGED.code || code > OWN.code) {
                throw WireErrors.badField("map mode", code, "1 (merged), 2 (changed) or 3 (own)");
            }
            return VALUES[code - 1];
        }
    }

    /** Asks for a page of the block map, from block {@code fromBlock} up to {@code toBlock} exclusive. */
    record MapQuery(
            MapMode mode, LayerId layer, int pin, LayerId since, long sinceSequence, long fromBlock, long toBlock)
            implements Message {
        @Override
        public FrameType type() {
            return FrameType.MAP_QUERY;
        }
    }

    /** {@code blocks} blocks from {@code firstBlock} on that share a state; {@code sequence} only in mode OWN (then of each single block). */
    record MapRun(long firstBlock, long blocks, BlockState state, long sequence) {}

    /** Runs in ascending order, without gaps in modes MERGED and CHANGED; {@code nextBlock} is where to go on, -1 at the end. */
    record MapPage(long nextBlock, List<MapRun> runs) implements Message {
        /** Runs per page at most. */
        public static final int RUNS_MAX = 1024;

        public MapPage {
            runs = List.copyOf(runs);
        }

        @Override
        public FrameType type() {
            return FrameType.MAP_PAGE;
        }
    }

    /** Asks for journaled records from {@code fromSequence} on. The answers are the records' own frames followed by {@link RecordsOk}. */
    record Records(long fromSequence, int bytesMax) implements Message {
        @Override
        public FrameType type() {
            return FrameType.RECORDS;
        }
    }

    /**
     * Ends the answer to {@link Records}.
     *
     * @param gone the journal no longer holds {@code fromSequence}
     * @param nextSequence first sequence not sent
     */
    record RecordsOk(boolean gone, long nextSequence) implements Message {
        @Override
        public FrameType type() {
            return FrameType.RECORDS_OK;
        }
    }

    /**
     * Starts the rebuild of the replica on this connection. It becomes mixed, durably; drops its records beyond {@code commonSequence};
     * takes over the layer tree (missing layers are made, foreign leaves dropped); then takes records from {@code baseSequence} + 1 on.
     * Entries of its own with a sequence in (commonSequence, baseSequence] count as older than any copy.
     *
     * @param history the source's
     */
    record RebuildBegin(
            long epoch,
            long session,
            long commonSequence,
            long baseSequence,
            long baseEpoch,
            long sizeBytes,
            List<EpochStart> history,
            List<Layer> layers)
            implements Message {
        public RebuildBegin {
            history = List.copyOf(history);
            layers = List.copyOf(layers);
        }

        @Override
        public FrameType type() {
            return FrameType.REBUILD_BEGIN;
        }
    }

    /**
     * Asks a source for {@link LayerBlocksLayout LAYER_BLOCKS}: entries of this layer alone in [fromBlock, toBlock) with a sequence greater
     * than {@code sinceSequence}, or, if {@code blocks} is not empty, exactly those blocks (ABSENT ones too).
     */
    record LayerRead(LayerId layer, long sinceSequence, long fromBlock, long toBlock, List<Long> blocks)
            implements Message {
        public LayerRead {
            blocks = List.copyOf(blocks);
        }

        @Override
        public FrameType type() {
            return FrameType.LAYER_READ;
        }
    }

    /** Target to engine: the LAYER_BLOCKS with this request id was taken in. Flow control of a rebuild. */
    record RebuildProgress(long session, int installed, int skipped) implements Message {
        @Override
        public FrameType type() {
            return FrameType.REBUILD_PROGRESS;
        }
    }

    /** All copied: the target makes everything it has durable, copies and records up to {@code throughSequence}, then answers DONE. */
    record RebuildEnd(long session, long throughSequence) implements Message {
        @Override
        public FrameType type() {
            return FrameType.REBUILD_END;
        }
    }

    /** The registry shows the replica as a member of the view: it is no longer mixed. Answered with DONE once that is durable. */
    record Joined(long session, long recordVersion) implements Message {
        @Override
        public FrameType type() {
            return FrameType.JOINED;
        }
    }

    /**
     * A good copy of a block that failed its check, with its 4096 bytes. Taken only if that layer's entry still has this sequence and
     * CRC, and no newer record covers the block in that layer; answered with DONE either way, once durable.
     */
    record Repair(LayerId layer, long block, long sequence, int crc, byte[] data) implements Message {
        @Override
        public FrameType type() {
            return FrameType.REPAIR;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Repair r
                    && layer.equals(r.layer)
                    && block == r.block
                    && sequence == r.sequence
                    && crc == r.crc
                    && Arrays.equals(data, r.data);
        }

        @Override
        public int hashCode() {
            return Objects.hash(layer, block, sequence, crc, Arrays.hashCode(data));
        }

        @Override
        public String toString() {
            return "Repair[layer " + layer + ", block " + block + ", sequence " + sequence + "]";
        }
    }

    /** Holds a snapshot's blocks while this connection lives, or until {@link Unpin}. LIVE pins every layer (a rebuild). */
    record Pin(int pin, LayerId layer) implements Message {
        @Override
        public FrameType type() {
            return FrameType.PIN;
        }
    }

    record Unpin(int pin) implements Message {
        @Override
        public FrameType type() {
            return FrameType.UNPIN;
        }
    }

    /** Replica to engine, unasked: scrub found a block whose bytes do not match its CRC. */
    record Damage(LayerId layer, long block, long sequence, int crc) implements Message {
        @Override
        public FrameType type() {
            return FrameType.DAMAGE;
        }
    }

    /** Asks for the replicas on the server. */
    record ListReplicas() implements Message {
        @Override
        public FrameType type() {
            return FrameType.LIST_REPLICAS;
        }
    }

    /** A replica on a server. */
    record ReplicaInfo(UUID volumeId, String volumeName, UUID replicaId, long promisedEpoch, long sizeBytes) {}

    record ListReplicasOk(List<ReplicaInfo> replicas) implements Message {
        public ListReplicasOk {
            replicas = List.copyOf(replicas);
        }

        @Override
        public FrameType type() {
            return FrameType.LIST_REPLICAS_OK;
        }
    }

    /** The engine ends its session: everything is committed up to {@code committed} and durable. Answered with DONE. */
    record CloseVolume(long epoch, long committed) implements Message {
        @Override
        public FrameType type() {
            return FrameType.CLOSE_VOLUME;
        }
    }
}
