/**
 * Everything a program needs to use replicated block volumes.
 *
 * <p>{@link io.longhorn.Longhorn} is the way in: it creates, opens and deletes volumes. {@link io.longhorn.Volume} is a
 * thin block device of a fixed size whose every write goes to all in-sync replicas; {@link io.longhorn.Snapshot} is its
 * content at one moment. {@link io.longhorn.VolumeSpec} and {@link io.longhorn.LonghornConfig} are validated when they
 * are built. Failures are {@link io.longhorn.LonghornException}s, each condition its own class with a stable
 * {@link io.longhorn.ErrorCode}. Read {@code Longhorn}, then {@code Volume}; the rest explains itself from there.
 */
@NullMarked
package io.longhorn;

import org.jspecify.annotations.NullMarked;
