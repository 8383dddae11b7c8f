package io.longhorn.app.daemon;

import java.io.Serial;

/** A request that the API itself refuses, before or beside anything that a volume says. */
final class ApiException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;

    /**
     * @param status of HTTP
     * @param code stable, in capitals, beside the names of {@link io.longhorn.ErrorCode}
     */
    ApiException(int status, String code, String detail) {
        super(detail);
        this.status = status;
        this.code = code;
    }

    static ApiException badRequest(String detail) {
        return new ApiException(400, "BAD_REQUEST", detail);
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }
}
