/**
 * Loops, connections and listeners on real threads and sockets: the production side of {@link io.longhorn.replica.wire.Loop}
 * and {@link io.longhorn.replica.wire.Connection}, on nothing but the JDK's selectors. Between objects of one process the
 * same contract holds without a socket ({@link io.longhorn.replica.transport.InProcessTransport}). Read
 * {@link io.longhorn.replica.transport.NioLoop} first, then {@code NioConnection}.
 */
@NullMarked
package io.longhorn.replica.transport;

import org.jspecify.annotations.NullMarked;
