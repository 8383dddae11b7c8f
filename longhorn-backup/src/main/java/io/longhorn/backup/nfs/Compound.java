package io.longhorn.backup.nfs;

import java.nio.ByteBuffer;

/**
 * A call: operations that the server executes one after another, up to the first that fails (RFC 8881, section 16.2). The record begins with room for what is known only when it
 * is sent. Not safe for several threads.
 *
 * <p>At most one operation of a compound changes something, and what follows it never ends with {@link NfsStatus#DELAY}; so a compound that ended with that has changed nothing.
 */
final class Compound {
    static final int MINOR_VERSION = 1;
    static final int FILE_MODE = 0644;
    static final int DIRECTORY_MODE = 0755;
    static final int FILE_SYNC = 2;
    static final int UNSTABLE = 0;
    static final int ACCESS_MODIFY = 0x4;
    static final int ACCESS_EXTEND = 0x8;

    private static final int XID_POSITION = 0;
    private static final int SMALL_BYTES = 512;
    private static final int OPEN_FOR_WRITING = 2;
    private static final int WANT_NO_DELEGATION = 0x0400;
    private static final byte[] OPEN_OWNER = {'l', 'o', 'n', 'g', 'h', 'o', 'r', 'n'};

    private final XdrWriter out;
    private final int countPosition;
    private final int sequencePosition;
    private int operations;
    private boolean changes;

    private Compound(int uid, int gid, int bytesExpected, boolean inSession) {
        out = new XdrWriter(SMALL_BYTES + bytesExpected);
        RpcMessages.writeCall(out, 0, uid, gid);
        out.text("").int32(MINOR_VERSION);
        countPosition = out.position();
        out.int32(0);
        sequencePosition = out.position() + Integer.BYTES;
        if (inSession) {
            begin(NfsOp.SEQUENCE).fixed(new byte[NfsSession.ID_BYTES]).int64(0).int64(0);
        }
    }

    /** To be sent in a session: {@link #number} completes it. */
    static Compound inSession(int uid, int gid) {
        return new Compound(uid, gid, 0, true);
    }

    /** The same, with room for so many bytes more. */
    static Compound inSession(int uid, int gid, int bytesExpected) {
        return new Compound(uid, gid, bytesExpected, true);
    }

    /** To be sent outside any session. */
    static Compound outside(int uid, int gid) {
        return new Compound(uid, gid, 0, false);
    }

    private XdrWriter begin(NfsOp op) {
        operations++;
        out.setInt32(countPosition, operations);
        return out.int32(op.code());
    }

    private XdrWriter beginChange(NfsOp op) {
        changes = true;
        return begin(op);
    }

    /** How many operations it has. */
    int operations() {
        return operations;
    }

    /** Whether it should not be executed twice. */
    boolean changes() {
        return changes;
    }

    void setXid(int xid) {
        out.setInt32(XID_POSITION, xid);
    }

    /** Gives it its place in a session. Not while it is being sent. */
    void number(byte[] session, Slot slot, int highestSlot) {
        int position = sequencePosition;
        out.setFixed(position, session);
        position += NfsSession.ID_BYTES;
        out.setInt32(position, slot.sequence());
        out.setInt32(position + 4, slot.number());
        out.setInt32(position + 8, highestSlot);
        // The server keeps the answer for the case that we have to ask again.
        out.setInt32(position + 12, changes ? 1 : 0);
    }

    /** What is to be sent: a view. */
    ByteBuffer record() {
        return out.written();
    }

    /** The pseudo-root of the server. */
    Compound putRoot() {
        begin(NfsOp.PUTROOTFH);
        return this;
    }

    Compound put(FileHandle handle) {
        handle.write(begin(NfsOp.PUTFH));
        return this;
    }

    Compound save() {
        begin(NfsOp.SAVEFH);
        return this;
    }

    Compound lookup(String name) {
        begin(NfsOp.LOOKUP).text(name);
        return this;
    }

    Compound getHandle() {
        begin(NfsOp.GETFH);
        return this;
    }

    Compound getFileAttributes() {
        Attributes.writeWantedOfFile(begin(NfsOp.GETATTR));
        return this;
    }

    Compound getLimits() {
        Attributes.writeWantedLimits(begin(NfsOp.GETATTR));
        return this;
    }

    Compound access(int wanted) {
        begin(NfsOp.ACCESS).int32(wanted);
        return this;
    }

    Compound makeDirectory(String name) {
        Attributes.writeMode(
                beginChange(NfsOp.CREATE).int32(Attributes.TYPE_DIRECTORY).text(name), DIRECTORY_MODE);
        return this;
    }

    /** Makes a file and opens it for writing. It must not exist. */
    Compound createFile(long clientId, String name) {
        beginChange(NfsOp.OPEN)
                .int32(0)
                .int32(OPEN_FOR_WRITING | WANT_NO_DELEGATION)
                .int32(0)
                .int64(clientId)
                .opaque(OPEN_OWNER)
                .int32(1) // create ...
                .int32(1); // ... guarded
        Attributes.writeMode(out, FILE_MODE);
        out.int32(0).text(name);
        return this;
    }

    Compound write(StateId state, long offset, int stable, ByteBuffer content) {
        state.write(beginChange(NfsOp.WRITE));
        out.int64(offset).int32(stable).opaque(content);
        return this;
    }

    /** Makes all that was written to the file durable. */
    Compound commit() {
        begin(NfsOp.COMMIT).int64(0).int32(0);
        return this;
    }

    Compound close(StateId state) {
        state.write(beginChange(NfsOp.CLOSE).int32(0));
        return this;
    }

    Compound read(StateId state, long offset, int count) {
        state.write(begin(NfsOp.READ));
        out.int64(offset).int32(count);
        return this;
    }

    /** @param verifier zeros at the beginning of the directory, then what came with the last page */
    Compound readDirectory(long cookie, byte[] verifier, int bytesMax) {
        begin(NfsOp.READDIR).int64(cookie).fixed(verifier).int32(bytesMax).int32(bytesMax);
        Attributes.writeWantedOfEntry(out);
        return this;
    }

    Compound remove(String name) {
        beginChange(NfsOp.REMOVE).text(name);
        return this;
    }

    /** From the saved directory into the current one. */
    Compound rename(String from, String to) {
        beginChange(NfsOp.RENAME).text(from).text(to);
        return this;
    }

    Compound exchangeId(byte[] verifier, byte[] owner) {
        begin(NfsOp.EXCHANGE_ID)
                .fixed(verifier)
                .opaque(owner)
                .int32(0) // no flags
                .int32(0) // no protection of state
                .int32(0); // no description of this program
        return this;
    }

    /** Without a channel back: the server has nothing to tell us. */
    Compound createSession(long clientId, int sequence, ChannelLimits wanted) {
        begin(NfsOp.CREATE_SESSION).int64(clientId).int32(sequence).int32(0);
        wanted.write(out);
        ChannelLimits.BACK.write(out);
        out.int32(ChannelLimits.BACK_PROGRAM).int32(1).int32(RpcMessages.AUTH_NONE);
        return this;
    }

    Compound reclaimComplete() {
        begin(NfsOp.RECLAIM_COMPLETE).bool(false);
        return this;
    }

    Compound destroySession(byte[] session) {
        begin(NfsOp.DESTROY_SESSION).fixed(session);
        return this;
    }

    Compound destroyClientId(long clientId) {
        begin(NfsOp.DESTROY_CLIENTID).int64(clientId);
        return this;
    }
}
