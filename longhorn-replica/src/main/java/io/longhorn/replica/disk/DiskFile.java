package io.longhorn.replica.disk;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * One file on a disk. Positions and lengths are bytes. Reads and writes may be called by several threads at once;
 * what overlapping calls leave behind is unspecified, as with {@code FileChannel}. No method is interruptible.
 */
public interface DiskFile extends AutoCloseable {
    /** What transfers past the system's cache are aligned to, in memory and on the disk. */
    int ALIGNMENT_BYTES = 4096;

    /** Fills the remaining bytes of {@code target} from {@code position}; bytes behind the file's end are zero. */
    void read(long position, ByteBuffer target) throws IOException;

    /** Writes all remaining bytes of {@code source}; on stable storage only after {@link #sync}. */
    void write(long position, ByteBuffer source) throws IOException;

    /**
     * As {@link #write}, but past the system's cache if it can and {@code source} is direct memory that begins, as {@code position} and the length do, at a multiple of
     * {@link #ALIGNMENT_BYTES}: for much that nobody reads soon. Not for a range that others read or write at the same time.
     */
    default void writePastCache(long position, ByteBuffer source) throws IOException {
        write(position, source);
    }

    /**
     * Writes {@code length} bytes from {@code position} of this file to {@code targetPosition} of another. After a failure, of whichever of the two, some of them may be
     * written.
     */
    default void copyTo(long position, int length, DiskFile target, long targetPosition) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(length);
        read(position, bytes);
        target.write(targetPosition, bytes.flip());
    }

    /**
     * Makes everything written before the call stable (data and the length needed to read it back). After a failure, what
     * was written since the last success counts as lost; a later success says nothing about it.
     */
    void sync() throws IOException;

    /**
     * Has the system begin to write what the range holds, if it can, so that a later {@link #sync} waits for less. Says nothing about what is stable: whatever fails shows at
     * the sync.
     */
    default void startWriting(long position, long length) throws IOException {}

    /**
     * Ahead of a short write into a hole: has the file system find room for this range and no more, if it can; it reads as before. On its own ext4 looks for room for megabytes
     * around each such write, which on a disk without many large gaps takes ten times as long as all the rest. Longer runs in order are better off without. Promises
     * nothing: whatever fails shows at the write or the sync.
     */
    default void reserve(long position, long length) throws IOException {}

    /** Gives the range's space back to the disk; it reads as zeroes. Returns false, having done nothing, where not supported. */
    boolean punch(long position, long length) throws IOException;

    /**
     * A position at or behind {@code position} before which the file reads as zeroes, so that nobody needs to look: where its next data begin, {@code position} itself where
     * the system does not tell, {@link Long#MAX_VALUE} if only zeroes follow.
     */
    default long nextData(long position) throws IOException {
        return position;
    }

    /** Reserves and zeroes the range, and lengthens the file if it ends before, so that later writes and syncs there need no new space. */
    void preallocate(long position, long length) throws IOException;

    long sizeBytes() throws IOException;

    /** Sets the length: cuts off what lies behind {@code sizeBytes}, or lengthens the file with zeroes that take no space. */
    void truncate(long sizeBytes) throws IOException;

    /** Space the file takes on the disk, in bytes; at least an estimate where the system does not tell. */
    long allocatedBytes() throws IOException;

    @Override
    void close() throws IOException;
}
