/**
 * Block devices for clients of the network block device protocol (NBD), over TCP and Unix sockets, with or without TLS. The specification is the file {@code doc/proto.md} of
 * the project NetworkBlockDevice; comments name its sections. Begin with {@link io.longhorn.frontend.nbd.NbdServer}; {@code Handshake} settles with a client what it gets, and
 * {@code Transmission} serves its requests.
 */
@NullMarked
package io.longhorn.frontend.nbd;

import org.jspecify.annotations.NullMarked;
