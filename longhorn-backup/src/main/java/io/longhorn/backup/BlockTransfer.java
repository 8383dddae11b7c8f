package io.longhorn.backup;

import io.longhorn.BackupMode;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTargetException;
import io.longhorn.DamagedBackupException;
import io.longhorn.HeldSnapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the blocks of a plan to the store, several at once: read, looked up, compressed, sent. A block of zeroes is left out; one that the store has is not sent again, once it was
 * found to be right; one that is what the base has in its place is not even looked up. Memory is bounded by the number of workers. Used once.
 */
final class BlockTransfer {
    private static final Logger LOG = LoggerFactory.getLogger(BlockTransfer.class);
    /** So much each worker writes before it waits until that is durable: enough to share the cost, and little to send again after a crash. */
    private static final int GROUP_BYTES = 32 << 20;

    private final BackupStore store;
    private final ObjectStore objects;
    private final HeldSnapshot snapshot;
    private final String volume;
    private final BackupPlan plan;
    private final Compression compression;
    private final BackupSpec spec;
    private final Throttle throttle;
    private final BackupProgress progress;
    /** Blocks that are at the store, or on their way, since we looked. */
    private final ChecksumSet sent = new ChecksumSet();

    private final BlockList.Builder found = BlockList.builder();
    private final Map<Integer, Optional<String>> early = new HashMap<>();
    private int firstMissing;
    private final AtomicLong newBlocks = new AtomicLong();
    private final AtomicLong newBytes = new AtomicLong();
    private final AtomicLong rewrittenBytes = new AtomicLong();
    private int nextBlock;

    BlockTransfer(
            BackupStore store,
            HeldSnapshot snapshot,
            BackupPlan plan,
            Compression compression,
            BackupSpec spec,
            Throttle throttle,
            BackupProgress progress) {
        this.store = store;
        this.objects = store.objects();
        this.snapshot = snapshot;
        this.volume = snapshot.volume().name();
        this.plan = plan;
        this.compression = compression;
        this.spec = spec;
        this.throttle = throttle;
        this.progress = progress;
        this.firstMissing = plan.blocks().nextSetBit(0);
    }

    /**
     * Brings them all.
     *
     * @param watch called all the time, on the caller's thread
     * @return all blocks of the backup, those of the base among them
     */
    BlockList run(Runnable watch) throws Exception {
        BitSet blocks = plan.blocks();
        progress.total(blocks.cardinality() * (long) plan.blockBytes());
        if (!blocks.isEmpty()) {
            int workers = Math.min(spec.workers(), blocks.cardinality());
            Workers.run("longhorn-backup-" + volume, workers, Block::new, watch);
        }
        return merged();
    }

    private BlockList merged() {
        BlockList looked = found.build();
        return plan.base()
                .map(base -> base.blocks().where(offset -> !plan.blocks().get((int) (offset / plan.blockBytes()))))
                .map(taken -> taken.with(looked))
                .orElse(looked);
    }

    long newBlocks() {
        return newBlocks.get();
    }

    long newBytes() {
        return newBytes.get();
    }

    long rewrittenBytes() {
        return rewrittenBytes.get();
    }

    private synchronized int next() {
        int block = plan.blocks().nextSetBit(nextBlock);
        nextBlock = block < 0 ? nextBlock : block + 1;
        return block;
    }

    private synchronized boolean isFirst(String checksum) {
        return sent.add(checksum);
    }

    /** What a block was found to be; empty for zeroes. Workers are never far from each other, so little waits for its place. */
    private synchronized void add(int block, Optional<String> checksum) {
        early.put(block, checksum);
        for (Optional<String> next = early.remove(firstMissing); next != null; next = early.remove(firstMissing)) {
            long offset = firstMissing * (long) plan.blockBytes();
            next.ifPresent(present -> found.add(new BlockReference(offset, present)));
            firstMissing = plan.blocks().nextSetBit(firstMissing + 1);
        }
    }

    /** One worker's block after another. */
    private final class Block implements Workers.Work {
        private final ByteBuffer block = ByteBuffer.allocate(plan.blockBytes());
        private final WriteGroup group = objects.group();
        private int groupBytes;

        @Override
        public boolean next() throws IOException, InterruptedException {
            int number = BlockTransfer.this.next();
            if (number < 0) {
                group.settle();
                return false;
            }
            long offset = number * (long) plan.blockBytes();
            read(offset);
            if (Zeroes.isZero(block)) {
                add(number, Optional.empty());
            } else {
                String checksum = store.checksum(block);
                if (!isInBase(offset, checksum) && isFirst(checksum)) {
                    bring(checksum);
                }
                add(number, Optional.of(checksum));
            }
            progress.done(plan.blockBytes());
            return true;
        }

        @Override
        public void end() {
            group.close();
        }

        /** What is behind the volume's end is zeroes. */
        private void read(long offset) {
            block.clear().limit((int) Math.min(plan.blockBytes(), snapshot.sizeBytes() - offset));
            snapshot.read(offset, block);
            block.limit(plan.blockBytes());
            while (block.hasRemaining()) {
                block.put((byte) 0);
            }
            block.flip();
        }

        private boolean isInBase(long offset, String checksum) {
            return spec.mode() == BackupMode.INCREMENTAL
                    && plan.base()
                            .flatMap(base -> base.blocks().at(offset))
                            .filter(block -> block.checksum().equals(checksum))
                            .isPresent();
        }

        private void bring(String checksum) throws IOException, InterruptedException {
            String key = StoreLayout.block(volume, checksum);
            Optional<ObjectStore.Entry> present = objects.find(key);
            ByteBuffer compressed = null;
            if (present.isPresent() && spec.mode() == BackupMode.INCREMENTAL) {
                if (spec.trustsPresentBlocks()) {
                    compressed = compression.compress(block);
                    if (present.get().sizeBytes() == compressed.remaining()) {
                        return;
                    }
                }
                if (isRight(checksum)) {
                    return;
                }
                LOG.warn("a damaged block at the target is written again: {} {}", objects.describe(), key);
            }
            if (compressed == null) {
                compressed = compression.compress(block);
            }
            int bytes = compressed.remaining();
            throttle.acquire(bytes);
            group.write(key, compressed);
            groupBytes += bytes;
            if (groupBytes >= GROUP_BYTES) {
                group.settle();
                groupBytes = 0;
            }
            progress.sent(bytes);
            if (present.isPresent()) {
                rewrittenBytes.addAndGet(bytes);
            } else {
                newBlocks.incrementAndGet();
                newBytes.addAndGet(bytes);
            }
        }

        private boolean isRight(String checksum) {
            try {
                return store.block(volume, "", compression, plan.blockBytes(), new BlockReference(0, checksum))
                        .equals(block);
            } catch (DamagedBackupException e) {
                return false;
            } catch (BackupTargetException e) {
                LOG.warn("a block that cannot be read counts as damaged: {}", e.getMessage());
                return false;
            }
        }
    }
}
