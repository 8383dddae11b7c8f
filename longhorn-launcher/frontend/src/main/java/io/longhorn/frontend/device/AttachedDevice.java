package io.longhorn.frontend.device;

import java.io.IOException;
import java.nio.file.Path;

/** A device that the kernel shows. */
interface AttachedDevice {

    /** The kernel's own name for it, such as {@code /dev/loop7}. */
    Path path();

    /** Tells the kernel the size that the device has now. */
    void refreshSize() throws IOException, InterruptedException;

    /**
     * Takes it away again.
     *
     * @throws DeviceBusyException if it is in use; nothing was changed
     */
    void detach() throws IOException, InterruptedException;
}
