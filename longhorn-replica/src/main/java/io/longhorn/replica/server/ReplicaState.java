package io.longhorn.replica.server;

import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.Message.EpochStart;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One replica: its place in the volume's history, its layers, and the records that are journaled but not in layers. The state on disk as of the checkpointed
 * sequence ({@link ReplicaMeta}, maps, layer files) and the journal's newer records together are the replica; this object is both, applied. Loop
 * only.
 */
final class ReplicaState {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    final ReplicaDisk owner;
    final String directory;
    final LayerTree tree;
    final RecordIndex records = new RecordIndex();
    final Pins pins = new Pins();
    final BlockLookup lookup = new BlockLookup();
    private final Map<Long, Long> sizeBefore = new HashMap<>();
    private ReplicaMeta meta;

    @Nullable
    ReplicaSession session;

    private long lastEpoch;
    private long lastSequence;
    private long committed;
    private long durable;
    private long checkpointed;
    private long sizeBytes;
    private final List<EpochStart> history = new ArrayList<>();
    private final DurableMarks marks = new DurableMarks();
    /** Bytes of records that are not in layers. */
    private long pendingBytes;

    private long lastAcknowledgedNanos = Long.MIN_VALUE;
    long damagedBlocks;
    boolean checkpointing;

    ReplicaState(ReplicaDisk owner, String directory, ReplicaMeta meta) throws IOException {
        this.owner = owner;
        this.directory = directory;
        this.tree = new LayerTree(owner.directory(), directory, owner.openLayers());
        this.meta = meta;
        restart(meta);
    }

    /** Starts over from what is on disk, without any journaled record. */
    void restart(ReplicaMeta from) throws IOException {
        meta = from;
        tree.load(from.layers());
        history.clear();
        history.addAll(from.history());
        lastEpoch = from.lastEpoch();
        lastSequence = from.checkpointed();
        checkpointed = from.checkpointed();
        committed = Math.max(from.committed(), checkpointed);
        durable = checkpointed;
        sizeBytes = from.sizeBytes();
        records.startAt(checkpointed + 1);
        marks.clear();
        sizeBefore.clear();
        pendingBytes = 0;
    }

    // ------------------------------------------------------------------ identity and marks

    ReplicaMeta meta() {
        return meta;
    }

    int slot() {
        return meta.slot();
    }

    UUID replicaId() {
        return meta.replicaId();
    }

    long lastEpoch() {
        return lastEpoch;
    }

    long lastSequence() {
        return lastSequence;
    }

    long committed() {
        return committed;
    }

    long durable() {
        return durable;
    }

