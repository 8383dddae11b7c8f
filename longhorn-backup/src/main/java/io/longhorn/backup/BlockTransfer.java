package io.longhorn.backup;

import io.longhorn.BackupMode;
import io.longhorn.BackupSpec;
import io.longhorn.DamagedBackupException;
import io.longhorn.HeldSnapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the blocks of a plan to the store, several at once: read, looked up, compressed, sent. A block of zeroes is left out; one that the store has is not sent again, once it was
 * found to be right; one that is what the base has in its place is not even looked up. Memory is bounded by the number of workers. Used once.
 */
final class BlockTransfer {
    private static final Logger LOG = LoggerFactory.getLogger(BlockTransfer.class);

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

    private final Map<Long, String> found = new TreeMap<>();
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
    }

    /**
     * Brings them all.
     *
     * @param watch called all the time, on the caller's thread
     * @return all blocks of the backup, those of the base among them
     */
    List<BlockReference> run(Runnable watch) throws Exception {
        BitSet blocks = plan.blocks();
        progress.total(blocks.cardinality() * (long) plan.blockBytes());
        if (!blocks.isEmpty()) {
            int workers = Math.min(spec.workers(), blocks.cardinality());
            Workers.run("longhorn-backup-" + volume, workers, Block::new, watch);
        }
        return merged();
    }

    private List<BlockReference> merged() {
        List<BlockReference> all = new ArrayList<>();
        plan.base()
                .ifPresent(base -> base.blocks().stream()
                        .filter(block -> !plan.blocks().get((int) (block.offsetBytes() / plan.blockBytes())))
                        .forEach(all::add));
        found.forEach((offset, checksum) -> all.add(new BlockReference(offset, checksum)));
        all.sort((a, b) -> Long.compare(a.offsetBytes(), b.offsetBytes()));
        return all;
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

    private synchronized void add(long offset, String checksum) {
        found.put(offset, checksum);
    }

    /** One worker's block after another. */
    private final class Block implements Workers.Work {
        private final ByteBuffer block = ByteBuffer.allocate(plan.blockBytes());

        @Override
        public boolean next() throws IOException, InterruptedException {
            int number = BlockTransfer.this.next();
            if (number < 0) {
                return false;
            }
            long offset = number * (long) plan.blockBytes();
            read(offset);
            if (!Zeroes.isZero(block)) {
                String checksum = BlockChecksum.of(block);
                if (!isInBase(offset, checksum) && isFirst(checksum)) {
                    bring(checksum);
                }
                add(offset, checksum);
            }
            progress.done(plan.blockBytes());
            return true;
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
                            .flatMap(base -> base.blockAt(offset))
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
            objects.write(key, compressed);
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
            }
        }
    }
}
