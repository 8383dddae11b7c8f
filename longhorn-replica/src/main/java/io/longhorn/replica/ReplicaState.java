package io.longhorn.replica;

import io.longhorn.replica.journal.Journal;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.LayerTree;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.layer.PendingBlocks;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.Message.EpochStart;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.replica.wire.StructureOperation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One replica: its place in the volume's history, its layers, and the records that are journaled and not in layers. The metadata, maps and layer files as of the
 * checkpointed sequence, and the journal's newer records: these together are the replica; this object is both, applied. Loop only.
 */
final class ReplicaState implements Journal.Placement {
    /** Zeroes over more blocks than this are kept as a range. */
    private static final int TABLE_ZEROES_MAX = 8;

    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    final ReplicaDisk disk;
    /** Its directory on the disk. */
    final String directory;

    final MetaKeeper keeper;
    final LayerTree tree = new LayerTree();
    final RecordIndex records = new RecordIndex();
    final PendingRepairs repairs = new PendingRepairs();
    final DamageNotes damage = new DamageNotes();
    final Pins pins = new Pins();
    private final List<EpochStart> history = new ArrayList<>();
    private final List<CheckpointWaiter> checkpointWaiters = new ArrayList<>(0);

    private record CheckpointWaiter(long sequence, Runnable task) {}

    /** The connection that has the replica now. */
    @Nullable
    ReplicaSession session;

    private long lastEpoch;
    private long lastSequence;
    private long committed;
    private long durable;
    private long checkpointed;
    /** Everything up to here was read from the journal by the last start, and may be in the layers already. */
    private long recoveredSequence;
    /** Newest start of an epoch whose view has this replica. */
    private long memberSince;

    private long uncheckpointedBytes;
    private long uncheckpointedMapBytes;
    private long acknowledgedNanos;
    private boolean acknowledged;
    /** The uncommitted records are in the parked file only: nothing of them can be read until they are back. */
    private boolean parked;

    private boolean gone;
    /** Its uncommitted tail is being written to the parked file. */
    boolean isParking;
    /** It is leaving its own history for a source's: what it says of itself is about to change. */
    boolean isSwitching;
    /** Whether the disk has it among those that need the journal. */
    boolean isJournaled;

    /** Blocks whose journaled bytes could not be read when they should have gone to a layer. */
    long unreadableBlocks;
    /** Where {@link #placed} finds the frames of the present append. */
    private ByteBuffer appending = ByteBuffer.allocate(0);

    ReplicaState(ReplicaDisk disk, String directory, ReplicaMeta meta) {
        this.disk = disk;
        this.directory = directory;
        this.keeper = new MetaKeeper(
                disk.directory(),
                disk.worker(),
                directory,
                meta,
                cause -> disk.layerChangeFailed("storing metadata of " + this, cause));
        restart(meta);
    }

    /** Starts over from metadata, without any journaled record. */
    void restart(ReplicaMeta from) {
        for (LayerNode node : tree.all()) {
            node.pending().clear();
        }
        tree.load(
                from.layers(),
                from.sizeBytes(),
                (id, sizeBytes) -> disk.layerFiles(directory, from.replicaId(), id, sizeBytes));
        disk.resolved().clear();
        history.clear();
        history.addAll(from.history());
        checkpointed = from.checkpointedSequence();
        lastEpoch = from.epochAt(checkpointed);
        lastSequence = checkpointed;
        committed = from.committedSequence();
        durable = checkpointed;
        memberSince = 0;
        records.startAt(checkpointed + 1);
        repairs.clear();
        damage.clear();
        forgetUncheckpointed();
        parked = false;
    }

    private void forgetUncheckpointed() {
        countUncheckpointed(-uncheckpointedBytes, -uncheckpointedMapBytes);
    }

    private void countUncheckpointed(long bytes, long mapBytes) {
        uncheckpointedBytes += bytes;
        uncheckpointedMapBytes += mapBytes;
        disk.uncheckpointed(this, bytes, mapBytes);
    }

