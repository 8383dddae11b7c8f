/**
 * The replica server: keeps replicas of volumes on disks. A disk has one journal, shared by its replicas, and for each
 * replica a chain of layers with their block maps. The state machine takes frames and gives frames back; files, time and
 * threads come through {@link io.longhorn.replica.disk.DiskDirectory}, {@link io.longhorn.replica.disk.DiskWorker} and
 * {@link io.longhorn.replica.wire.Loop}. Read {@code docs/format/journal.md}, then {@code ReplicaDisk}.
 */
@NullMarked
package io.longhorn.replica;

import org.jspecify.annotations.NullMarked;
