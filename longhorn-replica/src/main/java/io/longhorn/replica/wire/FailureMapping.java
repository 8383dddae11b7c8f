package io.longhorn.replica.wire;

import io.longhorn.AuthenticationFailedException;
import io.longhorn.DiskFullException;
import io.longhorn.ErrorCode;
import io.longhorn.FencedException;
import io.longhorn.LonghornException;
import io.longhorn.ReplicaException;
import io.longhorn.VersionMismatchException;
import io.longhorn.WrongClusterException;
import java.util.UUID;

/**
 * Conditions as ERROR messages and back. A code's two numbers and their meaning stand in {@code docs/format/wire.md}, section 9.
 */
public final class FailureMapping {
    private FailureMapping() {}

    /** A failure of which the code says everything. */
    public static Message.Failure of(ErrorCode code, String detail) {
        return of(code, 0, 0, detail);
    }

    public static Message.Failure of(ErrorCode code, long first, long second, String detail) {
        return new Message.Failure(code.number(), first, second, detail);
    }

    /** A frame that a layout's check refused; {@code number} is its sequence or request id. */
    public static Message.Failure of(FrameFault fault, long number, String detail) {
        return of(fault.errorCode(), number, 0, detail);
    }

    /** What a server tells its peer when {@code e} ended a request. */
    public static Message.Failure of(LonghornException e) {
        long first = 0;
        long second = 0;
        if (e instanceof VersionMismatchException mismatch) {
            first = mismatch.ourOldest();
            second = mismatch.ourNewest();
        } else if (e instanceof WrongClusterException wrong) {
            first = wrong.found().getMostSignificantBits();
            second = wrong.found().getLeastSignificantBits();
        } else if (e instanceof DiskFullException full) {
            first = full.neededBytes();
            second = full.availableBytes();
        } else if (e instanceof FencedException fenced) {
            first = fenced.newerEpoch();
            second = fenced.epoch();
        }
        return of(e.errorCode(), first, second, words(e));
    }

    /**
     * What the receiver of {@code failure} throws, or keeps as the cause of what it throws. Being fenced is left to the engine, which
     * knows its volume and epoch ({@link FencedException}).
     *
     * @param peer who sent it
     * @param hello what was sent to it first; our side of a mismatch of versions or clusters
     */
    public static ReplicaException exception(String peer, Message.Hello hello, Message.Failure failure) {
        ErrorCode code = ErrorCode.of(failure.code()).orElse(ErrorCode.SERVER_FAILED);
        return switch (code) {
            case VERSION_MISMATCH ->
                new VersionMismatchException(
                        peer, hello.versionMin(), hello.versionMax(), (int) failure.first(), (int) failure.second());
            case WRONG_CLUSTER ->
                new WrongClusterException(peer, hello.clusterId(), new UUID(failure.first(), failure.second()));
            case AUTHENTICATION_FAILED -> new AuthenticationFailedException(peer, failure.detail());
            case DISK_FULL -> new DiskFullException(peer, failure.first(), failure.second());
            default -> new RefusedException(code, peer, failure);
        };
    }

    private static String words(LonghornException e) {
        String message = e.getMessage();
        return message == null ? e.errorCode().name() : message;
    }
}
