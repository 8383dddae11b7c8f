package io.longhorn.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;

/**
 * {@code tail.parked}: records of a replica that no engine has committed yet, copied out of the journal so that its segments can be used again; see
 * {@code docs/format/replica.md}, section 5. To go on with them, append them to the journal again, make that durable, and delete the file.
 */
@SuppressWarnings("DoNotCallSuggester")
final class ParkedTail {
    static final String FILE = "tail.parked";

    private ParkedTail() {}

    /** Gives the records one after another. */
    interface Source {
        /** Puts the next whole frame at the target's position and moves it behind; false at the end. The target has room for the longest record. */
        boolean next(ByteBuffer target) throws IOException;
    }

    /** Takes the records one after another. */
    interface Sink {
        /** The frame at {@code at}, its stamp cleared, checksums good; borrowed until return. */
        void record(ByteBuffer b, int at) throws IOException;
    }

    static boolean exists(DiskDirectory directory, String replicaDirectory) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Writes the file, in place of an earlier one, durably. Clears the frames' stamps. Any thread. */
    static void write(DiskDirectory directory, String replicaDirectory, UUID replicaId, Source source)
            throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Reads and checks the whole file before the first record is given; for the conditions see {@link MetadataFile#read}. */
    static void read(DiskDirectory directory, String replicaDirectory, UUID replicaId, Sink sink) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Deletes the file, durably. No error if there is none. */
    static void delete(DiskDirectory directory, String replicaDirectory) throws IOException {
        throw new UnsupportedOperationException();
    }
}
