package io.longhorn.engine;

import java.nio.ByteBuffer;

/** One way of bringing a replica outside the view up to date from a member, through the engine, until it joins. Engine loop only. */
sealed interface Resync permits CatchUp, Rebuild {

    void start();

    /** The replica that is brought up to date. */
    ReplicaLink target();

    /** Whether it takes part, as source or as target. */
    boolean concerns(ReplicaLink link);

    /** Goes on as far as budget and credit allow. */
    void pump();

    /** The target acknowledged something. */
    void acknowledged();

    /** A record from the journal of {@code from}. */
    default void relay(ReplicaLink from, ByteBuffer b, int at) {}

    /** Gives up. Once the joining is being recorded there is no way back: the view deals with a member that is lost. */
    void abandon(String reason);

    long doneBytes();

    /** At least {@link #doneBytes}; what is to be copied, as far as that is known. */
    long totalBytes();
}