    /** What the maps may grow by when records of these blocks go to a layer: a copy of each page concerned. */
    private static long mapBytes(long firstBlock, int blocks) {
        return blocks == 0
                ? 0
                : (MapPage.pageOf(firstBlock + blocks - 1) - MapPage.pageOf(firstBlock) + 1) * MapPage.BYTES;
    }

    // ------------------------------------------------------------------ identity and marks

    ReplicaMeta meta() {
        return keeper.wanted();
    }

    int slot() {
        return keeper.wanted().slot();
    }

    UUID replicaId() {
        return keeper.wanted().replicaId();
    }

    String volumeName() {
        return keeper.wanted().volumeName();
    }

    long lastEpoch() {
        return lastEpoch;
    }

    long lastSequence() {
        return lastSequence;
    }

    /** The engine has confirmed everything up to here that we have. */
    long committed() {
        return Math.min(committed, lastSequence);
    }

    long durable() {
        return durable;
    }

    /** Everything up to here is in the layer files, durably; the metadata may not say so yet. */
    long checkpointed() {
        return checkpointed;
    }

    long sizeBytes() {
        return tree.sizeBytes();
    }

    long uncheckpointedBytes() {
        return uncheckpointedBytes;
    }

    List<EpochStart> history() {
        return history;
    }

    boolean isMixed() {
        return meta().mixed() != null;
    }

    boolean isUncertain() {
        return meta().uncertain() || meta().damaged();
    }

    boolean isParked() {
        return parked;
    }

    boolean isGone() {
        return gone;
    }

    void markGone() {
        gone = true;
        forgetUncheckpointed();
    }

    void acknowledgedNow(long nanos) {
        acknowledgedNanos = nanos;
        acknowledged = true;
    }

    /** Milliseconds since something was acknowledged to an engine, -1 if nothing was since the start. */
    long quietMillis(long nowNanos) {
        return acknowledged ? Math.max(0, (nowNanos - acknowledgedNanos) / 1_000_000) : -1;
    }

    // ------------------------------------------------------------------ records

    /** Frames in {@code b} are about to be appended for this replica. */
    void appending(ByteBuffer b) {
        appending = b;
    }

    @Override
    public void placed(int frameOffset, long position) {
        take(appending, frameOffset, position);
    }

    /** The rule for what follows: sequences have no gap, and epochs never go back. */
    boolean follows(long epoch, long sequence) {
        return sequence == lastSequence + 1 && epoch >= lastEpoch;
    }

    /** A record of this replica, which follows its last one, is in the journal at that position: it counts. */
    void take(ByteBuffer b, int at, long position) {
        long sequence = RecordLayout.sequence(b, at);
        int length = FrameLayout.frameLength(b, at);
        int type = FrameLayout.type(b, at);
        int flags = FrameLayout.flags(b, at);
        long firstBlock = RecordLayout.offset(b, at) / BLOCK;
        int blocks = (int) (RecordLayout.length(b, at) / BLOCK);
        takeNumbers(b, at);
        int crc = type == FrameType.WRITE.code() ? RecordLayout.blockCrc(b, at, 0) : 0;
        records.add(position, length, type, flags, firstBlock, blocks, crc);
        countUncheckpointed(length, mapBytes(firstBlock, blocks));
        if (type == FrameType.WRITE.code()) {
            takeWrite(b, at, position, sequence, firstBlock, blocks);
        } else if (type == FrameType.WRITE_ZEROES.code() || type == FrameType.DISCARD.code()) {
            takeZeroes(sequence, firstBlock, blocks);
        } else {
            takeStructure(MessageCodec.decodeStructure(b, at), FrameLayout.epoch(b, at), sequence);
        }
    }

    private void takeNumbers(ByteBuffer b, int at) {
        long epoch = FrameLayout.epoch(b, at);
        lastSequence = RecordLayout.sequence(b, at);
        if (epoch != lastEpoch) {
            lastEpoch = epoch;
            history.add(new EpochStart(epoch, lastSequence));
            if (history.size() > Message.HISTORY_MAX) {
                history.remove(0);
            }
        }
        raiseCommitted(RecordLayout.committed(b, at));
    }

