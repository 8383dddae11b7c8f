package io.longhorn.frontend.device;

/** Where a {@link FuseSession} puts its answers. */
interface FuseReplies {

    /** Sends the first bytes of the request's frame, if {@code lengthBytes} is not 0, and takes the request back. Any thread, does not wait. */
    void end(FuseRequest request, int lengthBytes);
}
