package io.longhorn.replica;

import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;

/**
 * The two files of a layer, {@code .data} and {@code .map}; see {@code docs/format/layer.md}. Opened on use.
 *
 * <p>Belongs to the loop. A worker may call the methods marked so between {@link #retain} and {@link #release}, both called by the loop.
 */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
final class LayerFiles {
    static final String DATA_SUFFIX = ".data";
    static final String MAP_SUFFIX = ".map";

    /** {@code layer-<epoch>-<sequence>}, 16 hex digits each, without suffix. */
    static String baseName(LayerId id) {
        throw new UnsupportedOperationException();
    }

    /** The layer that a file name of either kind belongs to; empty for any other name. */
    static Optional<LayerId> layerOf(String fileName) {
        throw new UnsupportedOperationException();
    }

    /**
     * Makes the two files of an empty layer, durably; they must be there before {@link ReplicaMeta} lists the layer. Leftovers of an earlier attempt
     * are replaced. Any thread.
     */
    static void create(DiskDirectory directory, String replicaDirectory, LayerId id, long sizeBytes)
            throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Makes the files of an existing layer larger, durably, before {@link ReplicaMeta} says so; no effect if they are already. Any thread. */
    static void expand(DiskDirectory directory, String replicaDirectory, LayerId id, long sizeBytes)
            throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Deletes the files, no error if they are not there; durable after the directory was synced. Any thread, when nobody has them open: {@link #close}. */
    static void delete(DiskDirectory directory, String replicaDirectory, LayerId id) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * A layer that {@link ReplicaMeta} lists. Opens nothing yet.
     *
     * @param generation checkpoints of the replica that finished: {@link ReplicaMeta#generation}
     */
    LayerFiles(
            OpenFiles openFiles,
            MapPageCache pages,
            String replicaDirectory,
            UUID replicaId,
            LayerId id,
            long sizeBytes,
            long generation) {
        throw new UnsupportedOperationException(
                openFiles.toString() + pages + replicaDirectory + replicaId + id + sizeBytes + generation);
    }

    LayerId id() {
        throw new UnsupportedOperationException();
    }

    BlockMap map() {
        throw new UnsupportedOperationException();
    }

    /** The volume grew and {@link #expand} was called. Loop only. */
    void sizeBytes(long sizeBytes) {
        throw new UnsupportedOperationException(" " + sizeBytes);
    }

    /** Checks that both files are there and long enough, and throws the exceptions of {@link MetadataFile#read} if not. */
    void verify() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Opens both files and keeps them open for a worker. Counted. Loop only. */
    void retain() throws IOException {
        throw new UnsupportedOperationException();
    }

    void release() {
        throw new UnsupportedOperationException();
    }

    /** Fills the remaining bytes of {@code target}, whole blocks, from {@code block} on. Loop, or worker while retained. */
    void read(long block, ByteBuffer target) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Writes the remaining bytes of {@code source}, whole blocks, from {@code block} on. Not durable before {@link #syncData}. Worker while retained. */
    void write(long block, ByteBuffer source) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Gives the space of the blocks back; false where the system cannot. Worker while retained. */
    boolean punch(long block, long blocks) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Worker while retained. */
    void syncData() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Worker while retained. */
    void syncMap() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Space that both files take on the disk. Worker while retained. */
    long allocatedBytes() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Closes the files and forgets cached pages; for good, before {@link #delete}. Loop only, not while retained. */
    void close() throws IOException {
        throw new UnsupportedOperationException();
    }
}
