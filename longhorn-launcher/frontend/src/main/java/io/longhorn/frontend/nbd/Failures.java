package io.longhorn.frontend.nbd;

import io.longhorn.DiskFullException;
import io.longhorn.OutOfRangeException;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.VolumeClosedException;
import java.util.concurrent.CompletionException;

/** The error values (section "Error values") for what a device fails with. */
final class Failures {

    private Failures() {}

    /** What a stage failed with, without the wrapping of stages. */
    static Throwable unwrap(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    static int error(Throwable failure) {
        if (failure instanceof DiskFullException) {
            return NbdWire.ENOSPC;
        }
        if (failure instanceof ReadOnlyVolumeException) {
            return NbdWire.EPERM;
        }
        if (failure instanceof OutOfRangeException) {
            return NbdWire.EINVAL;
        }
        if (failure instanceof VolumeClosedException) {
            return NbdWire.ESHUTDOWN;
        }
        if (failure instanceof OutOfMemoryError) {
            return NbdWire.ENOMEM;
        }
        return NbdWire.EIO;
    }
}
