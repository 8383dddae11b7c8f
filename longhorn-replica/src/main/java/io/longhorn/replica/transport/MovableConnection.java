package io.longhorn.replica.transport;

import io.longhorn.replica.wire.Connection;

/** A connection that can go over to another loop, as all of this package's can. */
public interface MovableConnection extends Connection {

    /**
     * Hands this connection to {@code target}, where {@code handler} takes its frames from now on. Called in
     * {@link Connection.Handler#onFrame}, that same frame is handled again by {@code handler}, then everything that came behind it; called
     * elsewhere, {@code handler} begins with the next frame. The present handler hears nothing more, {@code onClosed} included, except the
     * end of its batch. Frames queued for the peer leave first, in order.
     *
     * <p>Present loop only, and after it the present loop must not use the connection any more. {@code target} may be the present loop. On a
     * closed connection nothing happens but that {@code handler} is told {@link Connection.Handler#onClosed}.
     */
    void moveTo(NioLoop target, Connection.Handler handler);
}