    private void takeWrite(ByteBuffer b, int at, long position, long sequence, long firstBlock, int blocks) {
        PendingBlocks pending = tree.head().pending();
        long entry = MapEntry.of(BlockState.DATA, sequence);
        long payload = position + FrameLayout.headerLength(b, at);
        for (int i = 0; i < blocks; i++) {
            pending.put(firstBlock + i, entry, RecordLayout.blockCrc(b, at, i), payload + (long) i * BLOCK);
        }
    }

    private void takeZeroes(long sequence, long firstBlock, int blocks) {
        PendingBlocks pending = tree.head().pending();
        if (blocks > TABLE_ZEROES_MAX) {
            pending.ranges().add(firstBlock, firstBlock + blocks, sequence);
            return;
        }
        long entry = MapEntry.of(BlockState.ZEROED, sequence);
        for (int i = 0; i < blocks; i++) {
            pending.put(firstBlock + i, entry, 0, PendingBlocks.NO_POSITION);
        }
    }

    private void takeStructure(StructureOperation operation, long epoch, long sequence) {
        tree.apply(operation, epoch, sequence);
        if (operation instanceof StructureOperation.BeginEpoch begin
                && begin.members().contains(replicaId())) {
            memberSince = sequence;
        }
    }

    /** A parked record that goes on where the last one ended: it is part of the history, and can be read when it is back in the journal. */
    void takeParked(ByteBuffer b, int at) {
        takeNumbers(b, at);
        parked = true;
    }

    /** The journaled tail is in the parked file now and will be read again from there. Keeps the place in the history. */
    void park() {
        long epoch = lastEpoch;
        long sequence = lastSequence;
        List<EpochStart> starts = List.copyOf(history);
        restart(metaAsOf(checkpointed));
        lastEpoch = epoch;
        lastSequence = sequence;
        durable = sequence;
        history.clear();
        history.addAll(starts);
        parked = true;
    }

    /** Forgets the parked tail, which is about to be appended to the journal again. */
    void unpark() {
        restart(metaAsOf(checkpointed));
    }

    /** Everything up to here is part of the volume's history for ever. */
    void raiseCommitted(long sequence) {
        committed = Math.max(committed, sequence);
    }

    /** The engine says what is confirmed: it names no more than what exists, but perhaps what we do not have yet. */
    void confirmed(long sequence) {
        raiseCommitted(sequence);
        if (holdsAllConfirmed(sequence)) {
            caughtUp(memberSince != 0 && memberSince <= sequence);
        }
    }

    /**
     * The rule for trust after a loss of power: an engine that knows what is confirmed has it all here. Only its own word counts, never the number in a record, which
     * may be older than the record's sending.
     */
    private boolean holdsAllConfirmed(long confirmed) {
        return confirmed <= lastSequence;
    }

    private void caughtUp(boolean isMember) {
        if (isMixed() && !isMember) {
            return;
        }
        if (isUncertain() || isMixed()) {
            keeper.change(keeper.wanted()
                    .change()
                    .certainSequence(ReplicaMeta.CERTAIN)
                    .damaged(false)
                    .mixed(null)
                    .build());
            keeper.store(false, disk::metadataStored);
        }
    }

    /** The journal is on stable storage up to that position. True if more of this replica is durable now. */
    boolean journalDurable(long position) {
        long before = durable;
        while (records.holds(durable + 1) && records.endPosition(durable + 1) <= position) {
            durable++;
        }
        return durable > before;
    }

    long recoveredSequence() {
        return recoveredSequence;
    }

    /** Everything was read. What was found is durable, all of it; what was confirmed beyond it is lost, and says nothing of what may come in its place. */
    void recovered() {
        durable = lastSequence;
        recoveredSequence = lastSequence;
        committed = committed();
    }

    /** The layers are further than the metadata says, because it could not be stored. */
    boolean isAheadOfMetadata() {
        return keeper.stored().checkpointedSequence() < checkpointed;
    }

    boolean hasUndurable() {
        return durable < lastSequence;
    }

