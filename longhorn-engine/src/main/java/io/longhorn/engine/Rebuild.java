package io.longhorn.engine;

import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one replica up to date from another, through the engine. The target takes every new record from the moment it knows where
 * it starts; what it missed is copied block by block, layer by layer: the blocks that the source changed beyond the last point both histories
 * share, and those the target changed beyond it on its own. When all is copied and durable on the target, it joins the view. Engine loop only.
 */
final class Rebuild extends Resync {
    private static final Logger LOG = LoggerFactory.getLogger(Rebuild.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;
    /** Walks through a layer that go on beside each other, so that the source never waits for the target. */
    private static final int WALKS = 4;

    private static final int FRAMES_IN_FLIGHT_MAX = 32;
    /** The same while callers' operations are in flight. */
    private static final int FRAMES_IN_FLIGHT_BUSY = 2;

    /** So often an answer with bad blocks is asked for again, after other members gave good copies of them, before it is taken as it is. */
    private static final int REPAIRS_MAX = 2;
    /** After so many attempts that met damage a member that seems to have good copies does not have them. */
    private static final int SETBACKS_MAX = 8;
    /** A source that lacks more blocks than this is no source. */
    private static final int DAMAGED_BLOCKS_MAX = 4096;

    private static final int SOURCE_PIN = 1;
    private static final long PROGRESS_EVERY_BYTES = 16 << 20;

    private final long session;
    /** Blocks whose entries it lost count as its own changes, and are copied. */
    private boolean targetHasDamage;

    private long common;
    private long structureAt;
    private final List<Message.Layer> layers = new ArrayList<>();
    private final ArrayDeque<Walk> walks = new ArrayDeque<>();
    private final ArrayDeque<Message.Layer> layersToAsk = new ArrayDeque<>();
    private int reading;
    /** Answers whose bad blocks are being repaired at the source. */
    private int repairing;

    private int installing;
    private int installedFrames;
    private int damagedBlocks;
    private boolean copying;
    private boolean finishing;
    private long totalBytes;
    /** The volume's size at the base. */
    private long sizeBytes;

    private long reportedBytes;
    private double budgetBytes;
    private long budgetNanos;

    Rebuild(EngineCore core, Rebuilds owner, ReplicaLink source, ReplicaLink target, long session) {
        super(core, owner, source, target);
        this.session = session;
        this.budgetNanos = startedNanos();
    }

    @Override
    String kind() {
        return "rebuild";
    }

    @Override
    long totalBytes() {
        return Math.max(totalBytes, doneBytes());
    }

    // ------------------------------------------------------------------ beginning

    @Override
    void start() {
        Message.FenceOk state = target.fenceState();
        common = core.history().commonWith(EpochHistory.of(state));
        if (state.mixed()) {
            common = Math.min(common, state.commonSequence());
        }
        source.request(
                new Message.Pin(SOURCE_PIN, LayerId.LIVE),
                Replies.expecting(Message.Done.class, done -> askTarget(), this::abandon));
    }

    private void askTarget() {
        if (!isOver()) {
            target.request(
                    new Message.Status(), Replies.expecting(Message.StatusOk.class, this::askSource, this::abandon));
        }
    }

    private void askSource(Message.StatusOk targetStatus) {
        if (isOver()) {
            return;
        }
        structureAt = core.window.lastSequence();
        source.request(
                new Message.Status(),
                Replies.expecting(
                        Message.StatusOk.class, sourceStatus -> begin(targetStatus, sourceStatus), this::abandon));
    }

    private void begin(Message.StatusOk targetStatus, Message.StatusOk sourceStatus) {
        if (isOver()) {
            return;
        }
        if (core.sequencer.lastStructureSequence() > structureAt) {
            askSource(targetStatus);
            return;
        }
        targetHasDamage = targetStatus.damagedBlocks() > 0;
        // An expansion may be sequenced and not be confirmed yet.
        sizeBytes = sourceStatus.sizeBytes();
        layers.addAll(sourceStatus.layers());
        layers.sort(Comparator.comparing(Message.Layer::id));
        if (lacksLayerOfCommonPast(targetStatus) || gaveBackForLostHistory(targetStatus, layers, common)) {
            common = 0;
        }
        for (Message.Layer layer : layers) {
            totalBytes += common == 0 ? layer.dataBytes() : 0;
        }
        long base = core.window.lastSequence();
        LOG.info(
                "rebuild begins: volume={} source={} target={} common={} base={}",
                core.volumeName(),
                source,
                target,
                common,
                base);
        core.events.rebuildStarted(target.replica, totalBytes);
        target.request(
                new Message.RebuildBegin(
                        core.epoch(),
                        session,
                        common,
                        base,
                        core.epoch(),
                        sizeBytes,
                        core.history().starts(),
                        layers),
                Replies.expecting(Message.Done.class, done -> begun(base), this::abandon));
        // From here on the target gets every record, behind the message that tells it where they start.
        target.takesRecords = true;
        core.refreshHealth();
    }

    /** A layer that both should hold but the target does not: its map tells nothing, so everything is copied. */
    private boolean lacksLayerOfCommonPast(Message.StatusOk targetStatus) {
        for (Message.Layer layer : layers) {
            boolean present = targetStatus.layers().stream().anyMatch(l -> l.id().equals(layer.id()));
            if (!present && !layer.removed() && layer.id().sequence() <= common) {
                return true;
            }
        }
        return false;
    }

    /**
     * The target carried out confirmed operations that were lost, and for them may have given back older blocks: of a snapshot whose deletion was lost, or below a block whose
     * newer version was lost. Its maps do not tell of which.
     */
    static boolean gaveBackForLostHistory(Message.StatusOk target, List<Message.Layer> source, long common) {
        if (target.committed() <= common) {
            return false;
        }
        boolean someRemoved = target.layers().stream().anyMatch(Message.Layer::removed);
        for (Message.Layer layer : source) {
            boolean present = target.layers().stream().anyMatch(l -> l.id().equals(layer.id()));
            someRemoved |= layer.removed() || !present;
        }
        return someRemoved;
    }

    private void begun(long base) {
        if (isOver()) {
            return;
        }
        target.rebased(base);
        Message.FenceOk state = target.fenceState();
        if (state.lastSequence() > common || state.mixed() || targetHasDamage) {
            layersToAsk.addAll(layers);
            askOwnChanges(0);
        } else {
            startCopying();
        }
    }

    /** Blocks that the target changed on its own beyond the common point: the source's state of exactly these is copied too. */
    private void askOwnChanges(long fromBlock) {
        Message.Layer layer = layersToAsk.peek();
        if (isOver()) {
            return;
        }
        if (layer == null) {
            startCopying();
            return;
        }
        target.request(
                new Message.MapQuery(
                        Message.MapMode.OWN, layer.id(), 0, LayerId.LIVE, common, fromBlock, blocksOf(sizeBytes)),
                Replies.expecting(Message.MapPage.class, page -> ownChanges(layer, page), this::abandon));
    }

    private void ownChanges(Message.Layer layer, Message.MapPage page) {
        List<Long> blocks = new ArrayList<>();
        for (Message.MapRun run : page.runs()) {
            for (long block = run.firstBlock(); block < run.firstBlock() + run.blocks(); block++) {
                blocks.add(block);
                if (blocks.size() == FrameLayout.BLOCKS_MAX) {
                    walks.add(Walk.of(layer.id(), blocks));
                    blocks = new ArrayList<>();
                }
            }
        }
        if (!blocks.isEmpty()) {
            walks.add(Walk.of(layer.id(), blocks));
        }
        if (page.nextBlock() < 0) {
            layersToAsk.remove();
        }
        askOwnChanges(Math.max(page.nextBlock(), 0));
    }

    private static long blocksOf(long sizeBytes) {
        return sizeBytes / BLOCK;
    }

    // ------------------------------------------------------------------ copying

    /** A walk through a range of one layer, or a list of its blocks; the source was {@code repairs} times repaired for its next answer. */
    private record Walk(LayerId layer, long from, long to, List<Long> blocks, int repairs) {
        static Walk of(LayerId layer, long from, long to) {
            return new Walk(layer, from, to, List.of(), 0);
        }

        static Walk of(LayerId layer, List<Long> blocks) {
            return new Walk(layer, 0, 0, blocks, 0);
        }

        Walk goingOnAt(long block) {
            return of(layer, block, to);
        }

        Walk onceMore() {
            return new Walk(layer, from, to, blocks, repairs + 1);
        }
    }

    private void startCopying() {
        copying = true;
        for (Message.Layer layer : layers) {
            long blocks = blocksOf(Math.max(layer.sizeBytes(), sizeBytes));
            long share = (blocks + WALKS - 1) / WALKS;
            for (long from = 0; from < blocks; from += share) {
                walks.add(Walk.of(layer.id(), from, Math.min(from + share, blocks)));
            }
        }
        pump();
    }

    /** Asks the source for more as far as window, budget and foreground allow. */
    @Override
    void pump() {
        if (isOver() || !copying || !source.isReady() || !target.isReady()) {
            // Of a connection that is gone, whoever waits for an answer hears first; the rebuild is given up after
            // them.
            return;
        }
        int allowed = core.isBusy() ? FRAMES_IN_FLIGHT_BUSY : FRAMES_IN_FLIGHT_MAX;
        while (!walks.isEmpty() && reading + repairing + installing < allowed && withinBudget()) {
            Walk walk = walks.remove();
            reading++;
            source.request(
                    new Message.LayerRead(walk.layer(), common, walk.from(), walk.to(), walk.blocks()),
                    new Arrival(walk));
            if (isOver()) {
                return;
            }
        }
        if (walks.isEmpty() && reading + repairing + installing == 0 && !finishing) {
            finish();
        }
    }

    private boolean withinBudget() {
        long perSecond = core.settings.rebuildBytesPerSecond();
        if (perSecond == 0) {
            return true;
        }
        long now = core.loop.nanoTime();
        budgetBytes = Math.min((double) perSecond, budgetBytes + (now - budgetNanos) / 1e9 * (double) perSecond);
        budgetNanos = now;
        if (budgetBytes > 0) {
            return true;
        }
        core.loop.schedule(10_000_000, this::pump);
        return false;
    }

    private final class Arrival implements RequestTable.Reply {
        private final Walk walk;

        Arrival(Walk walk) {
            this.walk = walk;
        }

        @Override
        public void onReply(ReplicaLink link, FrameType type, ByteBuffer b, int at) {
            reading--;
            if (isOver()) {
                return;
            }
            if (type == FrameType.ERROR) {
                abandon("source refused: " + MessageCodec.decode(b, at));
                return;
            }
            if (type != FrameType.LAYER_BLOCKS
                    || LayerBlocksLayout.check(b, at, FrameLayout.frameLength(b, at)) != FrameFault.NONE) {
                abandon("the source answered with something else than blocks");
                return;
            }
            List<Integer> bad = badEntries(b, at);
            if (!bad.isEmpty() && !goesOn(walk, bad, b, at)) {
                return;
            }
            long next = LayerBlocksLayout.nextBlock(b, at);
            if (next >= 0) {
                walks.addFirst(walk.goingOnAt(next));
            }
            if (LayerBlocksLayout.entryCount(b, at) > 0) {
                forward(b, at);
            }
            pump();
        }

        @Override
        public void onLost(ReplicaLink link) {
            abandon("connection to the source lost");
        }
    }

    /** The entries whose blocks the source has lost, those that it lost with their map first, or gives with other bytes than it once took. */
    private List<Integer> badEntries(ByteBuffer b, int at) {
        List<Integer> bad = new ArrayList<>(0);
        for (int i = LayerBlocksLayout.damaged(b, at, 0); i >= 0; i = LayerBlocksLayout.damaged(b, at, i + 1)) {
            bad.add(LayerBlocksLayout.sequence(b, at, i) == 0 ? 0 : bad.size(), i);
        }
        for (int i = LayerBlocksLayout.mismatch(b, at, 0); i >= 0; i = LayerBlocksLayout.mismatch(b, at, i + 1)) {
            bad.add(i);
        }
        core.counters.checksumMismatches.add(bad.size());
        return bad;
    }

    /**
     * Decides about an answer with bad blocks: another member may be a better source, or have good copies for this one, or the bits flipped on the way; else the answer is
     * taken without these blocks, so that one bad sector of the last replica does not keep it the last. Returns whether it is taken, now.
     */
    private boolean goesOn(Walk walk, List<Integer> bad, ByteBuffer b, int at) {
        long first = LayerBlocksLayout.block(b, at, bad.get(0));
        boolean mapIsDamaged = LayerBlocksLayout.sequence(b, at, bad.get(0)) == 0;
        if (mapIsDamaged && core.view.leaveForDamage(source, "its map of block " + first + " is damaged")) {
            abandon("a block map of the source is damaged");
            return false;
        }
        if (walk.repairs() < REPAIRS_MAX) {
            haveRepaired(walk, bad, b, at);
            return false;
        }
        if (core.view.isSpared(source) && owner().setbacks(target) < SETBACKS_MAX) {
            abandon("blocks of the source could not be repaired");
            return false;
        }
        damagedBlocks += bad.size();
        if (damagedBlocks > DAMAGED_BLOCKS_MAX) {
            abandon("the source lacks more than " + DAMAGED_BLOCKS_MAX + " blocks");
            return false;
        }
        LOG.warn(
                "rebuild goes on without damaged blocks: volume={} source={} layer={} blocks={} first={}",
                core.volumeName(),
                source,
                walk.layer(),
                bad.size(),
                first);
        for (int i : bad) {
            if (!LayerBlocksLayout.isDamaged(b, at, i)) {
                LayerBlocksLayout.giveUp(b, at, i);
            }
        }
        return true;
    }

    /** Asks for the walk's next answer again when other members gave what they have of its bad blocks. */
    private void haveRepaired(Walk walk, List<Integer> bad, ByteBuffer b, int at) {
        repairing++;
        int[] left = {bad.size()};
        Runnable ended = () -> {
            if (--left[0] == 0) {
                repairing--;
                walks.addFirst(walk.onceMore());
                pump();
            }
        };
        LayerId layer = LayerBlocksLayout.layer(b, at);
        List<Message.Damage> damages = new ArrayList<>();
        for (int i : bad) {
            damages.add(new Message.Damage(
                    layer,
                    LayerBlocksLayout.block(b, at, i),
                    LayerBlocksLayout.sequence(b, at, i),
                    LayerBlocksLayout.crc(b, at, i)));
        }
        damages.forEach(damage -> core.repairs.fromPeer(source, damage, ended));
    }

    private void forward(ByteBuffer b, int at) {
        int payload = FrameLayout.payloadLength(b, at);
        installing++;
        long request = target.expect(new Installation(payload));
        LayerBlocksLayout.readdress(b, at, core.epoch(), request, session);
        target.sendCopy(b, at, FrameLayout.frameLength(b, at));
        budgetBytes -= payload;
    }

    private final class Installation implements RequestTable.Reply {
        private final int payloadBytes;

        Installation(int payloadBytes) {
            this.payloadBytes = payloadBytes;
        }

        @Override
        public void onReply(ReplicaLink link, FrameType type, ByteBuffer b, int at) {
            installing--;
            if (isOver()) {
                return;
            }
            if (type != FrameType.REBUILD_PROGRESS) {
                abandon("target refused blocks: " + MessageCodec.decode(b, at));
                return;
            }
            installedFrames++;
            count(payloadBytes);
            if (doneBytes() - reportedBytes >= PROGRESS_EVERY_BYTES) {
                reportedBytes = doneBytes();
                core.events.rebuildProgress(target.replica, doneBytes(), totalBytes());
                core.refreshHealth();
            }
            pump();
        }

        @Override
        public void onLost(ReplicaLink link) {
            abandon("connection to the target lost");
        }
    }

    // ------------------------------------------------------------------ ending

    private void finish() {
        finishing = true;
        target.request(
                new Message.RebuildEnd(session, core.window.lastSequence()),
                Replies.expecting(Message.Done.class, done -> join(), this::abandon));
    }

    @Override
    void joined() {
        if (target.isReady()) {
            target.request(new Message.Joined(session, core.record().version()), Replies.ignored());
        }
        LOG.debug("frames of the rebuild: volume={} target={} frames={}", core.volumeName(), target, installedFrames);
    }

    @Override
    void acknowledged() {
        if (copying) {
            pump();
        }
    }

    @Override
    void cutOff() {
        target.takesRecords = false;
    }

    @Override
    void releaseSource() {
        if (source.isReady()) {
            source.request(new Message.Unpin(SOURCE_PIN), Replies.ignored());
        }
    }
}
