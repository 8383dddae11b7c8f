package io.longhorn.backup.nfs;

import java.io.IOException;

/** Turns what a server refuses into a sentence that says what to do. */
final class NfsFault {
    private final NfsTarget target;

    NfsFault(NfsTarget target) {
        this.target = target;
    }

    /** @param doing such as "reading a/b" */
    IOException explain(String doing, NfsException e) {
        return new IOException(doing + " at " + target.describe() + " failed: " + e.getMessage() + advice(e), e);
    }

    private String advice(NfsException e) {
        return switch (e.status()) {
            case NfsStatus.PERM, NfsStatus.ACCESS ->
                ". We came as uid " + target.uid() + ", gid " + target.gid()
                        + ", from an ordinary port: the export must allow this host, writing, and the option insecure;"
                        + " for root also no_root_squash; or give the owner of the directory by the options uid= and gid=";
            case NfsStatus.WRONGSEC -> ": the export must allow sec=sys";
            case NfsStatus.NOSPC -> ": the file system of the export is full";
            case NfsStatus.DQUOT -> ": the quota of uid " + target.uid() + ", gid " + target.gid() + " is used up";
            case NfsStatus.ROFS -> ": the export is read-only";
            case NfsStatus.NAMETOOLONG -> ": a name is too long for the file system of the export";
            case NfsStatus.SYMLINK -> ": symbolic links are not followed; give the path that they lead to";
            case NfsStatus.NOTDIR -> ": a part of the path is a file";
            case NfsStatus.MOVED -> ": the directory is at another server now, give that in the URL";
            case NfsStatus.IO -> ": the server cannot read or write its disk";
            case NfsStatus.DELAY, NfsStatus.GRACE -> ": the server is busy, try again later";
            default -> "";
        };
    }
}
