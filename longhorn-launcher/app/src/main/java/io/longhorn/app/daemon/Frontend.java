package io.longhorn.app.daemon;

import io.longhorn.frontend.BlockDevice;
import java.util.Optional;
import java.util.Set;

/**
 * One way to show block devices to other programs. Calls block; those about one attachment come one after the other, others at the same time. Failures are
 * {@link io.longhorn.FrontendException}s, or {@link IllegalArgumentException}s if the address is none.
 */
interface Frontend extends AutoCloseable {

    /**
     * A device that is shown.
     *
     * @param listen where, so that the same is found again after a restart; empty where that has no meaning
     * @param name what it is called there
     * @param endpoint what a client is given: an URI or the path of a device; empty if there is nothing to give
     */
    record Shown(String listen, String name, String endpoint) {}

    FrontendKind kind();

    /** Why it cannot be used on this machine; empty if it can. */
    Optional<String> problem();

    /**
     * Shows a device. The device stays the caller's and open until {@link #withdraw} has returned.
     *
     * @param attachment which one, and where and under which name it shall be shown or, after a restart, was shown before
     * @param taken the names of all others
     */
    Shown show(Attachment attachment, BlockDevice device, Set<String> taken);

    /**
     * Shows it no longer; what was confirmed to its clients is in the device.
     *
     * @throws io.longhorn.FrontendException if it cannot be, because somebody uses it; it is shown as before then
     */
    void withdraw(Attachment attachment);

    /** How many clients use it now. */
    int clients(Attachment attachment);

    /** Ends, leaving to its clients what may survive a restart of the daemon. The devices are still open. */
    @Override
    void close();
}
