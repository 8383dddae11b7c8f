package io.longhorn.backup.nfs;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The results of a compound, to be read in the order of its operations. Each method throws {@link NfsException} if the operation failed, and {@link ProtocolException} if the
 * answer is not what it should be. Not safe for several threads.
 */
final class CompoundReply {
    private static final int VERIFIER_BYTES = 8;
    private static final int TEXT_BYTES_MAX = 1024;
    private static final int OPERATIONS_MAX = 64;

    private final XdrReader in;
    private final int status;
    private final int count;
    private int done;

    private CompoundReply(XdrReader in, int status, int count) {
        this.in = in;
        this.status = status;
        this.count = count;
    }

    /**
     * Reads the beginning.
     *
     * @throws RpcRejectedException if the server does not take our calls
     */
    static CompoundReply of(ByteBuffer record) throws IOException {
        XdrReader in = RpcMessages.readReply(record);
        int status = in.int32();
        in.opaque(TEXT_BYTES_MAX);
        return new CompoundReply(in, status, in.count(OPERATIONS_MAX));
    }

    /** Of the last operation that was executed, or of the compound as a whole. */
    int status() {
        return status;
    }

    /** How many operations were executed. */
    int count() {
        return count;
    }

    private void begin(NfsOp op) throws IOException {
        int index = done - 1;
        if (done == count) {
            if (status != NfsStatus.OK) {
                throw new NfsException(op, status, index);
            }
            throw new ProtocolException("malformed answer: " + count + " results, that of " + op + " is missing");
        }
        done++;
        int code = in.int32();
        int result = in.int32();
        if (code == NfsStatus.OP_ILLEGAL && result != NfsStatus.OK) {
            throw new NfsException(op, result, index);
        }
        if (code != op.code()) {
            throw new ProtocolException("malformed answer: a result of operation " + code + " in place of " + op);
        }
        if (result != NfsStatus.OK) {
            throw new NfsException(op, result, index);
        }
    }

    /** An operation whose result is its status. */
    CompoundReply done(NfsOp op) throws IOException {
        begin(op);
        return this;
    }

    /** As many of them. */
    CompoundReply done(NfsOp op, int times) throws IOException {
        for (int i = 0; i < times; i++) {
            begin(op);
        }
        return this;
    }

    FileHandle handle() throws IOException {
        begin(NfsOp.GETFH);
        return new FileHandle(in.opaqueCopy(FileHandle.BYTES_MAX));
    }

    Attributes attributes() throws IOException {
        begin(NfsOp.GETATTR);
        return Attributes.read(in);
    }

    /** What of the wanted access there is. */
    int access() throws IOException {
        begin(NfsOp.ACCESS);
        in.int32();
        return in.int32();
    }

    void madeDirectory() throws IOException {
        begin(NfsOp.CREATE);
        skipChange();
        Attributes.skipBitmap(in);
    }

    /** An opened file. */
    StateId opened() throws IOException {
        begin(NfsOp.OPEN);
        StateId state = new StateId(in.fixed(StateId.BYTES));
        skipChange();
        in.int32();
        Attributes.skipBitmap(in);
        skipNoDelegation();
        return state;
    }

    private void skipNoDelegation() throws ProtocolException {
        int kind = in.int32();
        if (kind == 3) {
            // Why there is none; two of the reasons come with a boolean.
            int why = in.int32();
            if (why == 1 || why == 2) {
                in.bool();
            }
        } else if (kind != 0) {
            throw new ProtocolException("the server delegates a file (" + kind + ") although that was declined");
        }
    }

    /**
     * What a WRITE did.
     *
     * @param verifier changes when the server may have lost what it did not commit
     */
    record Written(int count, int committed, ByteBuffer verifier) {}

    Written written(int sent) throws IOException {
        begin(NfsOp.WRITE);
        int count = in.count(sent);
        if (count == 0 && sent > 0) {
            throw new ProtocolException("malformed answer: nothing was written, and no reason is given");
        }
        return new Written(count, in.int32(), verifier());
    }

    ByteBuffer committed() throws IOException {
        begin(NfsOp.COMMIT);
        return verifier();
    }

    private ByteBuffer verifier() throws ProtocolException {
        return ByteBuffer.wrap(in.fixed(VERIFIER_BYTES));
    }

    void closed() throws IOException {
        begin(NfsOp.CLOSE);
        in.fixed(StateId.BYTES);
    }

    /**
     * What a READ brought.
     *
     * @param bytes a view of the answer
     */
    record Piece(boolean endOfFile, ByteBuffer bytes) {}

    Piece piece(int asked) throws IOException {
        begin(NfsOp.READ);
        return new Piece(in.bool(), in.opaque(asked));
    }

    record DirectoryEntry(String name, Attributes attributes) {}

    /**
     * Some entries of a directory.
     *
     * @param nextCookie where the next page begins, together with the verifier
     */
    record Page(List<DirectoryEntry> entries, long nextCookie, byte[] verifier, boolean last) {}

    /** A page. Entries whose names are not UTF-8 are left out: they can be no keys. */
    Page page() throws IOException {
        begin(NfsOp.READDIR);
        byte[] verifier = in.fixed(VERIFIER_BYTES);
        List<DirectoryEntry> entries = new ArrayList<>();
        long cookie = 0;
        boolean any = false;
        while (in.bool()) {
            any = true;
            cookie = in.int64();
            Optional<String> name = in.text(TEXT_BYTES_MAX);
            Attributes attributes = Attributes.read(in);
            if (name.isPresent()) {
                entries.add(new DirectoryEntry(checkName(name.get()), attributes));
            }
        }
        boolean last = in.bool();
        if (!any && !last) {
            throw new ProtocolException("malformed answer: a page of a directory is empty and not the last");
        }
        return new Page(entries, cookie, verifier, last);
    }

    private static String checkName(String name) throws ProtocolException {
        if (name.isEmpty() || ".".equals(name) || "..".equals(name) || name.indexOf('/') >= 0) {
            throw new ProtocolException("malformed answer: a directory has an entry with the name '" + name + "'");
        }
        return name;
    }

    void removed() throws IOException {
        begin(NfsOp.REMOVE);
        skipChange();
    }

    void renamed() throws IOException {
        begin(NfsOp.RENAME);
        skipChange();
        skipChange();
    }

    private void skipChange() throws ProtocolException {
        in.bool();
        in.int64();
        in.int64();
    }

    /** A client as the server knows it. */
    record ClientId(long id, int sequence) {}

    ClientId clientId() throws IOException {
        begin(NfsOp.EXCHANGE_ID);
        // The flags, the protection of state and the name of the server do not matter here.
        return new ClientId(in.int64(), in.int32());
    }

    /** A session that was made. */
    record MadeSession(byte[] id, ChannelLimits limits) {}

    MadeSession madeSession(ChannelLimits wanted) throws IOException {
        begin(NfsOp.CREATE_SESSION);
        byte[] id = in.fixed(NfsSession.ID_BYTES);
        in.int64();
        return new MadeSession(id, wanted.granted(in));
    }

    /**
     * What SEQUENCE said.
     *
     * @param slotsWanted how many slots the server wants us to use
     * @param flags see {@link NfsSession}
     */
    record Sequenced(byte[] session, int sequence, int slot, long slotsWanted, int flags) {}

    Sequenced sequenced() throws IOException {
        begin(NfsOp.SEQUENCE);
        byte[] session = in.fixed(NfsSession.ID_BYTES);
        int sequence = in.int32();
        int slot = in.int32();
        in.int32();
        return new Sequenced(session, sequence, slot, in.uint32() + 1, in.int32());
    }
}
