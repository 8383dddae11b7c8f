package io.longhorn.replica.disk;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A file that {@link OpenFiles} opens when it is used and may close when it is not. Opened and closed by the loop; a worker uses it while it is retained.
 */
public final class CachedFile {
    private final OpenFiles openFiles;
    private final String name;
    /** Written by the loop; a worker reads it after the loop handed work over. */
    private volatile @Nullable DiskFile file;

    private volatile boolean unsynced;
    private int retained;
    /** Used since the clock's last round; a lost update only makes the choice of what to close worse. */
    private boolean used;

    /** Opens nothing yet. */
    public CachedFile(OpenFiles openFiles, String name) {
        this.openFiles = openFiles;
        this.name = name;
    }

    /** As {@link DiskDirectory} knows it. */
    public String name() {
        return name;
    }

    /** The open file. Loop, which opens it if need be, or worker while retained. */
    public DiskFile file() throws IOException {
        DiskFile present = file;
        used = true;
        return present != null ? present : openFiles.open(this);
    }

    /** Loop only, as the next four. */
    void opened(DiskFile opened) {
        file = opened;
    }

    /** Opens the file and keeps it open for a worker, until {@link #release}. Counted. */
    public void retain() throws IOException {
        file();
        retained++;
    }

    /** The worker is done. */
    public void release() {
        if (retained == 0) {
            throw new IllegalStateException(name + " is not retained");
        }
        retained--;
    }

    boolean isRetained() {
        return retained > 0;
    }

    /** Whether the clock may close it now; takes away its mark of use. */
    boolean mayClose() {
        boolean idle = !used;
        used = false;
        return idle && retained == 0 && !unsynced;
    }

    void close() throws IOException {
        DiskFile present = file;
        file = null;
        unsynced = false;
        if (present != null) {
            present.close();
        }
    }

    boolean isOpen() {
        return file != null;
    }

    /** From now until a sync the file stays open: another opening of it might not hear of a write that failed. */
    public void changed() {
        unsynced = true;
    }

    /** Whether something was written that no sync covers. */
    public boolean isUnsynced() {
        return unsynced;
    }

    /** See {@link DiskFile#sync}; after a failure the file stays unsynced. Loop, or worker while retained. */
    public void sync() throws IOException {
        DiskFile present = file();
        unsynced = false;
        try {
            present.sync();
        } catch (IOException e) {
            unsynced = true;
            throw e;
        }
    }
}
