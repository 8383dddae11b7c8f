package io.longhorn.simulator.model;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.RecordLayout;
import io.longhorn.simulator.SimRandom;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * What a replica keeps on its host, whatever happens to its process: a log of records over some content. A power loss cuts the log somewhere
 * behind what was made durable.
 */
final class ModelReplica {
    final UUID volumeId;
    final UUID replicaId;
    private ModelContent base;
    ModelContent content;
    final List<byte[]> log = new ArrayList<>();
    private final List<Message.EpochStart> baseHistory = new ArrayList<>();
    final List<Message.EpochStart> history = new ArrayList<>();
    private long baseSequence;
    private long baseEpoch;
    long last;
    long lastEpoch;
    long durable;
    long committed;
    long promised;
    UUID promisedTo = new UUID(0, 0);
    long promisedVersion;
    boolean uncertain;
    boolean mixed;
    long common;
    long session;

    ModelReplica(UUID volumeId, UUID replicaId, long sizeBytes) {
        this.volumeId = volumeId;
        this.replicaId = replicaId;
        this.base = ModelContent.empty(sizeBytes);
        this.content = base.copy();
    }

    static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    void append(ByteBuffer b, int at, int length) {
        byte[] record = new byte[length];
        b.get(at, record);
        log.add(record);
        apply(buffer(record));
    }

    private void apply(ByteBuffer record) {
        content.apply(record, 0);
        last = RecordLayout.sequence(record, 0);
        lastEpoch = FrameLayout.epoch(record, 0);
        if (history.isEmpty() || history.get(history.size() - 1).epoch() != lastEpoch) {
            history.add(new Message.EpochStart(lastEpoch, last));
        }
        committed = Math.max(committed, RecordLayout.committed(record, 0));
    }

    void losePower(SimRandom random) {
        uncertain = true;
        long kept = durable + (last > durable ? random.below(last - durable + 1) : 0);
        truncate(Math.max(kept, baseSequence));
    }

    private void truncate(long through) {
        if (through >= last) {
            return;
        }
        content = base.copy();
        history.clear();
        history.addAll(baseHistory);
        last = baseSequence;
        lastEpoch = baseEpoch;
        log.removeIf(r -> RecordLayout.sequence(buffer(r), 0) > through);
        for (byte[] record : log) {
            apply(buffer(record));
        }
        durable = Math.min(durable, last);
    }

    void beginRebuild(Message.RebuildBegin begin) {
        mixed = true;
        common = begin.commonSequence();
        session = begin.session();
        truncate(Math.max(common, baseSequence));
        content.rebase(begin);
        last = begin.baseSequence();
        lastEpoch = begin.baseEpoch();
        history.clear();
        history.addAll(begin.history());
        durable = 0;
        takeAsBase();
    }

    /** Everything so far is stable and the log before it gone. */
    void takeAsBase() {
        base = content.copy();
        baseSequence = last;
        baseEpoch = lastEpoch;
        baseHistory.clear();
        baseHistory.addAll(history);
        log.clear();
    }
}
