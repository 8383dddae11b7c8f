package io.longhorn.replica.disk;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The files of layers that are open on a disk: opened on use, and ones unused for long closed when there are too many. Files that are retained or have unsynced
 * writes stay open, so for a time there may be more than allowed. Belongs to one loop.
 */
public final class OpenFiles {
    /**
     * A file takes up to three descriptors (reading, syncing, punching; a fourth while a rebuild writes past the cache), so this is three quarters of the 20,000 that a server for 1,000 volumes may need.
     */
    public static final int DEFAULT_MAX = 5_000;

    private final DiskDirectory directory;
    private final int openMax;
    private final List<CachedFile> open = new ArrayList<>();
    private int hand;

    /** @param openMax files open at a time, if none is retained or unsynced */
    public OpenFiles(DiskDirectory directory, int openMax) {
        if (openMax < 1) {
            throw new IllegalArgumentException(openMax + " open files; expected at least 1");
        }
        this.directory = directory;
        this.openMax = openMax;
    }

    /** Where the files are. */
    public DiskDirectory directory() {
        return directory;
    }

    /** Files open now. */
    public int open() {
        return open.size();
    }

    DiskFile open(CachedFile file) throws IOException {
        makeRoom();
        DiskFile opened = directory.open(file.name(), false);
        file.opened(opened);
        open.add(file);
        return opened;
    }

    /** Closes a file that its owner needs no more. */
    public void close(CachedFile file) throws IOException {
        if (file.isRetained()) {
            throw new IllegalStateException(file.name() + " is still retained");
        }
        int index = open.indexOf(file);
        if (index >= 0) {
            remove(index);
            file.close();
        }
    }

    /** Closes all of them; the first failure is thrown after the last close. */
    public void close() throws IOException {
        IOException first = null;
        for (CachedFile file : open) {
            first = closeKeeping(file, first);
        }
        open.clear();
        if (first != null) {
            throw first;
        }
    }

    private static @Nullable IOException closeKeeping(CachedFile file, @Nullable IOException first) {
        try {
            file.close();
            return first;
        } catch (IOException e) {
            if (first == null) {
                return e;
            }
            first.addSuppressed(e);
            return first;
        }
    }

    /** Two rounds of the clock at most: the first may only take marks of use away. */
    private void makeRoom() throws IOException {
        for (int looked = 0; open.size() >= openMax && looked < 2 * openMax; looked++) {
            if (hand >= open.size()) {
                hand = 0;
            }
            CachedFile candidate = open.get(hand);
            if (candidate.mayClose()) {
                remove(hand);
                candidate.close();
            } else {
                hand++;
            }
        }
    }

    private void remove(int index) {
        CachedFile last = open.remove(open.size() - 1);
        if (index < open.size()) {
            open.set(index, last);
        }
    }
}
