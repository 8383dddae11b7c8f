package io.longhorn.frontend.device;

import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.util.Optional;

/** One way to make the kernel show a device. Called with the name's lock held, so one call per name at a time. */
interface Mechanism {

    DeviceMechanism kind();

    /** What this host lacks for it, for people, and what to do about it; empty if nothing. */
    Optional<String> missing();

    /**
     * Makes the kernel show the device, or goes on with what an earlier process left if that still works.
     *
     * @param record where to put down, before it comes to be, what {@link #cleanUp} must know
     */
    AttachedDevice attach(BlockDevice device, DeviceRecord record) throws IOException, InterruptedException;

    /**
     * Takes away what a process that ended has left of a device.
     *
     * @return whether the link and the record can go: false if the device waits to be attached again
     */
    boolean cleanUpAtStart(DeviceRecord record) throws IOException, InterruptedException;

    /** Takes away what waits to be attached again. */
    void cleanUp(DeviceRecord record) throws IOException, InterruptedException;
}
