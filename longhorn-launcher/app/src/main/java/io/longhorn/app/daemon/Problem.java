package io.longhorn.app.daemon;

import io.longhorn.ErrorCode;
import io.longhorn.LonghornException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A failure as the API tells it (RFC 9457).
 *
 * @param status of HTTP
 * @param code stable: the name of an {@link ErrorCode}, or one of {@link ApiException}
 * @param number the stable number of the {@code ErrorCode}, 0 if there is none
 * @param remedy what to do, a {@link io.longhorn.Remedy}
 * @param detail for people
 */
record Problem(int status, String code, int number, String remedy, String detail) {
    private static final Logger LOG = LoggerFactory.getLogger(Problem.class);

    static final String CONTENT_TYPE = "application/problem+json";

    static Problem of(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof LonghornException known) {
            return new Problem(
                    status(known.errorCode()),
                    known.errorCode().name(),
                    known.code(),
                    known.remedy().name(),
                    message);
        }
        if (failure instanceof ApiException refused) {
            String remedy = refused.status() == 503 ? "RETRY" : "FIX_ARGUMENT";
            return new Problem(refused.status(), refused.code(), 0, remedy, message);
        }
        if (failure instanceof IllegalArgumentException) {
            return new Problem(400, "BAD_REQUEST", 0, "FIX_ARGUMENT", message);
        }
        if (failure instanceof UnsupportedOperationException) {
            return new Problem(409, "UNSUPPORTED", 0, "FIX_ARGUMENT", message);
        }
        if (failure instanceof CancellationException) {
            return new Problem(409, "CANCELLED", 0, "RETRY", "cancelled");
        }
        LOG.error("a request failed for a reason that nobody foresaw", failure);
        return new Problem(
                500,
                "INTERNAL",
                0,
                "FIX_SETUP",
                "the daemon failed: " + failure.getClass().getSimpleName() + "; its log has more");
    }

    /** Which status tells a condition best; where none does, its remedy decides. */
    private static int status(ErrorCode code) {
        return switch (code) {
            case VOLUME_NOT_FOUND, SNAPSHOT_NOT_FOUND, REPLICA_NOT_FOUND, BACKUP_NOT_FOUND -> 404;
            case VOLUME_EXISTS, SNAPSHOT_EXISTS, BACKUP_EXISTS, VOLUME_IN_USE, VOLUME_ATTACHED -> 409;
            case FRONTEND_OPEN -> 403;
            case SNAPSHOT_LIMIT, VOLUME_INCOMPLETE, SALVAGE_NEEDED, SALVAGE_REFUSED -> 409;
            case TIME_LIMIT -> 504;
            case BACKUP_TARGET_FAILED, REPLICA_UNREACHABLE -> 502;
            default ->
                switch (code.remedy()) {
                    case RETRY -> 503;
                    case FREE_SPACE -> 507;
                    case FIX_ARGUMENT, REOPEN, SALVAGE -> 409;
                    case GO_ON_DEGRADED, FIX_SETUP, FIX_VERSION, DATA_LOST, VOLUME_LOST -> 500;
                };
        };
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("type", "urn:longhorn:problem:" + code.toLowerCase(Locale.ROOT).replace('_', '-'));
        json.put("title", code);
        json.put("status", status);
        json.put("detail", detail);
        json.put("code", code);
        if (number != 0) {
            json.put("number", number);
        }
        json.put("remedy", remedy);
        return json;
    }
}
