package io.longhorn.replica;

import io.longhorn.replica.disk.DiskWorker;
import io.longhorn.replica.journal.Journal;
import io.longhorn.replica.wire.FrameLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps volumes without an engine from holding up the journal: records that nobody has confirmed cannot go to layers, so they are copied into a small file of their replica, and
 * come back to the journal when an engine does. Loop only.
 */
final class TailParking {
    private static final Logger LOG = LoggerFactory.getLogger(TailParking.class);

    private final ReplicaDisk disk;

    TailParking(ReplicaDisk disk) {
        this.disk = disk;
    }

    /** The journal fills: parks what holds it up. */
    void consider() {
        long oldest = disk.journal().oldestPosition();
        long middle = oldest + (disk.journal().appendedPosition() - oldest) / 2;
        for (int i = 0; i < disk.journalUse().replicas(); i++) {
            ReplicaState replica = disk.journalUse().replica(i);
            if (isDeadTail(replica) && replica.neededFrom() < middle && !replica.isParking) {
                replica.isParking = true;
                disk.changes().add(ended -> park(replica, ended));
            }
        }
    }

    /** The rule for parking: nobody is there who could confirm the rest, and all that was confirmed is in the layers. */
    private static boolean isDeadTail(ReplicaState replica) {
        return replica.session == null
                && !replica.isGone()
                && !replica.isParked()
                && replica.repairs.isEmpty()
                && replica.committed() < replica.lastSequence()
                && replica.committed() <= replica.keeper.stored().checkpointedSequence()
                && replica.durable() == replica.lastSequence();
    }

    private void park(ReplicaState replica, Runnable ended) {
        if (!isDeadTail(replica)) {
            replica.isParking = false;
            ended.run();
            return;
        }
        int count = (int) (replica.lastSequence() - replica.checkpointed());
        long[] positions = new long[count];
        int[] lengths = new int[count];
        for (int i = 0; i < count; i++) {
            positions[i] = replica.records.position(replica.checkpointed() + 1 + i);
            lengths[i] = replica.records.frameLength(replica.checkpointed() + 1 + i);
        }
        disk.worker()
                .run(
                        DiskWorker.Lane.CHECKPOINT,
                        () -> write(replica, positions, lengths),
                        failure -> written(replica, count, failure, ended));
    }

    private void write(ReplicaState replica, long[] positions, int[] lengths) throws IOException {
        int[] next = {0};
        ParkedTail.write(disk.directory(), replica.directory, replica.replicaId(), target -> {
            if (next[0] == positions.length) {
                return false;
            }
            int i = next[0]++;
            int limit = target.limit();
            target.limit(target.position() + lengths[i]);
            disk.journal().read(positions[i], target);
            target.limit(limit);
            return true;
        });
    }

    private void written(ReplicaState replica, int count, @Nullable IOException failure, Runnable ended) {
        replica.isParking = false;
        if (failure != null) {
            disk.layerChangeFailed("parking of " + replica, failure);
        } else if (isDeadTail(replica)) {
            replica.park();
            LOG.info("uncommitted tail parked: replica={} records={}", replica, count);
            disk.releaseJournal();
        } else {
            delete(replica, deleting -> ended.run());
            return;
        }
        ended.run();
    }

    private void delete(ReplicaState replica, DiskWorker.Outcome outcome) {
        disk.worker()
                .run(DiskWorker.Lane.CHECKPOINT, () -> ParkedTail.delete(disk.directory(), replica.directory), outcome);
    }

    /** Brings a parked tail back to the journal, durably, and deletes its file; {@code outcome} is told at once if there is none. */
    void takeBack(ReplicaState replica, DiskWorker.Outcome outcome) {
        if (!replica.isParked() && !replica.isParking) {
            outcome.done(null);
            return;
        }
        disk.changes().add(ended -> {
            if (!replica.isParked() || replica.isGone()) {
                ended.run();
                outcome.done(null);
                return;
            }
            List<byte[]> frames = new ArrayList<>();
            disk.worker().run(DiskWorker.Lane.CHECKPOINT, () -> read(replica, frames), failure -> {
                if (failure != null) {
                    ended.run();
                    outcome.done(failure);
                } else {
                    append(replica, frames, ended, outcome);
                }
            });
        });
    }

    private void read(ReplicaState replica, List<byte[]> frames) throws IOException {
        try {
            ParkedTail.read(disk.directory(), replica.directory, replica.replicaId(), (b, at) -> {
                byte[] frame = new byte[FrameLayout.frameLength(b, at)];
                b.get(at, frame);
                frames.add(frame);
            });
        } catch (io.longhorn.LonghornException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private void append(ReplicaState replica, List<byte[]> frames, Runnable ended, DiskWorker.Outcome outcome) {
        long bytes = 0;
        for (byte[] frame : frames) {
            bytes += frame.length;
        }
        if (bytes > disk.journal().freeBytes()) {
            disk.releaseJournal();
            ended.run();
            outcome.done(new IOException("the journal has no room for " + bytes + " bytes of parked records"));
            return;
        }
        replica.unpark();
        for (byte[] frame : frames) {
            ByteBuffer b = ByteBuffer.allocateDirect(frame.length).order(ByteOrder.LITTLE_ENDIAN);
            b.put(0, frame);
            if (replica.follows(FrameLayout.epoch(b, 0), io.longhorn.replica.wire.RecordLayout.sequence(b, 0))
                    && disk.append(replica, b, 0, frame.length) != Journal.Appended.DONE) {
                IOException cause = new IOException("the journal took only a part of the parked records");
                disk.failed(cause);
                ended.run();
                outcome.done(cause);
                return;
            }
        }
        disk.whenDurable(
                disk.journal().appendedPosition(),
                () -> delete(replica, failure -> {
                    ended.run();
                    outcome.done(failure);
                }));
    }
}
