package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.WrongClusterException;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskMeta;
import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.disk.OpenFiles;
import io.longhorn.replica.disk.RunMarker;
import io.longhorn.replica.disk.SyncFailedException;
import io.longhorn.replica.journal.Journal;
import io.longhorn.replica.journal.JournalListener;
import io.longhorn.replica.layer.BlockReader;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerWork;
import io.longhorn.replica.layer.MapPageCache;
import io.longhorn.replica.layer.ResolvedPages;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One disk of a replica server: its replicas, the journal they share, and the work that moves records into layers. A state machine on one loop; everything that may wait for
 * the disk, reads excepted, runs on its {@link DiskWorker}.
 *
 * <p>A failed sync ends the disk's service until the process starts anew: nothing that it would say could be believed.
 */
public final class ReplicaDisk implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaDisk.class);
    private final DiskDirectory directory;
    private final DiskWorker worker;
    private final Loop loop;
    private final DiskSettings settings;
    private final String bootId;
    private final OpenFiles openFiles;
    private final MapPageCache mapPages;
    private final ResolvedPages resolved;
    private final Journal journal;
    private final BlockReader reader;
    private final LayerChanges changes;
    private final Checkpointer checkpointer;
    private final SnapshotRemoval removal;
    private final TailParking parking;
    private final Scrubber scrubber;
    private final DeletedReplicas deleted;
    private final HostedReplicas replicas = new HostedReplicas();
    private final JournalUse journalUse = new JournalUse();
    private final DiskSpace space;
    private volatile DiskMeta meta;
    private volatile boolean failed;
    private boolean quietTimerSet;
    private boolean retryLogged;
    /** A change of layer files failed although there was room, and no checkpoint has succeeded since. */
    private boolean changeFailed;

    private boolean stopping;
    private @Nullable Runnable stopped;
    private boolean closed;

    private ReplicaDisk(
            DiskDirectory directory,
            DiskWorker worker,
            Loop loop,
            DiskSettings settings,
            String bootId,
            DiskRecovery recovery)
            throws IOException {
        this.directory = directory;
        this.worker = worker;
        this.loop = loop;
        this.settings = settings;
        this.bootId = bootId;
        this.meta = recovery.diskMeta();
        space = new DiskSpace(this);
        openFiles = new OpenFiles(directory, settings.openFilesMax());
        mapPages = new MapPageCache(settings.mapCacheBytes());
        resolved = new ResolvedPages(settings.resolvedCacheBytes());
        for (DiskRecovery.Stored stored : recovery.stored()) {
            replicas.add(new ReplicaState(this, stored.directory(), stored.meta()));
        }
        RecoveredRecords records = new RecoveredRecords(replicas.all());
        journal = Journal.recover(directory, settings.journal(), meta.diskId(), worker, new JournalEvents(), records);
        reader = new BlockReader(journal, resolved);
        changes = new LayerChanges(cause -> layerChangeFailed("a change of layers", cause));
        checkpointer = new Checkpointer(this);
        removal = new SnapshotRemoval(this);
        parking = new TailParking(this);
        scrubber = new Scrubber(this);
        deleted = new DeletedReplicas(this);
        records.finish(recovery.mayHaveLostWrites());
    }

    /**
     * Opens a disk directory that the caller has locked: makes it if it is empty, recovers it if it is not. Loop only; reads the whole journal.
     *
     * @param bootId identity of the host's present boot, empty if unknown
     * @throws io.longhorn.ForeignFileException if the directory holds something else
     * @throws io.longhorn.DamagedFileException if what names the disk is damaged
     */
    // For the server and the simulator; who embeds a server names a directory.
    @SuppressWarnings("exports")
    public static ReplicaDisk open(
            DiskDirectory directory, DiskWorker worker, Loop loop, DiskSettings settings, String bootId)
            throws IOException {
        DiskRecovery recovery = DiskRecovery.of(directory, loop, bootId);
        ReplicaDisk disk = new ReplicaDisk(directory, worker, loop, settings, bootId, recovery);
        // Only now: until every replica has noted what it may have lost, the last run's marker must stay.
        new RunMarker(bootId, false).write(directory, disk.diskId());
        disk.noteWork();
        disk.scrubber.start();
        recovery.leftovers().forEach(disk.deleted::add);
        LOG.info(
                "disk opened: disk={} replicas={} journalBytes={}",
                disk.describe(),
                disk.replicas.all().size(),
                disk.journalUse.uncheckpointedBytes());
        return disk;
    }

    // ------------------------------------------------------------------ replicas

    HostedReplicas hosted() {
        return replicas;
    }

    /** The replica with that id, or null. */
    @Nullable
    ReplicaState find(UUID replicaId) {
        return replicas.find(replicaId);
    }

    Collection<ReplicaState> replicas() {
        return replicas.all();
    }

    /** Whether a replica with that id is here. Any thread. */
    boolean hosts(UUID replicaId) {
        return replicas.hosts(replicaId);
    }

    /** Makes an empty replica and tells {@code outcome} when it is there, durably. */
    void create(UUID clusterId, Message.CreateReplica wanted, ReplicaMaking.Outcome outcome) {
        changes.add(new ReplicaMaking(this, clusterId, wanted, outcome));
    }

    /** The new replica is on the disk. */
    void made(DiskMeta changed, String replicaDirectory, ReplicaMeta made) {
        meta = changed;
        replicas.add(new ReplicaState(this, replicaDirectory, made));
    }

    /** Deletes a replica and runs {@code done} when it is one no longer, durably. Its space comes back behind that. */
    void delete(ReplicaState replica, DiskWorker.Outcome done) {
        replicas.remove(replica);
        replica.markGone();
        journalUse.remove(replica);
        ReplicaSession bound = replica.session;
        if (bound != null) {
            bound.end(ErrorCode.REPLICA_NOT_FOUND, "the replica was deleted");
        }
        changes.add(new ReplicaDeletion(this, replica, done));
    }

    DeletedReplicas deleted() {
        return deleted;
    }

    void requireCluster(UUID clusterId) {
        DiskMeta now = meta;
        if (!now.clusterId().equals(DiskMeta.NO_CLUSTER) && !now.clusterId().equals(clusterId)) {
            throw new WrongClusterException(describe(), clusterId, now.clusterId());
        }
    }

    // ------------------------------------------------------------------ journal

    /** Appends frames of one replica's batch; they count from now on if the answer is DONE. */
    Journal.Appended append(ReplicaState replica, ByteBuffer b, int from, int to) {
        replica.appending(b);
        return journal.append(replica.slot(), b, from, to, replica);
    }

    /** See {@link JournalUse#uncheckpointed}. */
    void uncheckpointed(ReplicaState replica, long bytes, long mapBytes) {
        journalUse.uncheckpointed(replica, bytes, mapBytes);
        if (bytes < 0) {
            space.read();
        }
    }

    /** What the replicas need of the journal. */
    JournalUse journalUse() {
        return journalUse;
    }

    /** Runs {@code task} when the journal is stable up to that position; never, if it fails before. */
    void whenDurable(long position, Runnable task) {
        if (position <= journal.durablePosition()) {
            task.run();
        } else {
            journalUse.await(position, task);
            journal.requestSync();
        }
    }

    private final class JournalEvents implements JournalListener {
        @Override
        public void durable(long position) {
            for (int i = 0; i < journalUse.replicas(); i++) {
                ReplicaState replica = journalUse.replica(i);
                ReplicaSession bound = replica.session;
                if (replica.journalDurable(position) && bound != null) {
                    bound.acknowledge();
                }
                if (replica.isCheckpointAwaited()) {
                    checkpointer.request(replica);
                }
            }
            journalUse.runWaiters(position);
            checkpointIfDue();
        }

        @Override
        public void spaceGrew() {
            space.feedStarving();
        }

        @Override
        public void failed(IOException cause) {
            ReplicaDisk.this.failed(cause);
        }
    }

    /** Nothing on this disk can be trusted any more: everybody is told, and nobody is served until the process starts anew. */
    void failed(IOException cause) {
        if (failed) {
            return;
        }
        failed = true;
        changes.stop();
        journalUse.forgetWaiters();
        LOG.error("disk failed, its replicas are out of service: disk={}", describe(), cause);
        for (ReplicaState replica : replicas.all()) {
            ReplicaSession bound = replica.session;
            if (bound != null) {
                bound.end(ErrorCode.DISK_FAILED, "the disk failed: " + cause.getMessage());
            }
        }
        if (stopping) {
            stopWasCutShort();
        }
    }

    /** Any thread. */
    boolean hasFailed() {
        return failed;
    }

    /** Lets segments go that no replica needs, by what is durable in its metadata. */
    void releaseJournal() {
        if (closed) {
            return;
        }
        long needed = Math.min(journal.appendedPosition(), journalUse.neededFrom());
        long before = journal.oldestPosition();
        journal.release(needed);
        if (journal.oldestPosition() != before) {
            for (ReplicaState replica : replicas.all()) {
                replica.journalReleased(journal.oldestPosition());
            }
        }
        space.feedStarving();
    }

    // ------------------------------------------------------------------ checkpoints

    /** Starts checkpoints when enough waits in the journal, and sees to it that little does not wait for ever. */
    void checkpointIfDue() {
        if (isCheckpointDue()) {
            checkpointNow();
            parking.consider();
        }
        noteWork();
    }

    /** Whether enough waits in the journal. */
    boolean isCheckpointDue() {
        return journalUse.uncheckpointedBytes() >= settings.checkpointBytes() || space.isLooking();
    }

    /** Moves everything that may be moved, and makes the rest movable. */
    void checkpointNow() {
        journal.requestSync();
        checkpointAll();
    }

    private void checkpointAll() {
        for (int i = 0; i < journalUse.replicas(); i++) {
            checkpointer.request(journalUse.replica(i));
        }
    }

    /** Arms the timer that moves what is left when a disk goes quiet. Nothing is armed on a disk that has nothing to move. */
    void noteWork() {
        if (!quietTimerSet && !closed && !failed && journalUse.hasMovable()) {
            quietTimerSet = true;
            loop.schedule(settings.checkpointQuiet().toNanos(), this::quietTime);
        }
    }

    private void quietTime() {
        quietTimerSet = false;
        if (closed || failed) {
            return;
        }
        for (int i = 0; i < journalUse.replicas(); i++) {
            journalUse.replica(i).records.trim();
        }
        whenDurable(journal.appendedPosition(), () -> {
            journal.noteDurable();
            checkpointAll();
        });
        noteWork();
    }

    /** A checkpoint of a replica is over, durably. */
    void checkpointEnded(ReplicaState replica, List<LayerWork> works) {
        retryLogged = false;
        changeFailed = false;
        removal.checkpointed(replica, works);
        replica.runCheckpointWaiters();
    }

    /** Runs {@code task} when everything of the replica up to {@code sequence}, which is committed, is in the layers. */
    void whenCheckpointed(ReplicaState replica, long sequence, Runnable task) {
        replica.whenCheckpointed(sequence, task);
        if (replica.isCheckpointAwaited()) {
            journal.requestSync();
            checkpointer.request(replica);
        }
    }

    /** Metadata was written, or not; then what it should have stored goes with the next write. */
    void metadataStored(@Nullable IOException failure) {
        if (failure == null) {
            releaseJournal();
        }
    }

    /**
     * Something could not be done to layer files. Want of space passes, and may have passed when the failure is told: so a failure on a disk with room is final only if
     * the next attempt fails too. A failed sync always is.
     */
    void layerChangeFailed(String what, IOException cause) {
        boolean wantsSpace = space.isScarce();
        if (cause instanceof SyncFailedException || (!wantsSpace && changeFailed)) {
            failed(cause);
        } else {
            changeFailed |= !wantsSpace;
            logRetry(what, cause);
        }
    }

    private void logRetry(String what, IOException cause) {
        if (!retryLogged) {
            retryLogged = true;
            LOG.warn("tried again later: disk={} what={} cause={}", describe(), what, cause.toString());
        }
        noteWork();
    }

    // ------------------------------------------------------------------ parts

    Loop loop() {
        return loop;
    }

    DiskSpace space() {
        return space;
    }

    /** Nothing is served any more. */
    boolean isOver() {
        return closed || failed;
    }

    DiskDirectory directory() {
        return directory;
    }

    DiskWorker worker() {
        return worker;
    }

    DiskSettings settings() {
        return settings;
    }

    Journal journal() {
        return journal;
    }

    BlockReader reader() {
        return reader;
    }

    ResolvedPages resolved() {
        return resolved;
    }

    OpenFiles openFiles() {
        return openFiles;
    }

    LayerFiles layerFiles(String replicaDirectory, UUID replicaId, LayerId id, long sizeBytes) {
        return new LayerFiles(openFiles, mapPages, replicaDirectory, replicaId, id, sizeBytes);
    }

    LayerChanges changes() {
        return changes;
    }

    Checkpointer checkpointer() {
        return checkpointer;
    }

    SnapshotRemoval removal() {
        return removal;
    }

    TailParking parking() {
        return parking;
    }

    DiskMeta meta() {
        return meta;
    }

    UUID diskId() {
        return meta.diskId();
    }

    String describe() {
        return directory.describe();
    }

    // ------------------------------------------------------------------ end

    /**
     * Ends service: connections are closed, what is committed goes to the layers, files are closed, the run marker says clean. {@code done} runs when that is over, or could not
     * be done. Loop only; repeated calls do nothing.
     */
    public void stop(Runnable done) {
        if (stopping) {
            return;
        }
        stopping = true;
        for (ReplicaState replica : List.copyOf(replicas.all())) {
            ReplicaSession bound = replica.session;
            if (bound != null) {
                bound.end(ErrorCode.SERVER_STOPPING, "the server stops");
            }
        }
        stopped = done;
        if (failed) {
            stopWasCutShort();
            return;
        }
        whenDurable(journal.appendedPosition(), () -> {
            checkpointAll();
            changes.whenIdle(this::finish);
        });
    }

    private void stopWasCutShort() {
        close();
        tellStopped();
    }

    private void tellStopped() {
        Runnable done = stopped;
        stopped = null;
        if (done != null) {
            done.run();
        }
    }

    boolean isStopping() {
        return stopping;
    }

    private void finish() {
        boolean clean = !failed && journal.durablePosition() >= journal.appendedPosition();
        journal.noteDurable();
        worker.run(
                DiskWorker.Lane.JOURNAL_SYNC,
                () -> new RunMarker(bootId, clean).write(directory, diskId()),
                failure -> {
                    if (failure != null) {
                        LOG.warn("run marker could not be written: disk={} cause={}", describe(), failure.toString());
                    }
                    close();
                    tellStopped();
                });
    }

    /** Closes the files at once. The next start finds what a crash leaves, unless {@link #stop} was over. Loop only; repeated calls do nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        stopping = true;
        changes.stop();
        scrubber.stop();
        journal.close();
        try {
            openFiles.close();
        } catch (IOException e) {
            LOG.warn("files could not be closed: disk={} cause={}", describe(), e.toString());
        }
    }
}
