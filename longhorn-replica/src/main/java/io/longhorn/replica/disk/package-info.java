/**
 * A disk of a replica server, seen from below: its files, the threads that work on them, and the form that all its metadata files share. The rest of the replica knows disks only
 * as {@link io.longhorn.replica.disk.DiskDirectory}, {@link io.longhorn.replica.disk.DiskFile} and {@link io.longhorn.replica.disk.DiskWorker}. In production these are a directory of
 * the file system ({@link io.longhorn.replica.disk.PathDirectory}) and a thread per lane ({@link io.longhorn.replica.disk.ThreadDiskWorker}); in tests and in the simulator they are
 * memory and a schedule.
 *
 * <p>What is written into metadata files is in {@code docs/format/disk.md}. Read {@link io.longhorn.replica.disk.DiskDirectory} first, then
 * {@link io.longhorn.replica.disk.MetadataFile}. Uses nothing of the other packages but {@code wire}.
 */
@NullMarked
package io.longhorn.replica.disk;

import org.jspecify.annotations.NullMarked;
