/**
 * The replica server: keeps replicas of volumes on disks. This package has the state machine of a replica, which takes frames and gives frames back, and what turns around it: sessions,
 * checkpoints, rebuild, removal of snapshots, scrub, recovery, and the server that puts disks, loops and sockets together.
 *
 * <p>It stands on {@link io.longhorn.replica.layer} (blocks between two snapshots, and their maps), that on {@link io.longhorn.replica.journal} (records of all replicas of a disk), that on
 * {@link io.longhorn.replica.disk} (files and threads); dependencies point that way only. Time comes through {@link io.longhorn.replica.wire.Loop}. Read {@code docs/format/journal.md},
 * then {@code ReplicaDisk} and {@code ReplicaState}. A replica's own files are in {@code docs/format/replica.md}.
 */
@NullMarked
package io.longhorn.replica;

import org.jspecify.annotations.NullMarked;
