package io.longhorn.backup.nfs;

import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Puts the records of a stream together from their fragments (RFC 5531, section 11). Not safe for several threads. */
final class RecordReader {
    static final int LAST_FRAGMENT = 1 << 31;

    private final int bytesMax;
    private final ByteBuffer header = ByteBuffer.allocate(Integer.BYTES);
    private boolean last;
    /** The record so far, with room for the present fragment exactly; none between records. */
    private @Nullable ByteBuffer record;

    /** A record with more bytes than that is refused before memory is taken for it. */
    RecordReader(int bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Takes all the bytes, and hands over the records that are whole. */
    void read(ByteBuffer bytes, Consumer<ByteBuffer> whole) throws ProtocolException {
        while (true) {
            while (header.hasRemaining()) {
                if (!bytes.hasRemaining()) {
                    return;
                }
                header.put(bytes.get());
                if (!header.hasRemaining()) {
                    startFragment(header.getInt(0));
                }
            }
            ByteBuffer target = record;
            if (target == null) {
                throw new IllegalStateException("a fragment without a record");
            }
            int length = Math.min(target.remaining(), bytes.remaining());
            target.put(bytes.slice(bytes.position(), length));
            bytes.position(bytes.position() + length);
            if (target.hasRemaining()) {
                return;
            }
            header.clear();
            if (last) {
                record = null;
                whole.accept(target.flip());
            }
        }
    }

    private void startFragment(int mark) throws ProtocolException {
        last = (mark & LAST_FRAGMENT) != 0;
        int length = mark & ~LAST_FRAGMENT;
        ByteBuffer before = record;
        int had = before == null ? 0 : before.position();
        if (length > bytesMax - had) {
            throw new ProtocolException("malformed answer: a record of " + (had + (long) length)
                    + " bytes or more, at most " + bytesMax + " are expected; is this an NFS server?");
        }
        ByteBuffer grown = ByteBuffer.allocate(had + length);
        record = before == null ? grown : grown.put(before.flip());
    }
}