    // ------------------------------------------------------------------ checkpoints

    /** The rule for what may go into layers: what is committed, and durable in this replica's own journal. */
    long checkpointLimit() {
        return Math.min(committed(), durable);
    }

    /** Runs {@code task} when everything up to {@code sequence} is in the layers and the metadata says so, now or later. */
    void whenCheckpointed(long sequence, Runnable task) {
        checkpointWaiters.add(new CheckpointWaiter(sequence, task));
        runCheckpointWaiters();
    }

    boolean isCheckpointAwaited() {
        return !checkpointWaiters.isEmpty();
    }

    void runCheckpointWaiters() {
        if (!checkpointWaiters.isEmpty()) {
            long stored = keeper.stored().checkpointedSequence();
            List<CheckpointWaiter> due = new ArrayList<>();
            checkpointWaiters.removeIf(waiter -> waiter.sequence() <= stored && due.add(waiter));
            due.forEach(waiter -> waiter.task().run());
        }
    }

    /** Everything up to {@code sequence} is in the layer files, durably. Returns how many bytes of records that is more than before. */
    long checkpointed(long sequence) {
        long bytes = 0;
        long mapBytes = 0;
        for (long s = Math.max(checkpointed + 1, records.firstSequence()); s <= sequence; s++) {
            bytes += records.frameLength(s);
            mapBytes += mapBytes(records.firstBlock(s), records.blockCount(s));
        }
        checkpointed = sequence;
        countUncheckpointed(-bytes, -mapBytes);
        return bytes;
    }

    /** Oldest journal position that a restart would need; {@link Long#MAX_VALUE} if none. */
    long neededFrom() {
        long next = keeper.stored().checkpointedSequence() + 1;
        long records = this.records.holds(next) ? this.records.position(next) : Long.MAX_VALUE;
        return Math.min(records, repairs.oldestPosition());
    }

    /** Drops what is known of records that the journal no longer has. */
    void journalReleased(long oldestPosition) {
        long first = records.firstSequence();
        long stored = keeper.stored().checkpointedSequence();
        while (first <= stored && records.holds(first) && records.position(first) < oldestPosition) {
            first++;
        }
        records.dropBefore(first);
    }

    private long epochAt(long sequence) {
        long epoch = 0;
        for (EpochStart start : history) {
            if (start.startSequence() <= sequence) {
                epoch = start.epoch();
            }
        }
        return epoch;
    }

    /** What the metadata says once everything up to {@code sequence}, not more, is in the layers. */
    ReplicaMeta metaAsOf(long sequence) {
        List<EpochStart> starts = new ArrayList<>();
        for (EpochStart start : history) {
            if (start.startSequence() <= sequence) {
                starts.add(start);
            }
        }
        return keeper.wanted()
                .change()
                .sizeBytes(tree.sizeAsOf(sequence))
                .checkpointedSequence(sequence)
                .committedSequence(Math.max(sequence, committed()))
                .history(starts)
                .layers(tree.asOf(sequence))
                .build();
    }

    // ------------------------------------------------------------------ recovery

    /** Before the first look-up: a checkpoint that a crash cut off may have torn the map pages of this record's blocks. */
    void expectTorn(long sequence) throws IOException {
        LayerNode node = tree.layerOf(sequence);
        LayerFiles files = node == null ? null : node.files();
        int count = records.blockCount(sequence);
        if (files != null && count > 0) {
            files.map().expectTorn(records.firstBlock(sequence), count);
        }
    }

    /** The same for changes that no record tells of. */
    void expectTornOutsideJournal() {
        for (LayerNode node : tree.all()) {
            LayerNode below = node.parent();
            boolean mayBeUnderWork = isMixed() || node.isRemoved() || (below != null && below.isRemoved());
            LayerFiles files = node.files();
            if (mayBeUnderWork && files != null) {
                files.map().expectTornAnywhere();
            }
        }
    }

    /** For logs. */
    @Override
    public String toString() {
        return volumeName() + "/" + replicaId() + " at " + epochAt(lastSequence) + "-" + lastSequence;
    }
}
