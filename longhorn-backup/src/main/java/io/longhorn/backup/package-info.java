/**
 * Backup stores in Longhorn's own layout. {@link io.longhorn.backup.BackupStore} is a store, read and written through an
 * {@link io.longhorn.backup.ObjectStore}; {@link io.longhorn.backup.StoreLayout} says under which keys, {@link io.longhorn.backup.VolumeConfig} and
 * {@link io.longhorn.backup.BackupConfig} what its documents hold. The format is described in {@code docs/format/backup-store.md}.
 */
@NullMarked
package io.longhorn.backup;

import org.jspecify.annotations.NullMarked;
