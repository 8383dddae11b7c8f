package io.longhorn.backup.nfs;

import java.io.InterruptedIOException;

/** What an interrupt of the calling thread becomes. */
final class Interrupts {
    private Interrupts() {}

    /** To be thrown; sets the flag of the thread. */
    static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted while waiting for the NFS server");
    }
}
