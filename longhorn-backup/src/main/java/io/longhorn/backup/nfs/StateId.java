package io.longhorn.backup.nfs;

/** What the server knows an opened file by. Immutable. */
final class StateId {
    static final int BYTES = 16;

    /** For reading without opening first (RFC 8881, section 8.2.3). */
    static final StateId ANONYMOUS = new StateId(new byte[BYTES]);

    private final byte[] bytes;

    /** @param bytes not copied, and not changed any more by whoever gives them */
    StateId(byte[] bytes) {
        this.bytes = bytes;
    }

    void write(XdrWriter out) {
        out.fixed(bytes);
    }
}
