package io.longhorn.frontend.nbd;

import io.longhorn.frontend.BlockDevice;

/** Says before anything is done which error a request gets (sections "Command flags" and "Error values"). */
final class RequestCheck {

    private final BlockDevice device;
    private final boolean readOnly;
    private final boolean structured;
    private final boolean status;
    private final int requestBytesMax;

    /**
     * @param structured whether structured replies were agreed on
     * @param status whether block status was
     */
    RequestCheck(BlockDevice device, boolean structured, boolean status, int requestBytesMax) {
        this.device = device;
        this.readOnly = device.isReadOnly();
        this.structured = structured;
        this.status = status;
        this.requestBytesMax = requestBytesMax;
    }

    void check(Request request) {
        int allowed = flagsOf(request.type);
        if (allowed < 0) {
            request.refuse(NbdWire.EINVAL, "this command is not known or was not agreed on");
        } else if ((request.flags & ~allowed) != 0) {
            request.refuse(NbdWire.EINVAL, "this command does not have these flags");
        } else if (readOnly && changes(request.type)) {
            request.refuse(NbdWire.EPERM, "the export is read-only");
        } else if (request.type == NbdWire.CMD_FLUSH) {
            if (request.offset != 0 || request.length != 0) {
                request.refuse(NbdWire.EINVAL, "a flush has no range");
            }
        } else {
            checkRange(request);
        }
    }

    private void checkRange(Request request) {
        boolean carriesData = request.type == NbdWire.CMD_READ || request.type == NbdWire.CMD_WRITE;
        if (carriesData && request.length > requestBytesMax) {
            int error = request.has(NbdWire.CMD_FLAG_DF) ? NbdWire.EOVERFLOW : NbdWire.EINVAL;
            request.refuse(error, "more than " + requestBytesMax + " bytes at once");
        } else if (!isInside(request.offset, request.length, device.sizeBytes())) {
            int error = request.type == NbdWire.CMD_WRITE || request.type == NbdWire.CMD_WRITE_ZEROES
                    ? NbdWire.ENOSPC
                    : NbdWire.EINVAL;
            request.refuse(error, "the range is not inside the export");
        } else if (request.type == NbdWire.CMD_BLOCK_STATUS && request.length == 0) {
            request.refuse(NbdWire.EINVAL, "the range is empty");
        }
    }

    /** The flags that a command may have; -1 if there is no such command. The flag FUA is harmless everywhere, and clients are known to set it. */
    private int flagsOf(int type) {
        return switch (type) {
            case NbdWire.CMD_READ -> structured ? NbdWire.CMD_FLAG_FUA | NbdWire.CMD_FLAG_DF : NbdWire.CMD_FLAG_FUA;
            case NbdWire.CMD_WRITE, NbdWire.CMD_FLUSH, NbdWire.CMD_TRIM, NbdWire.CMD_CACHE -> NbdWire.CMD_FLAG_FUA;
            case NbdWire.CMD_WRITE_ZEROES ->
                NbdWire.CMD_FLAG_FUA | NbdWire.CMD_FLAG_NO_HOLE | NbdWire.CMD_FLAG_FAST_ZERO;
            case NbdWire.CMD_BLOCK_STATUS -> status ? NbdWire.CMD_FLAG_FUA | NbdWire.CMD_FLAG_REQ_ONE : -1;
            default -> -1;
        };
    }

    private static boolean changes(int type) {
        return type == NbdWire.CMD_WRITE || type == NbdWire.CMD_TRIM || type == NbdWire.CMD_WRITE_ZEROES;
    }

    /** Offsets are unsigned on the wire: those beyond 2^63 look negative. Written so that no sum can overflow. */
    private static boolean isInside(long offset, long length, long size) {
        return offset >= 0 && offset <= size && length <= size - offset;
    }
}
