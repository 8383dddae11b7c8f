package io.longhorn.replica.server;

import io.longhorn.DiskFullException;
import io.longhorn.ErrorCode;
import io.longhorn.ForeignFileException;
import io.longhorn.LonghornException;
import io.longhorn.MissingFileException;
import io.longhorn.WrongClusterException;
import io.longhorn.replica.DiskDirectory;
import io.longhorn.replica.DiskFile;
import io.longhorn.replica.DiskWorker;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One disk of a replica server: its replicas, the journal they share, and the work that moves records into layers. A state machine on one loop; everything that
 * may wait for the disk runs on its {@link DiskWorker}.
 *
 * <p>A failed sync ends the disk's service until the process starts anew: nothing it would say could be believed.
 */
public final class ReplicaDisk implements Journal.Listener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaDisk.class);
    private static final String REPLICAS = "replicas";
    /** Credit beyond what was used that one volume gets at most. */
    private static final long WINDOW_BYTES_MAX = 4L << 20;

    private static final long SPACE_CHECK_NANOS = 200_000_000;
    private static final int FIRST_SLOT = 1;

    private final DiskDirectory directory;
    private final DiskWorker worker;
    private final Loop loop;
    private final DiskSettings settings;
    private final String bootId;
    private final OpenLayers openLayers;
    /** Written on the loop; other loops look whether a replica is here. */
    private final Map<UUID, ReplicaState> replicas = new ConcurrentHashMap<>();

    private final Map<Integer, ReplicaState> bySlot = new HashMap<>();
    private final Checkpointer checkpointer;
    private final SnapshotRemoval removal;
    private DiskMeta meta;
    private Journal journal;
    private volatile boolean failed;
    private boolean closed;
    private boolean quietTimerSet;
    private long usableBytes;
    private long usableReadNanos;
    private boolean spaceKnown;
    private int nextSlot = FIRST_SLOT;
    private final List<Runnable> whenIdle = new ArrayList<>();

    private ReplicaDisk(
            DiskDirectory directory,
            DiskWorker worker,
            Loop loop,
            DiskSettings settings,
            String bootId,
            DiskMeta meta) {
        this.directory = directory;
        this.worker = worker;
        this.loop = loop;
        this.settings = settings;
        this.bootId = bootId;
        this.meta = meta;
        this.openLayers = new OpenLayers(settings);
        this.checkpointer = new Checkpointer(this);
        this.removal = new SnapshotRemoval(this);
        this.journal = new Journal(directory, settings, meta.diskId(), worker, this);
    }

    /**
     * Opens a disk directory that the caller has locked: makes it if it is empty, recovers it if it is not. Loop only; reads the whole
     * journal.
     *
     * @param bootId identity of the host's present boot, empty if unknown
     * @throws ForeignFileException if the directory holds something else
     */
    public static ReplicaDisk open(
            DiskDirectory directory, DiskWorker worker, Loop loop, DiskSettings settings, String bootId)
            throws IOException {
        DiskMeta meta;
        boolean uncertain = false;
        if (directory.exists(DiskMeta.NAME)) {
            meta = DiskMeta.read(directory);
            if (meta.segmentBytes() != settings.segmentBytes()) {
                throw new IllegalArgumentException("disk " + directory.describe() + " has journal segments of "
                        + meta.segmentBytes() + " bytes, not " + settings.segmentBytes());
            }
            uncertain = mayHaveLostWrites(directory, bootId);
        } else {
            requireEmpty(directory);
            UUID id = new UUID(loop.nextRandomLong(), loop.nextRandomLong());
            meta = new DiskMeta(id, DiskMeta.NO_CLUSTER, settings.segmentBytes());
            meta.write(directory);
        }
        ReplicaDisk disk = new ReplicaDisk(directory, worker, loop, settings, bootId, meta);
        disk.recover(uncertain);
        new RunMark(bootId, false).write(directory);
        return disk;
    }

    /** Rule: without a clean stop, on another boot or an unknown one, acknowledged records may be gone. */
    private static boolean mayHaveLostWrites(DiskDirectory directory, String bootId) throws IOException {
        RunMark mark;
        try {
            mark = RunMark.read(directory);
        } catch (MissingFileException e) {
            LOG.warn("run mark is missing, taking the worse case: disk={}", directory.describe());
            return true;
        }
        return !mark.clean() && (bootId.isEmpty() || !mark.bootId().equals(bootId));
    }

    private static void requireEmpty(DiskDirectory directory) throws IOException {
        for (String name : directory.list("")) {
            if (!name.equals("lock") && !name.startsWith(DiskMeta.NAME) && !name.equals("lost+found")) {
                throw new ForeignFileException(
                        Path.of(directory.describe()), "Longhorn disk directory (it holds " + name + ")");
            }
        }
    }

    // ------------------------------------------------------------------ recovery

    private void recover(boolean uncertain) throws IOException {
        directory.createDirectories(REPLICAS);
        for (String name : directory.list(REPLICAS)) {
            String path = REPLICAS + "/" + name;
            if (!directory.exists(path + "/" + ReplicaMeta.NAME)) {
                LOG.warn("replica directory without metadata, left alone: disk={} replica={}", describe(), name);
                continue;
            }
            try {
                ReplicaMeta stored = ReplicaMeta.read(directory, path);
                host(new ReplicaState(this, path, stored));
            } catch (LonghornException e) {
                LOG.error(
                        "replica cannot be read, left alone: disk={} replica={} cause={}",
                        describe(),
                        name,
                        e.getMessage());
            }
        }
        Recovery recovery = new Recovery();
        journal.recover(recovery);
        if (recovery.failure != null) {
            throw recovery.failure;
        }
        for (ReplicaState replica : replicas.values()) {
            replica.allDurable();
            replica.removeOrphans();
            if ((uncertain || recovery.damaged) && !replica.meta().uncertain()) {
                replica.store(replica.trusted(replica.meta().mixed(), true));
            }
        }
        scheduleQuietCheckpoint();
    }

    private final class Recovery implements Journal.RecoverySink {
        boolean damaged;

        @Nullable
        IOException failure;

        @Override
        public void record(long position, ByteBuffer b, int at) {
            ReplicaState replica = bySlot.get(FrameLayout.slot(b, at));
            if (replica == null
                    || position < replica.meta().journalFloor()
                    || RecordLayout.sequence(b, at) != replica.lastSequence() + 1) {
                return;
            }
            try {
                replica.placed(b, at, position);
            } catch (IOException e) {
                failure = e;
            }
        }

        @Override
        public void damaged(long position, String reason) {
            damaged = true;
            LOG.error("journal is damaged: disk={} position={} reason={}", describe(), position, reason);
        }
    }

    private void host(ReplicaState replica) {
        replicas.put(replica.replicaId(), replica);
        bySlot.put(replica.slot(), replica);
        nextSlot = Math.max(nextSlot, replica.slot() + 1);
    }

    // ------------------------------------------------------------------ replicas

    /** The replica with that id, or null. */
    @Nullable
    ReplicaState find(UUID replicaId) {
        return replicas.get(replicaId);
    }

    /** Whether a replica with that id is here. Any thread. */
    public boolean hosts(UUID replicaId) {
        return replicas.containsKey(replicaId);
    }

    Collection<ReplicaState> replicas() {
        return replicas.values();
    }

    /** Makes an empty replica; durable when it returns. */
    void create(UUID clusterId, Message.CreateReplica wanted) throws IOException {
        ReplicaState present = replicas.get(wanted.replicaId());
        if (present != null) {
            if (!present.meta().volumeId().equals(wanted.volumeId()) || present.sizeBytes() != wanted.sizeBytes()) {
                throw new ReplicaRefusal(
                        ErrorCode.REPLICA_EXISTS,
                        "replica " + wanted.replicaId() + " exists with " + present.sizeBytes() + " bytes");
            }
            return;
        }
        if (availableBytes() < FrameLayout.RECORD_BYTES_MAX) {
            throw new DiskFullException(describe(), FrameLayout.RECORD_BYTES_MAX, availableBytes());
        }
        stamp(clusterId);
        String path = REPLICAS + "/" + wanted.volumeName() + "-"
                + wanted.replicaId().toString().substring(0, 8);
        directory.createDirectories(path);
        directory.syncDirectory(REPLICAS);
        ReplicaMeta made = new ReplicaMeta(
                clusterId,
                wanted.volumeId(),
                wanted.volumeName(),
                wanted.replicaId(),
                nextSlot,
                wanted.sizeBytes(),
                wanted.epoch(),
                wanted.engineId(),
                wanted.recordVersion(),
                0,
                0,
                0,
                journal.appendedPosition(),
                false,
                0,
                0,
                false,
                List.of(),
                List.of());
        made.write(directory, path);
        host(new ReplicaState(this, path, made));
        LOG.info("replica created: disk={} volume={} replica={}", describe(), wanted.volumeName(), wanted.replicaId());
    }

    /** The disk belongs to the cluster that uses it first. */
    void stamp(UUID clusterId) throws IOException {
        if (meta.clusterId().equals(DiskMeta.NO_CLUSTER)) {
            DiskMeta stamped = meta.stampedWith(clusterId);
            stamped.write(directory);
            meta = stamped;
        }
        requireCluster(clusterId);
    }

    void requireCluster(UUID clusterId) {
        if (!meta.clusterId().equals(DiskMeta.NO_CLUSTER) && !meta.clusterId().equals(clusterId)) {
            throw new WrongClusterException(describe(), clusterId, meta.clusterId());
        }
    }

    /** Deletes a replica and its files. */
    void delete(ReplicaState replica) throws IOException {
        replicas.remove(replica.replicaId());
        bySlot.remove(replica.slot());
        checkpointer.forget(replica);
        if (replica.session != null) {
            replica.session.closeBecause("the replica was deleted");
        }
        // The metadata goes first: without it the rest is nobody's.
        directory.delete(replica.directory + "/" + ReplicaMeta.NAME);
        directory.syncDirectory(replica.directory);
        for (LayerNode node : replica.tree.all()) {
            node.files.delete();
        }
        for (String left : directory.list(replica.directory)) {
            directory.delete(replica.directory + "/" + left);
        }
        directory.delete(replica.directory);
        directory.syncDirectory(REPLICAS);
        releaseJournal();
    }

    // ------------------------------------------------------------------ journal

    /** Appends frames of one replica's batch; they count from now on. False: the journal is full or has failed. */
    boolean append(ReplicaState replica, ByteBuffer b, int from, int to) {
        return journal.append(replica.slot(), b, from, to, (at, position) -> {
                    try {
                        replica.placed(b, at, position);
                    } catch (IOException e) {
                        failed(e);
                    }
                })
                && !failed;
    }

    void requestSync() {
        journal.requestSync();
    }

    void readJournal(long position, ByteBuffer target) throws IOException {
        journal.read(position, target);
    }

    DiskFile journalFile(long position) {
        return journal.fileOf(position);
    }

    long journalOffset(long position) {
        return journal.offsetOf(position);
    }

    long journalPosition() {
        return journal.appendedPosition();
    }

    long oldestJournalPosition() {
        return journal.oldestPosition();
    }

    @Override
    public void durable(long position) {
        for (ReplicaState replica : replicas.values()) {
            long before = replica.durable();
            replica.journalDurable(position);
            if (replica.durable() > before && replica.session != null) {
                replica.session.acknowledge();
            }
        }
        checkpointIfDue();
    }

    @Override
    public void failed(IOException cause) {
        if (failed) {
            return;
        }
        failed = true;
        LOG.error("disk failed, its replicas are out of service: disk={} cause={}", describe(), cause.toString());
        for (ReplicaState replica : replicas.values()) {
            if (replica.session != null) {
                replica.session.diskFailed(cause);
            }
        }
    }

    boolean hasFailed() {
        return failed;
    }

    /** Lets segments go that no replica needs. */
    void releaseJournal() {
        long needed = journal.appendedPosition();
        for (ReplicaState replica : replicas.values()) {
            needed = Math.min(needed, replica.neededFrom());
        }
        journal.release(needed);
        for (ReplicaState replica : replicas.values()) {
            RecordIndex records = replica.records;
            while (records.holds(records.firstSequence())
                    && records.firstSequence() <= replica.checkpointed()
                    && records.position(records.firstSequence()) < journal.oldestPosition()) {
                records.dropBefore(records.firstSequence() + 1);
            }
        }
    }

    // ------------------------------------------------------------------ checkpoints

    /** Starts a checkpoint when enough waits in the journal. */
    void checkpointIfDue() {
        long pending = 0;
        for (ReplicaState replica : replicas.values()) {
            pending += replica.pendingBytes();
        }
        if (pending >= settings.checkpointBytes() || journal.usedSegments() * 2 > settings.segmentsMax()) {
            checkpointer.request(replicas.values());
        }
        scheduleQuietCheckpoint();
    }

    /** What waits goes to the layers after a while even if it is little. */
    void scheduleQuietCheckpoint() {
        if (quietTimerSet || closed || failed || !hasPending()) {
            return;
        }
        quietTimerSet = true;
        loop.schedule(settings.checkpointQuietNanos(), () -> {
            quietTimerSet = false;
            if (!closed && !failed) {
                journal.requestSync();
                checkpointer.request(replicas.values());
                scheduleQuietCheckpoint();
            }
        });
    }

    private boolean hasPending() {
        for (ReplicaState replica : replicas.values()) {
            if (replica.lastSequence() > replica.checkpointed() && replica.committed() > replica.checkpointed()) {
                return true;
            }
        }
        return false;
    }

    /** Runs {@code task} when everything that may be checkpointed is. */
    void afterCheckpoint(ReplicaState replica, Runnable task) {
        whenIdle.add(task);
        journal.requestSync();
        checkpointer.request(replica);
        if (checkpointer.isIdle()) {
            checkpointsDone();
        }
    }

    void checkpointsDone() {
        if (!whenIdle.isEmpty() && checkpointer.isIdle()) {
            List<Runnable> due = new ArrayList<>(whenIdle);
            whenIdle.clear();
            due.forEach(Runnable::run);
        }
    }

    void checkpointFailed() {
        spaceKnown = false;
    }

    /** Makes metadata durable, in order with all other metadata of the disk; {@code stored} runs when it is. */
    void store(ReplicaState replica, ReplicaMeta changed, Consumer<ReplicaMeta> stored) {
        replica.stored(changed);
        worker.run(DiskWorker.Lane.JOURNAL_SYNC, () -> changed.write(directory, replica.directory), failure -> {
            if (failure != null) {
                failed(failure);
            } else if (!failed) {
                stored.accept(changed);
            }
        });
    }

    SnapshotRemoval removal() {
        return removal;
    }

    Checkpointer checkpointer() {
        return checkpointer;
    }

    // ------------------------------------------------------------------ space

    /** Free space that block data may use. */
    long availableBytes() {
        long now = loop.nanoTime();
        if (!spaceKnown || now - usableReadNanos > SPACE_CHECK_NANOS) {
            try {
                usableBytes = directory.usableBytes();
            } catch (IOException e) {
                LOG.warn("free space cannot be told: disk={} cause={}", describe(), e.toString());
                usableBytes = 0;
            }
            usableReadNanos = now;
            spaceKnown = true;
        }
        return usableBytes - settings.reserveBytes();
    }

    /**
     * Rule: what is granted must fit into the journal and, once checkpointed, on the disk, whatever else was granted.
     *
     * @param outstanding credit the volume has and did not use
     * @return credit it may have beyond what it used
     */
    long window(long outstanding) {
        long others = -outstanding;
        long pending = 0;
        int sessions = 0;
        for (ReplicaState replica : replicas.values()) {
            pending += replica.pendingBytes();
            if (replica.session != null) {
                others += replica.session.outstandingCredit();
                sessions++;
            }
        }
        long journalRoom = journal.freeBytes() - others;
        long diskRoom = availableBytes() - others - pending;
        long share = Math.min(journalRoom, diskRoom) / (2L * Math.max(1, sessions));
        long room = Math.min(journalRoom, diskRoom);
        if (room < FrameLayout.RECORD_BYTES_MAX) {
            return outstanding;
        }
        return Math.max(outstanding, Math.max(FrameLayout.RECORD_BYTES_MAX, Math.min(share, WINDOW_BYTES_MAX)));
    }

    /** Whether it is the disk, not the journal, that has no room. */
    boolean isFull() {
        long pending = 0;
        for (ReplicaState replica : replicas.values()) {
            pending += replica.pendingBytes();
        }
        return availableBytes() - pending < FrameLayout.RECORD_BYTES_MAX;
    }

    // ------------------------------------------------------------------ for the server

    Loop loop() {
        return loop;
    }

    DiskDirectory directory() {
        return directory;
    }

    DiskWorker worker() {
        return worker;
    }

    OpenLayers openLayers() {
        return openLayers;
    }

    DiskSettings settings() {
        return settings;
    }

    String bootId() {
        return bootId;
    }

    /** The cluster the disk belongs to; {@link DiskMeta#NO_CLUSTER} if to none yet. */
    UUID clusterId() {
        return meta.clusterId();
    }

    UUID diskId() {
        return meta.diskId();
    }

    String describe() {
        return directory.describe();
    }

    /**
     * Ends service: connections are closed, what is committed goes to the layers, files are closed, the run mark says clean. {@code done} is told
     * when that is over. Loop only.
     */
    public void stop(Runnable done) {
        for (ReplicaState replica : replicas.values()) {
            if (replica.session != null) {
                replica.session.closeBecause("the server stops");
            }
        }
        if (failed) {
            closed = true;
            done.run();
            return;
        }
        journal.requestSync();
        worker.run(DiskWorker.Lane.JOURNAL_SYNC, () -> {}, synced -> {
            whenIdle.add(() -> finish(done));
            checkpointer.request(replicas.values());
            if (checkpointer.isIdle()) {
                checkpointsDone();
            }
        });
    }

    private void finish(Runnable done) {
        closed = true;
        boolean everythingDurable = journal.durablePosition() >= journal.appendedPosition();
        worker.run(
                DiskWorker.Lane.JOURNAL_SYNC,
                () -> {
                    if (everythingDurable && !failed) {
                        new RunMark(bootId, true).write(directory);
                    }
                },
                failure -> {
                    close();
                    done.run();
                });
    }

    /** Closes the files at once, without the clean mark unless {@link #stop} set it. */
    @Override
    public void close() {
        closed = true;
        try {
            openLayers.closeAll();
            journal.close();
        } catch (IOException e) {
            LOG.warn("files could not be closed: disk={} cause={}", describe(), e.toString());
        }
    }
}
