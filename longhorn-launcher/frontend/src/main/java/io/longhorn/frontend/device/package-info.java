/**
 * The kernel device: a served {@link io.longhorn.frontend.BlockDevice} as {@code /dev/longhorn/NAME} on this host. Start reading at
 * {@link io.longhorn.frontend.device.KernelDevices}. A {@code Mechanism} makes the kernel show a block device: {@code FuseLoopMechanism} answers the kernel's file system
 * requests ({@code FuseSession} is the protocol, without I/O) under a loop device; {@code NbdMechanism} and {@code IscsiMechanism} run the commands that log the kernel's own
 * clients in to our servers.
 */
@NullMarked
package io.longhorn.frontend.device;

import org.jspecify.annotations.NullMarked;
