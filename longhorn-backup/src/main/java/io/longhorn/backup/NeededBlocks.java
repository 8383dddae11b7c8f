package io.longhorn.backup;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Every block that backups of a volume need, once however many need it, 72 bytes for each. Filled by one thread; then each block is taken once, by any thread. */
final class NeededBlocks {

    /** A block as a backup needs it. */
    record Block(String backup, Compression compression, int blockBytes, BlockReference reference) {}

    /** The blocks that no earlier backup needs. */
    private record Part(String backup, Compression compression, int blockBytes, BlockList blocks) {}

    private final ChecksumSet known = new ChecksumSet();
    private final List<Part> parts = new ArrayList<>();
    private long bytes;
    private int nextPart;
    private int nextBlock;

    void add(BackupConfig backup) {
        BlockList all = backup.blocks();
        BlockList.Builder unknown = BlockList.builder();
        for (int i = 0; i < all.size(); i++) {
            if (known.add(all, i)) {
                unknown.add(all, i);
            }
        }
        Compression compression = Compression.of(backup.compression()).orElseThrow();
        Part part = new Part(backup.name(), compression, backup.blockBytes(), unknown.build());
        parts.add(part);
        bytes += part.blocks.size() * (long) part.blockBytes;
    }

    /** Of all of them, uncompressed. */
    long bytes() {
        return bytes;
    }

    /** One that nobody took; null if there is none left. */
    synchronized @Nullable Block next() {
        while (nextPart < parts.size()
                && nextBlock == parts.get(nextPart).blocks.size()) {
            nextPart++;
            nextBlock = 0;
        }
        if (nextPart == parts.size()) {
            return null;
        }
        Part part = parts.get(nextPart);
        return new Block(part.backup, part.compression, part.blockBytes, part.blocks.get(nextBlock++));
    }
}
