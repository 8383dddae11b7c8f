package io.longhorn.engine;

import io.longhorn.ErrorCode;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.Loop;
import io.longhorn.replica.wire.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Makes or deletes a replica on a server without opening the volume: connects, makes and fences it as epoch 0, or deletes it, and leaves. Loop only
 * after the start.
 */
final class ReplicaMaking implements ReplicaLink.Owner {
    private final CompletableFuture<String> result = new CompletableFuture<>();
    private final Loop loop;
    private final boolean delete;
    private final long epoch;
    private final VolumeRecord record;
    private @Nullable ReplicaLink link;
    private final List<String> troubles = new ArrayList<>();

    /**
     * How long it may take.
     *
     * @param greetingNanos until the server has greeted back: one that is not there shows soon
     * @param workNanos until all is done: the server's disk may be slow
     */
    record Limits(long greetingNanos, long workNanos) {}

    private ReplicaMaking(Loop loop, VolumeRecord record, boolean delete, long epoch) {
        this.loop = loop;
        this.record = record;
        this.delete = delete;
        this.epoch = epoch;
    }

    /** Empty text: the replica is there; else why not. */
    static CompletionStage<String> make(
            Loop loop,
            Connection.Connector connector,
            Registry registry,
            String token,
            VolumeRecord record,
            ReplicaRecord replica,
            Limits limits) {
        return new ReplicaMaking(loop, record, false, 0).run(connector, registry, token, replica, limits);
    }

    /** Empty text: the replica is gone; else why not. */
    static CompletionStage<String> delete(
            Loop loop,
            Connection.Connector connector,
            Registry registry,
            String token,
            VolumeRecord record,
            ReplicaRecord replica,
            Limits limits) {
        return new ReplicaMaking(loop, record, true, record.epoch() + 1)
                .run(connector, registry, token, replica, limits);
    }

    private CompletionStage<String> run(
            Connection.Connector connector, Registry registry, String token, ReplicaRecord replica, Limits limits) {
        loop.execute(() -> {
            ReplicaLink made = new ReplicaLink(
                    loop,
                    connector,
                    this,
                    new ReplicaLink.Identity(VolumeRecord.NO_ENGINE, registry.clusterId(), record.volumeId(), token),
                    replica,
                    limits.workNanos());
            link = made;
            if (delete) {
                made.deleteInstead();
            } else {
                made.createFirst(record.name(), record.sizeBytes());
            }
            made.start(epoch, delete ? record.version() + 1 : 0);
            loop.schedule(limits.greetingNanos(), () -> {
                if (!made.isGreeted()) {
                    over(noAnswer(limits.greetingNanos()));
                }
            });
            loop.schedule(limits.workNanos(), () -> over(noAnswer(limits.workNanos())));
        });
        return result;
    }

    private String noAnswer(long afterNanos) {
        return "no answer within " + afterNanos / 1_000_000 + " ms " + troubles;
    }

    private void over(String outcome) {
        if (result.complete(outcome) && link != null) {
            link.stop();
        }
    }

    @Override
    public void onFenced(ReplicaLink fenced, Message.FenceOk state) {
        over("");
    }

    @Override
    public void onDeleted(ReplicaLink deleted) {
        over("");
    }

    @Override
    public void onRefused(ReplicaLink refused, Message.Failure failure) {
        boolean gone = delete && failure.code() == ErrorCode.REPLICA_NOT_FOUND.number();
        over(gone ? "" : "refused with code " + failure.code() + ": " + failure.detail());
    }

    @Override
    public void onUnreachable(ReplicaLink unreachable, String cause) {
        over(cause);
    }

    @Override
    public void onAcknowledged(ReplicaLink acknowledged) {}

    @Override
    public void onLost(ReplicaLink lost, String cause) {
        troubles.add(cause);
    }

    @Override
    public void onRecord(ReplicaLink from, ByteBuffer b, int at) {}

    @Override
    public void onDamage(ReplicaLink from, Message.Damage damage) {}
}
