package io.longhorn.replica;

import io.longhorn.ErrorCode;
import io.longhorn.replica.layer.LayerFiles;
import io.longhorn.replica.layer.LayerNode;
import io.longhorn.replica.layer.MapEntry;
import io.longhorn.replica.layer.MapPage;
import io.longhorn.replica.layer.PendingBlocks;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/** Answers requests about one replica that change nothing of its content. Loop only. */
final class RequestAnswers {
    private static final int SLOTS_EXAMINED_MAX = 8192;

    private final ReplicaDisk disk;
    private final ReplicaState replica;
    private final MapWalk mapWalk;
    private final RebuildSource source;

    RequestAnswers(ReplicaDisk disk, ReplicaState replica) {
        this.disk = disk;
        this.replica = replica;
        mapWalk = new MapWalk(disk, replica);
        source = new RebuildSource(disk, replica);
    }

    Message.StatusOk status() throws IOException {
        long allocated = 0;
        long damaged = replica.unreadableBlocks + replica.damage.count();
        Map<LayerId, Long> journaledBytes = new HashMap<>();
        for (LayerNode node : replica.tree.all()) {
            LayerFiles files = node.files();
            long journaled = journaledData(node) * FrameLayout.BLOCK_BYTES;
            journaledBytes.put(node.id(), journaled);
            allocated += Math.max(0, journaled);
            if (files != null) {
                allocated += files.allocatedBytes();
                damaged += (long) files.map().damagedPages() * MapPage.ENTRIES;
            }
        }
        return new Message.StatusOk(
                replica.sizeBytes(),
                replica.lastSequence(),
                replica.committed(),
                replica.checkpointed(),
                allocated,
                damaged,
                replica.tree.asOf(replica.lastSequence()).stream()
                        .map(layer -> withMore(layer, journaledBytes.getOrDefault(layer.id(), 0L)))
                        .toList());
    }

    private static Message.Layer withMore(Message.Layer layer, long bytes) {
        return new Message.Layer(
                layer.id(),
                layer.parent(),
                layer.frozenSequence(),
                layer.name(),
                layer.userMade(),
                layer.removed(),
                layer.createdAtMillis(),
                layer.sizeBytes(),
                Math.max(0, layer.dataBytes() + bytes),
                layer.labels());
    }

    /**
     * By how many blocks of data the layer grows when what is journaled goes to its files; longer runs of zeroes are left out. If that is much, a part of it is looked at and the
     * rest taken to be like it: each block costs a look into the map.
     */
    static long journaledData(LayerNode node) throws IOException {
        LayerFiles files = node.files();
        PendingBlocks pending = node.pending();
        long slots = pending.slots();
        long examined = Math.min(slots, SLOTS_EXAMINED_MAX);
        long more = 0;
        for (long i = 0; i < examined; i++) {
            int slot = (int) (i * slots / examined);
            long block = pending.block(slot);
            if (block >= 0) {
                boolean hasData = files != null
                        && block < files.map().blocks()
                        && MapEntry.isData(files.map().entry(block));
                more += (MapEntry.isData(pending.entry(slot)) ? 1 : 0) - (hasData ? 1 : 0);
            }
        }
        return examined == 0 ? 0 : more * slots / examined;
    }

    /**
     * The frozen layer of that id.
     *
     * @throws ReplicaRefusal if there is none, or it was removed and the pin does not hold it: it is never read from its parent instead
     */
    LayerNode snapshot(LayerId id, int pin) {
        LayerNode node = replica.tree.find(id);
        if (node == null || node.frozenSequence() == 0) {
            throw new ReplicaRefusal(
                    pin == 0 ? ErrorCode.SNAPSHOT_NOT_FOUND : ErrorCode.PIN_NOT_HELD, "there is no snapshot " + id);
        }
        if (!mayBeRead(node, pin)) {
            throw new ReplicaRefusal(ErrorCode.PIN_NOT_HELD, "snapshot " + id + " was removed and is not pinned");
        }
        return node;
    }

    /** The rule for removed snapshots: only who holds a pin on one may still read it. */
    private boolean mayBeRead(LayerNode node, int pin) {
        return !node.isRemoved() || replica.pins.isHeldBy(pin, node.id());
    }

    Message.MapPage map(Message.MapQuery query) throws IOException {
        LayerNode layer = query.mode() == Message.MapMode.OWN
                ? layer(query.layer())
                : query.layer().isLive() ? replica.tree.head() : snapshot(query.layer(), query.pin());
        LayerNode since = query.since().isLive() ? null : snapshot(query.since(), query.pin());
        return mapWalk.answer(query, layer, since);
    }

    /** Any layer, for a rebuild. */
    private LayerNode layer(LayerId id) {
        LayerNode node = id.isLive() ? replica.tree.head() : replica.tree.find(id);
        if (node == null) {
            throw new ReplicaRefusal(ErrorCode.SNAPSHOT_NOT_FOUND, "there is no layer " + id);
        }
        return node;
    }

    FrameBuffer layerBlocks(Message.LayerRead wanted, long epoch, long request, FramePool pool) throws IOException {
        return source.answer(wanted, epoch, request, pool);
    }

    void pin(Message.Pin pin) {
        LayerId id = pin.layer();
        LayerNode node = id.isLive() ? null : replica.tree.find(id);
        boolean exists = id.isLive() || (node != null && node.frozenSequence() != 0 && !node.isRemoved());
        if (!exists) {
            throw new ReplicaRefusal(ErrorCode.SNAPSHOT_NOT_FOUND, "there is no snapshot " + id);
        }
        if (!replica.pins.pin(pin.pin(), id)) {
            throw new ReplicaRefusal(ErrorCode.SERVER_BUSY, "more than " + Pins.PINS_MAX + " pins");
        }
    }

    /** Sends journaled records from one sequence on, as far as they are there and the answer may be long; returns what ends the answer. */
    Message.RecordsOk records(Message.Records wanted, Connection connection) throws IOException {
        RecordIndex records = replica.records;
        long next = wanted.fromSequence();
        long end = replica.lastSequence() + 1;
        boolean gone = next < end
                && (!records.holds(next)
                        || records.position(next) < disk.journal().oldestPosition());
        int sent = 0;
        while (!gone && next < end && sent < wanted.bytesMax()) {
            int length = records.frameLength(next);
            connection.send(copy(records.position(next), length, connection.pool()));
            sent += length;
            next++;
        }
        return new Message.RecordsOk(gone, next);
    }

    private FrameBuffer copy(long position, int length, FramePool pool) throws IOException {
        FrameBuffer frame = pool.acquire(length);
        ByteBuffer b = frame.bytes();
        try {
            disk.journal().read(position, b.clear().limit(length));
            b.clear();
            RecordLayout.clearStamp(b, 0);
            return frame.length(length);
        } catch (IOException | RuntimeException e) {
            b.clear();
            frame.release();
            throw e;
        }
    }
}
