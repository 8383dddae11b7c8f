package io.longhorn.frontend.nbd;

import io.netty.handler.ssl.SslContext;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What all connections of a server have in common.
 *
 * @param workers runs what blocks; each connection has at most one block status request and one TLS computation there
 * @param tls null if the mode is off
 */
record Shared(
        NbdSettings settings,
        Exports exports,
        Executor workers,
        @Nullable SslContext tls) {}
