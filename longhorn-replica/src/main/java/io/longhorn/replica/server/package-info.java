/**
 * The replica server's state machine: disks, their replicas, the sessions of engines. Read {@link io.longhorn.replica.server.ReplicaDisk} first.
 */
@NullMarked
package io.longhorn.replica.server;

import org.jspecify.annotations.NullMarked;
