package io.longhorn;

import java.io.Serial;

/** Both sides of a connection have no version of the protocol in common. */
public final class VersionMismatchException extends ReplicaException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String peer;
    private final int ourOldest;
    private final int ourNewest;
    private final int peerOldest;
    private final int peerNewest;

    public VersionMismatchException(String peer, int ourOldest, int ourNewest, int peerOldest, int peerNewest) {
        super(
                ErrorCode.VERSION_MISMATCH,
                peer + " speaks versions " + peerOldest + " to " + peerNewest + ", we speak " + ourOldest + " to "
                        + ourNewest + "; upgrade the older side");
        this.peer = peer;
        this.ourOldest = ourOldest;
        this.ourNewest = ourNewest;
        this.peerOldest = peerOldest;
        this.peerNewest = peerNewest;
    }

    /** Its address. */
    public String peer() {
        return peer;
    }

    public int ourOldest() {
        return ourOldest;
    }

    public int ourNewest() {
        return ourNewest;
    }

    public int peerOldest() {
        return peerOldest;
    }

    public int peerNewest() {
        return peerNewest;
    }
}
