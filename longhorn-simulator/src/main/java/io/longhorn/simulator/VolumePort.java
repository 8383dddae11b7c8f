package io.longhorn.simulator;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One session of a volume as a workload uses it: what the engine offers its callers, without threads. Answers come on the engine's loop, never
 * before the call returns. Positions and lengths are bytes.
 */
public interface VolumePort {

    /** Told once how something ended; {@code failure} is null if it is confirmed. */
    interface Done {
        void done(@Nullable Throwable failure);
    }

    /** Told once how a comparison ended. */
    interface Compared {
        void done(boolean matched, @Nullable Throwable failure);
    }

    /** Told once which snapshots there are, by name, or why that is not known. */
    interface Listed {
        void done(List<String> names, @Nullable Throwable failure);
    }

    /** A snapshot that somebody holds: readable until it is released, deleted or not. */
    interface Held {
        void read(long offset, ByteBuffer target, Done done);

        void release();
    }

    void read(long offset, ByteBuffer target, Done done);

    void write(long offset, ByteBuffer data, boolean forced, Done done);

    void writeZeroes(long offset, long length, boolean allocate, Done done);

    void discard(long offset, long length, Done done);

    void compareAndWrite(long offset, ByteBuffer expected, ByteBuffer data, Compared done);

    void flush(Done done);

    void snapshot(String name, Done done);

    /** Fails if there is no such snapshot. */
    void readSnapshot(String name, long offset, ByteBuffer target, Done done);

    /** Holds a snapshot from now on; empty if there is none of that name, or the session is over. */
    Optional<Held> hold(String name);

    void deleteSnapshot(String name, Done done);

    void revert(String name, Done done);

    void expand(long sizeBytes, Done done);

    /** Tells the snapshots there are, by name. */
    void snapshots(Listed done);

    /** The size now. */
    long sizeBytes();
}
