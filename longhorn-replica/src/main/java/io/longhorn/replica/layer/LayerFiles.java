package io.longhorn.replica.layer;

import io.longhorn.DamagedFileException;
import io.longhorn.MissingFileException;
import io.longhorn.replica.disk.CachedFile;
import io.longhorn.replica.disk.DiskDirectory;
import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.disk.MetadataFile;
import io.longhorn.replica.disk.OpenFiles;
import io.longhorn.replica.journal.Journal;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The two files of a layer, {@code .data} and {@code .map}; see {@code docs/format/layer.md}. Opened on use. Both have the length that the layer's size asks for
 * from the start, sparse, so that a file that was cut short is noticed.
 *
 * <p>Belongs to the loop. A worker may call the methods marked so between {@link #retain} and {@link #release}, both called by the loop.
 */
public final class LayerFiles {
    static final String DATA_SUFFIX = ".data";
    static final String MAP_SUFFIX = ".map";

    /**
     * Bytes written with one call. Linux caches what one call wrote in one piece of memory, up to 1 MiB on recent kernels, and goes through its list of
     * blocks whenever one of them is written again: a random 4 KiB write into a piece of 1 MiB costs four times as much as into one of 64 KiB.
     */
    private static final int WRITE_BYTES_MAX = 64 << 10;

    /**
     * After so many the disk is told to begin with them: a sync that finds everything still to be written keeps its thread in the system for as long as that takes, and with it
     * the connections of a process that is killed.
     */
    private static final int STARTED_AT_ONCE_BYTES = 1 << 20;

    /** Shorter runs go through the cache: the disk takes those together. */
    private static final int PAST_CACHE_BYTES_MIN = 64 << 10;

    private static final int RESERVED_BLOCKS_MAX = 16;
    /** One new block in so many may make up for asking the file system about all: finding room for it took a quarter of a millisecond where that was slow (docs/performance.md). */
    private static final int FILLING_PART = 64;

    private static final Pattern NAME = Pattern.compile("layer-([0-9a-f]{16})-([0-9a-f]{16})\\.(?:data|map)");

    private final OpenFiles openFiles;
    private final LayerId id;
    private final CachedFile data;
    private final CachedFile mapFile;
    private final BlockMap map;
    private volatile long sizeBytes;
    /** Bytes written that the disk was not told to begin with, and where they lie. Worker while retained. */
    private long waitingBytes;

    private long waitingFrom;
    private long waitingTo;
    /** Whether the blocks that came last had no place in the data file yet. Worker while retained, one after another. */
    private volatile boolean isFilling = true;

    /** A layer that the replica's metadata list. Opens nothing yet. */
    public LayerFiles(
            OpenFiles openFiles,
            MapPageCache pages,
            String replicaDirectory,
            UUID replicaId,
            LayerId id,
            long sizeBytes) {
        this.openFiles = openFiles;
        this.id = id;
        this.sizeBytes = sizeBytes;
        String base = replicaDirectory + "/" + baseName(id);
        data = new CachedFile(openFiles, base + DATA_SUFFIX);
        mapFile = new CachedFile(openFiles, base + MAP_SUFFIX);
        map = new BlockMap(mapFile, pages, id, replicaId, blocks(sizeBytes));
    }

    /** {@code layer-<epoch>-<sequence>}, 16 hex digits each, without suffix. */
    public static String baseName(LayerId id) {
        return String.format(Locale.ROOT, "layer-%016x-%016x", id.epoch(), id.sequence());
    }

    /** The layer that a file name of either kind belongs to; empty for any other name. */
    public static Optional<LayerId> layerOf(String fileName) {
        Matcher m = NAME.matcher(fileName);
        if (!m.matches()) {
            return Optional.empty();
        }
        long epoch = Long.parseUnsignedLong(m.group(1), 16);
        long sequence = Long.parseUnsignedLong(m.group(2), 16);
        return epoch < 0 || sequence <= 0 ? Optional.empty() : Optional.of(new LayerId(epoch, sequence));
    }

    /**
     * Makes the two files of an empty layer, durably; they must be there before the metadata list the layer. Leftovers of an earlier attempt
     * are replaced. Any thread.
     */
    public static void create(DiskDirectory directory, String replicaDirectory, LayerId id, long sizeBytes)
            throws IOException {
        delete(directory, replicaDirectory, id);
        String base = replicaDirectory + "/" + baseName(id);
        createFile(directory, base + DATA_SUFFIX, sizeBytes);
        createFile(directory, base + MAP_SUFFIX, BlockMap.fileBytes(blocks(sizeBytes)));
        directory.syncDirectory(replicaDirectory);
    }

    private static void createFile(DiskDirectory directory, String name, long lengthBytes) throws IOException {
        try (DiskFile file = directory.open(name, true)) {
            lengthen(file, lengthBytes);
            file.sync();
        }
    }

    private static void lengthen(DiskFile file, long lengthBytes) throws IOException {
        if (file.sizeBytes() < lengthBytes) {
            file.truncate(lengthBytes);
        }
    }

    /** Makes the files of an existing layer larger, durably, before the metadata say so; no effect if they are already. Any thread. */
    public static void expand(DiskDirectory directory, String replicaDirectory, LayerId id, long sizeBytes)
            throws IOException {
        String base = replicaDirectory + "/" + baseName(id);
        expandFile(directory, base + DATA_SUFFIX, sizeBytes);
        expandFile(directory, base + MAP_SUFFIX, BlockMap.fileBytes(blocks(sizeBytes)));
    }

    private static void expandFile(DiskDirectory directory, String name, long lengthBytes) throws IOException {
        try (DiskFile file = directory.open(name, false)) {
            lengthen(file, lengthBytes);
            file.sync();
        }
    }

    /** Deletes the files, no error if they are not there; durable after the directory was synced. Any thread, when nobody has them open: {@link #close}. */
    public static void delete(DiskDirectory directory, String replicaDirectory, LayerId id) throws IOException {
        String base = replicaDirectory + "/" + baseName(id);
        directory.delete(base + DATA_SUFFIX);
        directory.delete(base + MAP_SUFFIX);
    }

    private static long blocks(long sizeBytes) {
        return sizeBytes / FrameLayout.BLOCK_BYTES;
    }

    /** Whose files these are. */
    public LayerId id() {
        return id;
    }

    /** What the layer has of each block. */
    public BlockMap map() {
        return map;
    }

    /** The volume grew and {@link #expand} was called. Loop only, not beside an update of the map. */
    void sizeBytes(long larger) {
        sizeBytes = larger;
        map.blocks(blocks(larger));
    }

    /**
     * Checks that both files are there and long enough. Loop only.
     *
     * @throws MissingFileException if one is not there
     * @throws DamagedFileException if one is shorter than it was made
     */
    public void verify() throws IOException {
        verifyFile(data.name(), sizeBytes);
        verifyFile(mapFile.name(), BlockMap.fileBytes(blocks(sizeBytes)));
    }

    private void verifyFile(String name, long lengthBytes) throws IOException {
        DiskDirectory directory = openFiles.directory();
        if (!directory.exists(name)) {
            throw new MissingFileException(MetadataFile.path(directory, name));
        }
        try (DiskFile file = directory.open(name, false)) {
            long found = file.sizeBytes();
            if (found < lengthBytes) {
                throw new DamagedFileException(
                        MetadataFile.path(directory, name),
                        found,
                        "cut short, it had at least " + lengthBytes + " bytes");
            }
        }
    }

    /** Opens both files and keeps them open for a worker. Counted. Loop only. */
    public void retain() throws IOException {
        data.retain();
        try {
            mapFile.retain();
        } catch (IOException | RuntimeException e) {
            data.release();
            throw e;
        }
    }

    /** Loop only. */
    public void release() {
        data.release();
        mapFile.release();
    }

    /** Fills the remaining bytes of {@code target}, whole blocks, from {@code block} on. Loop, or worker while retained. */
    public void read(long block, ByteBuffer target) throws IOException {
        checkRange(block, target.remaining());
        data.file().read(block * FrameLayout.BLOCK_BYTES, target);
    }

    /** Writes the remaining bytes of {@code source}, whole blocks, from {@code block} on. Not durable before {@link #syncData}. Worker while retained. */
    public void write(long block, ByteBuffer source) throws IOException {
        checkRange(block, source.remaining());
        data.changed();
        DiskFile file = data.file();
        int limit = source.limit();
        int length = source.remaining();
        long position = block * FrameLayout.BLOCK_BYTES - source.position();
        for (int at = source.position(); at < limit; at = source.position()) {
            file.write(position + at, source.limit(Math.min(limit, at + WRITE_BYTES_MAX)));
        }
        source.limit(limit);
        written(position + limit - length, length);
    }

    /**
     * Writes as {@link #write} does, longer runs past the system's cache if it can and {@code source} is aligned: see {@link DiskFile#writePastCache}. For blocks that nobody reads
     * soon. Worker while retained.
     */
    public void writePastCache(long block, ByteBuffer source) throws IOException {
        if (source.remaining() < PAST_CACHE_BYTES_MIN) {
            reserve(block, source.remaining() / FrameLayout.BLOCK_BYTES);
            write(block, source);
        } else {
            checkRange(block, source.remaining());
            data.changed();
            data.file().writePastCache(block * FrameLayout.BLOCK_BYTES, source);
        }
    }

    private void written(long position, int length) throws IOException {
        waitingFrom = waitingBytes == 0 ? position : Math.min(waitingFrom, position);
        waitingTo = waitingBytes == 0 ? position + length : Math.max(waitingTo, position + length);
        waitingBytes += length;
        if (waitingBytes >= STARTED_AT_ONCE_BYTES) {
            waitingBytes = 0;
            data.file().startWriting(waitingFrom, waitingTo - waitingFrom);
        }
    }

    /**
     * Ahead of a write of blocks that have no place in the data file yet: see {@link DiskFile#reserve}. Longer runs are left to the file system, which keeps them together better.
     * Worker while retained.
     */
    public void reserve(long block, int blocks) throws IOException {
        if (blocks <= RESERVED_BLOCKS_MAX) {
            checkRange(block, blocks * (long) FrameLayout.BLOCK_BYTES);
            data.file().reserve(block * FrameLayout.BLOCK_BYTES, blocks * (long) FrameLayout.BLOCK_BYTES);
        }
    }

    /** As {@link #reserve}, for blocks of which nobody knows: asks the file system only while it is worth its microseconds. Worker while retained. */
    void reserveWhileFilling(long block, int blocks) throws IOException {
        if (isFilling) {
            reserve(block, blocks);
        }
    }

    /** Of {@code blocks} that were written, so many are new. Worker while retained. */
    void noteFilling(long newBlocks, int blocks) {
        isFilling = newBlocks * FILLING_PART >= blocks;
    }

    /** Writes blocks that stand behind one another in the journal, as {@link #write} does. Worker while retained. */
    void copyFrom(Journal journal, long position, long block, int blocks) throws IOException {
        int length = blocks * FrameLayout.BLOCK_BYTES;
        checkRange(block, length);
        data.changed();
        for (int at = 0; at < length; at += WRITE_BYTES_MAX) {
            int part = Math.min(WRITE_BYTES_MAX, length - at);
            journal.copyTo(position + at, part, data.file(), block * FrameLayout.BLOCK_BYTES + at);
        }
        written(block * FrameLayout.BLOCK_BYTES, length);
    }

    /** Gives the space of the blocks back; false where the system cannot. Nothing reads them any more, so it does not matter when that is durable. Worker while retained. */
    public boolean punch(long block, long blocks) throws IOException {
        checkRange(block, blocks * FrameLayout.BLOCK_BYTES);
        return data.file().punch(block * FrameLayout.BLOCK_BYTES, blocks * FrameLayout.BLOCK_BYTES);
    }

    private void checkRange(long block, long lengthBytes) {
        long from = block * FrameLayout.BLOCK_BYTES;
        if (block < 0 || lengthBytes % FrameLayout.BLOCK_BYTES != 0 || from > sizeBytes - lengthBytes) {
            throw new IllegalArgumentException(
                    lengthBytes + " bytes from block " + block + " of a layer of " + sizeBytes + " bytes");
        }
    }

    /** Worker while retained. */
    public void syncData() throws IOException {
        data.sync();
    }

    /** Worker while retained. */
    public void syncMap() throws IOException {
        mapFile.sync();
    }

    /** Whether something was written that no sync covers. Loop only. */
    public boolean isUnsynced() {
        return data.isUnsynced() || mapFile.isUnsynced();
    }

    /** Space that both files take on the disk. Loop, or worker while retained. */
    public long allocatedBytes() throws IOException {
        return data.file().allocatedBytes() + mapFile.file().allocatedBytes();
    }

    /** Closes the files; for good, before {@link #delete}. Loop only, not while retained. */
    public void close() throws IOException {
        openFiles.close(data);
        openFiles.close(mapFile);
    }
}
