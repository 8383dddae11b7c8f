package io.longhorn.engine;

import io.longhorn.replica.wire.FrameFault;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.nio.ByteBuffer;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has bad blocks of a replica replaced by good copies, which the replica takes only if its entry of the block is still the one that failed. Engine loop only. */
final class Repairs {
    private static final Logger LOG = LoggerFactory.getLogger(Repairs.class);
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    private final EngineCore core;

    Repairs(EngineCore core) {
        this.core = core;
    }

    /** A replica has a bad block: gets a good copy from another member, if there is one. {@code ended} runs when that was tried, unless the session is over. */
    void fromPeer(ReplicaLink bad, Message.Damage damage, Runnable ended) {
        for (ReplicaLink source : core.view.members()) {
            if (source != bad && core.view.isReadable(source)) {
                source.request(
                        new Message.LayerRead(
                                damage.layer(), 0, damage.block(), damage.block() + 1, List.of(damage.block())),
                        new GoodCopy(bad, damage, ended));
                return;
            }
        }
        ended.run();
    }

    private final class GoodCopy implements RequestTable.Reply {
        private final ReplicaLink bad;
        private final Message.Damage damage;
        private final Runnable ended;

        GoodCopy(ReplicaLink bad, Message.Damage damage, Runnable ended) {
            this.bad = bad;
            this.damage = damage;
            this.ended = ended;
        }

        @Override
        public void onReply(ReplicaLink link, FrameType type, ByteBuffer b, int at) {
            boolean same = type == FrameType.LAYER_BLOCKS
                    && LayerBlocksLayout.check(b, at, FrameLayout.frameLength(b, at)) == FrameFault.NONE
                    && LayerBlocksLayout.matches(b, at)
                    && LayerBlocksLayout.entryCount(b, at) == 1
                    && FrameLayout.payloadLength(b, at) == BLOCK
                    && LayerBlocksLayout.sequence(b, at, 0) == damage.sequence()
                    && LayerBlocksLayout.crc(b, at, 0) == damage.crc();
            if (same && bad.isReady()) {
                byte[] data = new byte[BLOCK];
                b.get(at + FrameLayout.headerLength(b, at), data);
                send(bad, damage.layer(), damage.block(), damage.sequence(), damage.crc(), data, ended);
            } else {
                ended.run();
            }
        }

        @Override
        public void onLost(ReplicaLink link) {
            if (core.failure() == null) {
                fromPeer(bad, damage, ended);
            }
        }
    }

    /** Gives a good copy to the replica whose own one is bad. {@code sequence} is that of the layer's entry, or 0 for whichever entry a reader of the layer gets. */
    void send(ReplicaLink bad, LayerId layer, long block, long sequence, int crc, byte[] data, Runnable ended) {
        LOG.warn("repairing block: volume={} replica={} layer={} block={}", core.volumeName(), bad, layer, block);
        bad.request(
                new Message.Repair(layer, block, sequence, crc, data),
                Replies.expecting(
                        Message.Done.class,
                        done -> {
                            core.counters.repairedBlocks.increment();
                            core.events.blockRepaired(bad.id(), bad.replica.endpoint(), block * BLOCK);
                            ended.run();
                        },
                        refused -> {
                            LOG.warn("repair not taken: {}", refused);
                            ended.run();
                        }));
    }
}
