/**
 * What an implementation provides, for implementers only: programs that use volumes never touch this package.
 *
 * <p>{@link io.longhorn.spi.LonghornProvider} is implemented by {@code io.longhorn:longhorn-engine},
 * {@link io.longhorn.spi.BackupProvider} by {@code io.longhorn:longhorn-backup}. Both are found by
 * {@link java.util.ServiceLoader}, first with the context class loader of the calling thread, then with the class
 * loader of the API, so declare them both in {@code module-info} and in {@code META-INF/services}.
 */
@NullMarked
package io.longhorn.spi;

import org.jspecify.annotations.NullMarked;
