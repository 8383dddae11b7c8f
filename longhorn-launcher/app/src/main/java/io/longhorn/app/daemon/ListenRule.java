package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import java.net.InetSocketAddress;

/**
 * Where a frontend may listen: if it asks nobody who he is, only on loopback, unless whoever started the daemon says that its network is to be trusted.
 *
 * @param trusted whether he said so, or the frontend asks
 */
record ListenRule(boolean trusted) {

    /** @throws FrontendOpenException if others could reach it, and nobody said that they may */
    void check(HostPort address) {
        InetSocketAddress resolved = new InetSocketAddress(address.host(), address.port());
        if (resolved.isUnresolved()) {
            throw new IllegalArgumentException("unknown host " + address.host());
        }
        if (!trusted && !resolved.getAddress().isLoopbackAddress()) {
            throw new FrontendOpenException(address.toString());
        }
    }
}
