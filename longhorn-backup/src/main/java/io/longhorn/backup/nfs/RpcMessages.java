package io.longhorn.backup.nfs;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;

/** Remote calls to the NFS program, and their answers (RFC 5531). */
final class RpcMessages {
    static final int CALL = 0;
    static final int REPLY = 1;
    static final int RPC_VERSION = 2;
    static final int NFS_PROGRAM = 100003;
    static final int NFS_VERSION = 4;
    static final int PROCEDURE_COMPOUND = 1;
    static final int AUTH_NONE = 0;
    static final int AUTH_SYS = 1;

    private static final int AUTH_BYTES_MAX = 400;
    private static final String MACHINE = "longhorn";

    private RpcMessages() {}

    /** Begins a call of COMPOUND in the name of a user of the server; its arguments follow. */
    static void writeCall(XdrWriter out, int xid, int uid, int gid) {
        out.int32(xid)
                .int32(CALL)
                .int32(RPC_VERSION)
                .int32(NFS_PROGRAM)
                .int32(NFS_VERSION)
                .int32(PROCEDURE_COMPOUND);
        XdrWriter user =
                new XdrWriter(64).int32(0).text(MACHINE).int32(uid).int32(gid).int32(0);
        out.int32(AUTH_SYS).opaque(user.written()).int32(AUTH_NONE).int32(0);
    }

    /** Which call a record answers. */
    static int xidOf(ByteBuffer record) throws ProtocolException {
        return new XdrReader(record).int32();
    }

    /**
     * The results in an answer.
     *
     * @throws IOException if the server did not accept the call; says why
     */
    static XdrReader readReply(ByteBuffer record) throws IOException {
        XdrReader in = new XdrReader(record);
        in.int32();
        int kind = in.int32();
        if (kind != REPLY) {
            throw new ProtocolException("malformed answer: a message of kind " + kind + " in place of a reply");
        }
        int denied = in.int32();
        if (denied == 1) {
            throw new RpcRejectedException(whyDenied(in));
        } else if (denied != 0) {
            throw new ProtocolException("malformed answer: a reply of kind " + denied);
        }
        in.int32();
        in.opaque(AUTH_BYTES_MAX);
        int accepted = in.int32();
        if (accepted != 0) {
            throw new RpcRejectedException(whyNotDone(accepted, in));
        }
        return in;
    }

    private static String whyDenied(XdrReader in) throws ProtocolException {
        int reason = in.int32();
        if (reason == 0) {
            return "the server speaks RPC versions " + in.uint32() + " to " + in.uint32() + ", this client "
                    + RPC_VERSION;
        } else if (reason != 1) {
            throw new ProtocolException("malformed answer: a call denied for reason " + reason);
        }
        int status = in.int32();
        return switch (status) {
            case 1 ->
                "the server does not accept our user (AUTH_BADCRED): the export needs sec=sys, and the option"
                        + " insecure, since this client comes from an ordinary port";
            case 2 -> "the server does not accept our user any more (AUTH_REJECTEDCRED)";
            case 5 ->
                "the server wants stronger proof (AUTH_TOOWEAK): the export needs the option insecure, since this"
                        + " client comes from an ordinary port, and sec=sys";
            default ->
                "the server does not accept who we are (authentication status " + status
                        + "): the export needs sec=sys";
        };
    }

    private static String whyNotDone(int status, XdrReader in) throws ProtocolException {
        return switch (status) {
            case 1 -> "the server does not offer NFS on this port";
            case 2 -> "the server offers NFS versions " + in.uint32() + " to " + in.uint32() + " only, 4.1 is needed";
            case 3 -> "the server does not know the procedure COMPOUND";
            case 4 -> "the server could not decode the call (GARBAGE_ARGS)";
            case 5 -> "the server has a fault of its own (SYSTEM_ERR)";
            default -> throw new ProtocolException("malformed answer: a call accepted with status " + status);
        };
    }
}
