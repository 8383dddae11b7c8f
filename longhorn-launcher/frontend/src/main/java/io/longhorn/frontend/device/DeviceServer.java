package io.longhorn.frontend.device;

import io.longhorn.frontend.BlockDevice;
import java.net.URI;

/** A server of ours that clients of the kernel can log in to: the NBD server or the iSCSI target. Called from any thread, may block. */
public interface DeviceServer {

    /**
     * Serves the device until {@link #withdraw}; when it is served already, nothing changes.
     *
     * @return {@code nbd://HOST:PORT/EXPORT} or {@code nbd+unix:///EXPORT?socket=PATH}, or {@code iscsi://HOST:PORT/IQN/LUN}. A session of iSCSI finds its target again after
     *     a restart only if this is the same as before
     */
    URI serve(BlockDevice device);

    /** Serves the device of that name no longer; does nothing if it is not served. */
    void withdraw(String name);
}
