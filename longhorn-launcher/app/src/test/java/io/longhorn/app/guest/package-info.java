/**
 * Real clients in a machine of their own: Linux with its NBD and iSCSI clients, and QEMU itself, whose disk is a volume.
 * {@code Guest} is the machine, {@code NodeDaemon} what serves it.
 */
@NullMarked
package io.longhorn.app.guest;

import org.jspecify.annotations.NullMarked;
