package io.longhorn.engine;

import io.longhorn.DamagedBlockException;
import io.longhorn.ErrorCode;
import io.longhorn.LonghornException;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.TimeLimitException;
import io.longhorn.VolumeFaultedException;
import io.longhorn.replica.wire.Checksum;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import io.longhorn.replica.wire.ReadLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads from one replica of the view, checks every block against its checksum, goes to another replica when one fails, and has bad blocks repaired.
 * An answer reaches the caller only when everything it may show is confirmed, and only under a lease that was valid after the read was
 * asked for. Engine loop only.
 */
final class ReadPath {
    private static final Logger LOG = LoggerFactory.getLogger(ReadPath.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Reads kept for use again. */
    private static final int SPARES_MAX = 256;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    /** Ticks between two attempts to renew the lease for reads that wait for it. */
    private static final int PING_TICKS = 3;

    private final EngineCore core;
    /** Parts without a replica to ask. */
    private final List<Part> unsent = new ArrayList<>();
    /** Answers that show operations which are not confirmed. */
    private final List<Read> held = new ArrayList<>();
    /** Answers without a valid lease. */
    private final List<Read> withoutLease = new ArrayList<>();
    /** Reads kept back by the volume's limits. */
    private final List<Read> throttled = new ArrayList<>();

    /** Reads that ended, to be used again. */
    private final ArrayDeque<Read> spares = new ArrayDeque<>();

    private int partsOutstanding;
    private boolean pinging;
    private long pingNanos;
    private long pingWallMillis;
    private int ticksSincePing;

    ReadPath(EngineCore core) {
        this.core = core;
    }

    /** Reads {@code target}'s remaining bytes, any offset, of the volume or of a snapshot; its position does not move. */
    void read(LayerId layer, int pin, long offset, ByteBuffer target, Completion done) {
        LonghornException over = core.failure();
        if (over != null) {
            done.done(over);
            return;
        }
        Read spare = spares.poll();
        Read read = spare == null ? new Read(true) : spare;
        read.begin(layer, pin, offset, target.remaining(), target, target.position(), true, done);
        if (core.requests.limiter().admits(read.length)) {
            start(read);
        } else {
            throttled.add(read);
        }
        core.armTick();
    }

    /** For an answer that is no block's content: {@code done} is told when all that it may show of these blocks is confirmed, and this engine is the one to tell it. */
    void settle(long firstBlock, long endBlock, Completion done) {
        settle(core.window.newestOverlap(firstBlock, endBlock, core.committed()), done);
    }

    /** The same for an answer that shows the volume's snapshots as they are now. */
    void settleStructure(Completion done) {
        settle(core.sequencer.lastStructureSequence(), done);
    }

    private void settle(long showsThrough, Completion done) {
        LonghornException over = core.failure();
        if (over != null) {
            done.done(over);
            return;
        }
        Read nothing = new Read(false);
        nothing.begin(LayerId.LIVE, 0, 0, 0, NOTHING, 0, true, done);
        nothing.showsThrough = showsThrough;
        nothing.arrived();
        core.armTick();
    }

    /** Reads the blocks that the request needs in their present state, sequenced operations included, and goes on with it. */
    void readOld(Request request) {
        boolean compare = request.kind == Request.Kind.COMPARE_AND_WRITE;
        long first = request.firstBlock();
        long last = request.endBlock() - 1;
        int blocks = compare ? (int) (last - first + 1) : 2;
        ByteBuffer old = ByteBuffer.allocate(blocks * BLOCK);
        List<Read> needed = new ArrayList<>(2);
        Completion each = new Completion() {
            private int left;
            private @Nullable LonghornException failure;

            @Override
            public void done(@Nullable LonghornException cause) {
                left++;
                failure = failure == null ? cause : failure;
                if (left == needed.size()) {
                    request.old = old;
                    if (compare && failure == null) {
                        compare(request, old);
                    }
                    core.requests.oldContentRead(request, failure);
                }
            }
        };
        if (compare) {
            needed.add(readOld(first, blocks, old, 0, true, each));
        } else {
            if (request.startsInsideBlock() || (first == last && request.endsInsideBlock())) {
                needed.add(readOld(first, 1, old, 0, false, each));
            }
            if (request.endsInsideBlock() && last != first) {
                needed.add(readOld(last, 1, old, BLOCK, false, each));
            }
        }
        for (Read read : needed) {
            start(read);
        }
        core.armTick();
    }

    private Read readOld(long block, int blocks, ByteBuffer old, int at, boolean mustBeConfirmed, Completion done) {
        Read read = new Read(false);
        read.begin(LayerId.LIVE, 0, block * BLOCK, blocks * BLOCK, old, at, mustBeConfirmed, done);
        return read;
    }

    private static void compare(Request request, ByteBuffer old) {
        ByteBuffer expected = request.expected;
        if (expected == null) {
            throw new IllegalStateException("compare without expectation");
        }
        int from = (int) (request.offset % BLOCK);
        int at = old.slice(from, (int) request.length)
                .mismatch(expected.slice(expected.position(), (int) request.length));
        request.mismatch = at;
    }

    private void start(Read read) {
        long first = read.offset / BLOCK;
        long end = (read.offset + read.length + BLOCK - 1) / BLOCK;
        read.parts = (int) ((end - first + FrameLayout.BLOCKS_MAX - 1) / FrameLayout.BLOCKS_MAX);
        if (read.parts == 0) {
            read.arrived();
            return;
        }
        for (long block = first; block < end; block += FrameLayout.BLOCKS_MAX) {
            Part part = block == first ? read.firstPart : new Part(read);
            part.begin(block, (int) Math.min(FrameLayout.BLOCKS_MAX, end - block));
            part.send();
        }
    }

    boolean isWaiting() {
        return partsOutstanding > 0
                || !unsent.isEmpty()
                || !held.isEmpty()
                || !withoutLease.isEmpty()
                || !throttled.isEmpty();
    }

    /** Operations up to {@code committed} are confirmed: answers that waited for them may go. */
    void confirmed(long committed) {
        for (int i = 0; i < held.size(); ) {
            Read read = held.get(i);
            if (read.showsThrough <= committed) {
                held.remove(i);
                deliverUnderLease(read);
            } else {
                i++;
            }
        }
    }

    /** A replica can be asked again. */
    void sourceReturned() {
        if (!unsent.isEmpty()) {
            List<Part> again = new ArrayList<>(unsent);
            unsent.clear();
            again.forEach(Part::send);
        }
    }

    void tick(boolean leaseAwaited) {
        sourceReturned();
        List<Read> again = new ArrayList<>(throttled);
        throttled.clear();
        for (Read read : again) {
            if (core.requests.limiter().admits(read.length)) {
                start(read);
            } else {
                throttled.add(read);
            }
        }
        boolean awaited = !withoutLease.isEmpty() || (leaseAwaited && !leaseAllows());
        if (awaited && ++ticksSincePing >= PING_TICKS) {
            startPingRound();
        }
        expire(unsent.stream().map(p -> p.read).toList());
        expire(withoutLease);
        expire(held);
    }

    private void expire(List<Read> waiting) {
        long now = core.loop.nanoTime();
        for (Read read : List.copyOf(waiting)) {
            if (now - read.startedNanos > core.settings.operationNanos()) {
                read.fail(new TimeLimitException(
                        "volume " + core.volumeName(), "READ", Duration.ofNanos(core.settings.operationNanos())));
                unsent.removeIf(p -> p.read == read);
                withoutLease.remove(read);
                held.remove(read);
            }
        }
    }

    void failAll(LonghornException cause) {
        List<Read> all = new ArrayList<>(held);
        all.addAll(withoutLease);
        all.addAll(throttled);
        unsent.forEach(p -> all.add(p.read));
        held.clear();
        withoutLease.clear();
        throttled.clear();
        unsent.clear();
        all.forEach(read -> read.fail(cause));
    }

    // ------------------------------------------------------------------ delivery

    /** Rule: an answer that overlaps a sequenced, unconfirmed operation waits for its confirmation. */
    private boolean mustHold(Read read) {
        return read.mustBeConfirmed && read.showsThrough > core.committed();
    }

    private void deliverWhenConfirmed(Read read) {
        if (mustHold(read)) {
            held.add(read);
        } else {
            deliverUnderLease(read);
        }
    }

    private void deliverUnderLease(Read read) {
        if (!read.mustBeConfirmed || leaseAllows()) {
            read.complete();
        } else {
            withoutLease.add(read);
            if (!pinging) {
                startPingRound();
            }
        }
    }

    /** Rule: the clock that decides is read after the read was asked for. Any thread. */
    boolean leaseAllows() {
        return core.lease.validAt(core.loop.nanoTime(), core.loop.wallMillis());
    }

    /** Rule: the lease runs from when the message was sent that every member acknowledged, not from when their answers came. */
    void renewLease(long sentNanos, long sentWallMillis) {
        core.lease.renew(sentNanos, sentWallMillis);
    }

    /** Somebody waits for a valid lease. */
    void renewLeaseIfOver() {
        if (!pinging && !leaseAllows()) {
            startPingRound();
        }
    }

    private void startPingRound() {
        pinging = true;
        ticksSincePing = 0;
        pingNanos = core.loop.nanoTime();
        pingWallMillis = core.loop.wallMillis();
        for (ReplicaLink link : core.view.members()) {
            if (link.isReady()) {
                link.ping(pingNanos);
            }
        }
    }

    /** Whether reads wait for the replica's answer to a ping. */
    boolean awaits(ReplicaLink link) {
        return pinging && !link.hasAnsweredPing(pingNanos);
    }

    /** A pong came: if every member answered this round, the lease runs from when the round was sent. */
    void pongArrived() {
        if (!pinging) {
            return;
        }
        for (ReplicaLink link : core.view.members()) {
            if (!link.hasAnsweredPing(pingNanos)) {
                return;
            }
        }
        pinging = false;
        renewLease(pingNanos, pingWallMillis);
        List<Read> ready = new ArrayList<>(withoutLease);
        withoutLease.clear();
        ready.forEach(this::deliverUnderLease);
    }

    // ------------------------------------------------------------------ one read

    private final class Read {
        final Part firstPart = new Part(this);
        private final boolean isReusable;
        LayerId layer = LayerId.LIVE;
        int pin;
        long offset;
        int length;
        ByteBuffer target = NOTHING;
        int targetStart;
        boolean mustBeConfirmed;
        private @Nullable Completion completion;
        long startedNanos;
        int parts;
        /** Newest unconfirmed sequence that the answer may show. */
        long showsThrough;

        private boolean over;

        Read(boolean isReusable) {
            this.isReusable = isReusable;
        }

        void begin(
                LayerId from,
                int heldPin,
                long start,
                int bytes,
                ByteBuffer buffer,
                int bufferStart,
                boolean confirmedOnly,
                Completion done) {
            layer = from;
            pin = heldPin;
            offset = start;
            length = bytes;
            target = buffer;
            targetStart = bufferStart;
            mustBeConfirmed = confirmedOnly;
            completion = done;
            startedNanos = core.loop.nanoTime();
            parts = 0;
            showsThrough = 0;
            over = false;
        }

        void partArrived() {
            if (--parts == 0) {
                arrived();
            }
        }

        void arrived() {
            if (!over) {
                deliverWhenConfirmed(this);
            }
        }

        void complete() {
            if (!over) {
                over = true;
                if (length > 0) {
                    core.counters.reads.increment();
                    core.counters.readBytes.add(length);
                    core.counters.readNanos.add(core.loop.nanoTime() - startedNanos);
                }
                Completion told = end();
                spare();
                told.done(null);
            }
        }

        void fail(LonghornException cause) {
            if (!over) {
                over = true;
                end().done(cause);
            }
        }

        private Completion end() {
            Completion told = completion;
            if (told == null) {
                throw new IllegalStateException("a read ended twice");
            }
            completion = null;
            return told;
        }

        /** Nobody knows a read any more of which all parts have come. One that failed may still have some under way: it is not used again. */
        private void spare() {
            if (isReusable && parts == 0 && spares.size() < SPARES_MAX) {
                target = NOTHING;
                spares.add(this);
            }
        }
    }

    /** Up to {@link FrameLayout#BLOCKS_MAX} blocks of a read, asked from one replica after another until one has good copies. */
    private final class Part implements RequestTable.Reply {
        final Read read;
        private long firstBlock;
        private int blocks;
        private final List<ReplicaLink> tried = new ArrayList<>(0);
        private final List<BadCopy> bad = new ArrayList<>(0);
        private int ticket;
        private @Nullable LonghornException refusal;
        /** A block of which a replica has lost the map entry, or -1. */
        private long damagedMapBlock = -1;

        private record BadCopy(ReplicaLink link, long block, int crc) {}

        Part(Read read) {
            this.read = read;
        }

        void begin(long block, int count) {
            firstBlock = block;
            blocks = count;
            tried.clear();
            bad.clear();
            refusal = null;
            damagedMapBlock = -1;
        }

        void send() {
            if (read.over) {
                return;
            }
            ReplicaLink link = core.view.chooseReadable(tried);
            if (link == null) {
                noneLeft();
                return;
            }
            ticket = ticketOfAll();
            partsOutstanding++;
            link.readBytesOutstanding += (long) blocks * BLOCK;
            link.read(read.layer, read.pin, firstBlock * BLOCK, blocks * BLOCK, this);
        }

        private int ticketOfAll() {
            int sum = 0;
            for (int i = 0; i < blocks; i++) {
                sum = 31 * sum + core.cache.ticket(firstBlock + i);
            }
            return sum;
        }

        private void noneLeft() {
            if (core.view.hasOthers(tried)) {
                unsent.add(this);
                return;
            }
            if (!bad.isEmpty()) {
                damaged(bad.get(bad.size() - 1).block());
            } else if (damagedMapBlock >= 0) {
                damaged(damagedMapBlock);
            } else {
                LonghornException refused = refusal;
                read.fail(
                        refused != null
                                ? refused
                                : new VolumeFaultedException(core.volumeName(), "no replica can be read"));
            }
        }

        private void damaged(long block) {
            core.events.blockDamaged(block * BLOCK);
            read.fail(new DamagedBlockException(core.volumeName(), block));
        }

        @Override
        public void onLost(ReplicaLink link) {
            partsOutstanding--;
            if (core.failure() == null) {
                unsent.add(this);
                core.armTick();
            } else {
                read.fail(core.failure());
            }
        }

        @Override
        public void onReply(ReplicaLink link, FrameType type, ByteBuffer b, int at) {
            partsOutstanding--;
            link.readBytesOutstanding -= (long) blocks * BLOCK;
            if (read.over) {
                return;
            }
            if (type == FrameType.READ_OK && ReadLayout.blockCount(b, at) == blocks) {
                answered(link, b, at);
            } else {
                tried.add(link);
                refusal = refusalOf(type, b, at, link);
                send();
            }
        }

        private LonghornException refusalOf(FrameType type, ByteBuffer b, int at, ReplicaLink link) {
            if (type == FrameType.ERROR && MessageCodec.decode(b, at) instanceof Message.Failure failure) {
                if (failure.code() == ErrorCode.SNAPSHOT_NOT_FOUND.number()
                        || failure.code() == ErrorCode.PIN_NOT_HELD.number()) {
                    return new SnapshotNotFoundException(core.volumeName(), read.layer.toString());
                }
                if (failure.code() == ErrorCode.DAMAGED_BLOCK.number()
                        || failure.code() == ErrorCode.FILE_DAMAGED.number()
                        || failure.code() == ErrorCode.REPLICA_DAMAGED.number()) {
                    core.counters.checksumMismatches.increment();
                    core.view.leaveForDamage(link, "its map of block " + failure.first() + " is damaged");
                    damagedMapBlock = failure.first();
                    return new DamagedBlockException(core.volumeName(), damagedMapBlock);
                }
                return new VolumeFaultedException(
                        core.volumeName(),
                        link + " refused a read with code " + failure.code() + ": " + failure.detail());
            }
            return new VolumeFaultedException(core.volumeName(), link + " answered a read with " + type);
        }

        private void answered(ReplicaLink link, ByteBuffer b, int at) {
            boolean allZero = FrameLayout.payloadLength(b, at) == 0;
            int payload = at + ReadLayout.answerHeaderLength(blocks);
            int badBefore = bad.size();
            for (int i = 0; i < blocks; i++) {
                int stored = ReadLayout.blockCrc(b, at, i);
                int computed = allZero ? Checksum.ZERO_BLOCK : Checksum.block(b, payload + i * BLOCK);
                if (stored != computed) {
                    bad.add(new BadCopy(link, firstBlock + i, stored));
                    core.counters.checksumMismatches.increment();
                }
            }
            if (bad.size() > badBefore) {
                LOG.warn(
                        "checksum mismatch: volume={} replica={} block={}",
                        core.volumeName(),
                        link,
                        bad.get(bad.size() - 1).block());
                tried.add(link);
                send();
                return;
            }
            long overlap = read.layer.isLive()
                    ? core.window.newestOverlap(firstBlock, firstBlock + blocks, core.committed())
                    : 0;
            read.showsThrough = Math.max(read.showsThrough, overlap);
            boolean fresh = overlap == 0 && read.layer.isLive() && ticket == ticketOfAll();
            if (read.layer.isLive() && core.cache.isOn()) {
                core.counters.cacheMissBlocks.add(blocks);
            }
            for (int i = 0; i < blocks; i++) {
                copy(firstBlock + i, allZero ? null : b, payload + i * BLOCK);
                if (fresh && !allZero) {
                    core.cache.fill(firstBlock + i, b, payload + i * BLOCK, core.cache.ticket(firstBlock + i));
                }
            }
            for (BadCopy copy : bad) {
                repairFrom(copy, b, payload, allZero);
            }
            read.partArrived();
        }

        private void copy(long block, @Nullable ByteBuffer source, int at) {
            long start = block * BLOCK;
            int from = (int) Math.max(0, read.offset - start);
            int to = (int) Math.min(BLOCK, read.offset + read.length - start);
            int targetAt = read.targetStart + (int) (start + from - read.offset);
            if (source != null) {
                read.target.put(targetAt, source, at + from, to - from);
            } else {
                for (int i = targetAt, end = targetAt + to - from; i < end; i++) {
                    read.target.put(i, (byte) 0);
                }
            }
        }

        /** A good copy is here: if it is what the bad replica's map says, it takes it; else that replica is wrong in more than one block. */
        private void repairFrom(BadCopy copy, ByteBuffer b, int payload, boolean allZero) {
            if (!copy.link().isReady() || !core.view.isMember(copy.link())) {
                return;
            }
            byte[] data = new byte[BLOCK];
            if (!allZero) {
                b.get(payload + (int) (copy.block() - firstBlock) * BLOCK, data);
            }
            int crc = Checksum.block(ByteBuffer.wrap(data), 0);
            if (crc == copy.crc()) {
                core.repairs.send(copy.link(), read.layer, copy.block(), 0, crc, data, () -> {});
            } else if (read.showsThrough == 0) {
                // Alone it stays: its own checksum keeps the block from callers, and what else it has is all there is.
                core.view.leaveForDamage(copy.link(), "its map of block " + copy.block() + " disagrees with its peers");
            }
        }
    }
}