    long checkpointed() {
        return checkpointed;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    long pendingBytes() {
        return pendingBytes;
    }

    List<EpochStart> history() {
        return history;
    }

    void committed(long sequence) {
        committed = Math.max(committed, Math.min(sequence, lastSequence));
    }

    void acknowledgedNow(long nanos) {
        lastAcknowledgedNanos = nanos;
    }

    /** Milliseconds since something was acknowledged to an engine, -1 if nothing was since the start. */
    long quietMillis(long nowNanos) {
        return lastAcknowledgedNanos == Long.MIN_VALUE ? -1 : (nowNanos - lastAcknowledgedNanos) / 1_000_000;
    }

    // ------------------------------------------------------------------ records

    /** A record of this replica is in the journal at that position: it counts. */
    void placed(ByteBuffer b, int at, long position) throws IOException {
        long sequence = RecordLayout.sequence(b, at);
        long epoch = FrameLayout.epoch(b, at);
        int length = FrameLayout.frameLength(b, at);
        int type = FrameLayout.type(b, at);
        long firstBlock = RecordLayout.offset(b, at) / BLOCK;
        int blocks = (int) (RecordLayout.length(b, at) / BLOCK);
        if (epoch != lastEpoch) {
            lastEpoch = epoch;
            history.add(new EpochStart(epoch, sequence));
            if (history.size() > Message.HISTORY_MAX) {
                history.remove(0);
            }
        }
        lastSequence = sequence;
        records.add(position, length, type, firstBlock, blocks);
        marks.add(sequence, position + length);
        pendingBytes += length;
        committed(RecordLayout.committed(b, at));
        LayerNode head = tree.head();
        if (head == null) {
            head = tree.startHead(LayerId.ROOT, sizeBytes);
        }
        if (type == FrameType.WRITE.code()) {
            long payload = position + FrameLayout.headerLength(b, at);
            for (int i = 0; i < blocks; i++) {
                head.pending.put(
                        firstBlock + i,
                        sequence,
                        payload + (long) i * BLOCK,
                        RecordLayout.blockCrc(b, at, i),
                        BlockState.DATA);
            }
        } else if (type == FrameType.DISCARD.code() || type == FrameType.WRITE_ZEROES.code()) {
            for (int i = 0; i < blocks; i++) {
                head.pending.put(firstBlock + i, sequence, -1, Checksum.ZERO_BLOCK, BlockState.ZEROED);
            }
        } else {
            applyStructure(MessageCodec.decodeStructure(b, at), epoch, sequence);
        }
    }

    private void applyStructure(StructureOperation operation, long epoch, long sequence) throws IOException {
        if (operation instanceof StructureOperation.Expand expand) {
            sizeBefore.put(sequence, sizeBytes);
            sizeBytes = expand.sizeBytes();
        }
        tree.apply(operation, epoch, sequence, sizeBytes);
    }

    /** The journal is stable up to that position. */
    void journalDurable(long position) {
        durable = Math.max(durable, marks.durableThrough(position));
    }

    /** Deletes files of layers that are not part of the replica: left by a crash in the middle of a rebuild or removal. */
    void removeOrphans() throws IOException {
        for (String name : owner.directory().list(directory)) {
            boolean known = !name.startsWith("layer-");
            for (LayerNode node : tree.all()) {
                known |= name.startsWith(LayerFiles.baseName(node.id));
            }
            if (!known) {
                owner.directory().delete(directory + "/" + name);
            }
        }
    }

    /** Everything in the journal is stable: what recovery found was settled. */
    void allDurable() {
        durable = lastSequence;
        marks.clear();
    }

    /** Rule: a record may go to a layer when it is committed and durable in this replica's own journal. */
    long checkpointLimit() {
        return Math.min(committed, durable);
    }

    /** Size as of a sequence that is not checkpointed. */
    private long sizeAsOf(long sequence) {
        long size = sizeBytes;
        long nearest = Long.MAX_VALUE;
        for (Map.Entry<Long, Long> change : sizeBefore.entrySet()) {
            if (change.getKey() > sequence && change.getKey() < nearest) {
                nearest = change.getKey();
                size = change.getValue();
            }
        }
        return size;
    }

    private long epochAsOf(long sequence) {
        long epoch = 0;
        for (EpochStart start : history) {
            if (start.startSequence() <= sequence) {
                epoch = start.epoch();
            }
        }
        return epoch;
    }

    private List<EpochStart> historyAsOf(long sequence) {
        List<EpochStart> starts = new ArrayList<>();
        for (EpochStart start : history) {
            if (start.startSequence() <= sequence) {
                starts.add(start);
            }
        }
        return starts;
    }

    // ------------------------------------------------------------------ metadata

    /** What {@code replica.meta} should say once everything up to {@code sequence} is in the layers. */
    ReplicaMeta metaAsOf(long sequence) {
        return new ReplicaMeta(
                meta.clusterId(),
                meta.volumeId(),
                meta.volumeName(),
                meta.replicaId(),
                meta.slot(),
                sizeAsOf(sequence),
                meta.promisedEpoch(),
                meta.promisedEngine(),
                meta.recordVersion(),
                sequence,
                epochAsOf(sequence),
                Math.max(committed, sequence),
                meta.journalFloor(),
                meta.mixed(),
                meta.commonSequence(),
                meta.baseSequence(),
                meta.uncertain(),
                historyAsOf(sequence),
                tree.asOf(sequence));
    }

    /** The metadata as of the checkpointed sequence, with another promise. */
    ReplicaMeta promised(long epoch, UUID engineId, long recordVersion) {
        ReplicaMeta now = metaAsOf(checkpointed);
        return new ReplicaMeta(
                now.clusterId(),
                now.volumeId(),
                now.volumeName(),
                now.replicaId(),
                now.slot(),
                now.sizeBytes(),
                epoch,
                engineId,
                Math.max(recordVersion, now.recordVersion()),
                now.checkpointed(),
                now.lastEpoch(),
                now.committed(),
                now.journalFloor(),
                now.mixed(),
                now.commonSequence(),
                now.baseSequence(),
                now.uncertain(),
                now.history(),
                now.layers());
    }

    /** The metadata as of the checkpointed sequence, with other marks of trust. */
    ReplicaMeta trusted(boolean mixed, boolean uncertain) {
        ReplicaMeta now = metaAsOf(checkpointed);
        return new ReplicaMeta(
                now.clusterId(),
                now.volumeId(),
                now.volumeName(),
                now.replicaId(),
                now.slot(),
                now.sizeBytes(),
                now.promisedEpoch(),
                now.promisedEngine(),
                now.recordVersion(),
                now.checkpointed(),
                now.lastEpoch(),
                now.committed(),
                now.journalFloor(),
                mixed,
                mixed ? now.commonSequence() : 0,
                mixed ? now.baseSequence() : 0,
                uncertain,
                now.history(),
                now.layers());
    }

    /** Makes it durable. Metadata only changes through here, so that two writers never race. */
    void store(ReplicaMeta changed) throws IOException {
        changed.write(owner.directory(), directory);
        meta = changed;
    }

    /** Metadata that work elsewhere made durable. */
    void stored(ReplicaMeta changed) {
        meta = changed;
    }

    /** Everything up to {@code sequence} is in the layers and in the metadata. */
    void checkpointed(long sequence) {
        for (long s = Math.max(checkpointed + 1, records.firstSequence()); s <= sequence; s++) {
            pendingBytes -= records.frameLength(s);
        }
        checkpointed = sequence;
        sizeBefore.keySet().removeIf(changedAt -> changedAt <= sequence);
    }

    /** Oldest journal position that this replica still needs; {@link Long#MAX_VALUE} if none. */
    long neededFrom() {
        long next = checkpointed + 1;
        return records.holds(next) ? records.position(next) : Long.MAX_VALUE;
    }

    // ------------------------------------------------------------------ reading

    /**
     * Fills {@code blocks} blocks of {@code layer} (null: nothing but zeroes) and its parents into {@code target} at {@code dataAt}, and
     * their CRCs at {@code tableAt}.
     *
     * @return -1, or the number of a block whose map is damaged
     */
    long read(@Nullable LayerNode layer, long first, int blocks, ByteBuffer target, int tableAt, int dataAt)
            throws IOException {
        Run run = this.run;
        run.start(target, dataAt);
        for (int i = 0; i < blocks; i++) {
            lookup.merged(layer, first + i);
            if (lookup.damaged) {
                return first + i;
            }
            target.putInt(tableAt + 4 * i, lookup.isData() ? lookup.crc : Checksum.ZERO_BLOCK);
            run.add(lookup, first + i);
        }
        run.end();
        return -1;
    }

    private final Run run = new Run();

    /** Gathers neighbouring blocks that stand one behind the other in one file, so that one read fetches them. */
    private final class Run {
        private ByteBuffer target = ByteBuffer.allocate(0);
        private int at;
        private int pendingBlocks;
        private @Nullable LayerNode layer;
        private long from;
        private boolean zero;

        void start(ByteBuffer into, int dataAt) {
            target = into;
            at = dataAt;
            pendingBlocks = 0;
        }

        void add(BlockLookup found, long block) throws IOException {
            boolean isZero = !found.isData();
            boolean inJournal = found.journalPosition >= 0;
            LayerNode node = inJournal ? null : found.layer;
            long position = inJournal ? found.journalPosition : block * BLOCK;
            boolean continues = pendingBlocks > 0
                    && zero == isZero
                    && (isZero || (layer == node && from + (long) pendingBlocks * BLOCK == position));
            if (!continues) {
                end();
                zero = isZero;
                layer = node;
                from = position;
            }
            pendingBlocks++;
        }

        void end() throws IOException {
            if (pendingBlocks == 0) {
                return;
            }
            int length = pendingBlocks * BLOCK;
            if (zero) {
                for (int i = 0; i < length; i += 8) {
                    target.putLong(at + i, 0);
                }
            } else {
                int limit = target.limit();
                target.limit(at + length).position(at);
                try {
                    if (layer == null) {
                        owner.readJournal(from, target);
                    } else {
                        layer.files.readBlocks(from / BLOCK, target);
                    }
                } finally {
                    target.limit(limit).position(0);
                }
            }
            at += length;
            pendingBlocks = 0;
        }
    }
}
