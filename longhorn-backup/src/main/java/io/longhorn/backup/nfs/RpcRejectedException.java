package io.longhorn.backup.nfs;

import java.io.IOException;
import java.io.Serial;

/** The server does not execute our calls at all. Trying again does not help. */
final class RpcRejectedException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    RpcRejectedException(String reason) {
        super(reason);
    }
}
