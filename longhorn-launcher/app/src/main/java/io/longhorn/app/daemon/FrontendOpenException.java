package io.longhorn.app.daemon;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** A frontend would listen where others than this machine reach it. It does not. */
final class FrontendOpenException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String address;

    FrontendOpenException(String address) {
        super(
                ErrorCode.FRONTEND_OPEN,
                "listening on " + address + " lets everybody who reaches it use the volume; have clients prove"
                        + " who they are with --nbd-tls-ca or --iscsi-chap-file, or start the daemon with"
                        + " --trusted-network if that is meant");
        this.address = address;
    }

    String address() {
        return address;
    }
}
