package io.longhorn.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A disk of a host with its page cache. What is promised: the bytes of a file that a successful sync covered, and the names that a
 * successful sync of their directory covered. Everything else a power loss may keep, lose, tear at sector
 * boundaries or keep in part.
 */
public final class SimDisk {
    private static final long UNLIMITED_PAGES = Long.MAX_VALUE >> 13;

    private final SimHost host;
    private final String name;
    private final SimRandom random;

    private final NavigableMap<String, SimInode> files = new TreeMap<>();
    private final NavigableMap<String, SimInode> stableFiles = new TreeMap<>();
    private final TreeSet<String> directories = new TreeSet<>();
    private final TreeSet<String> stableDirectories = new TreeSet<>();
    private final List<Change> pending = new ArrayList<>();

    private long quotaPages = UNLIMITED_PAGES;
    private long usedPages;
    private boolean punches = true;
    private int slowness = 1;
    private int syncSlowness = 1;
    private int syncsToFail;
    private int writesToFail;
    private long operations;
    private long crashAt = -1;
    /** The end of the names of files whose writes count for the crash; empty: every operation does. */
    private String crashIn = "";

    private @Nullable Runnable crash;
    private int damages;
    private Runnable whenSyncFails = () -> {};

    public SimDisk(SimHost host, String name) {
        this.host = host;
        this.name = name;
        this.random = host.scheduler().random().split();
        directories.add("");
        stableDirectories.add("");
        host.attach(this);
    }

    /** A change of names that is not durable yet. Absent parts are empty. */
    private record Change(
            String directory,
            String removed,
            String added,
            @Nullable SimInode file) {}

    public String name() {
        return name;
    }

    public SimHost host() {
        return host;
    }

    SimRandom random() {
        return random;
    }

    /** The disk as {@code process} sees it; operations in a turn of {@code loop} make that turn last longer. */
    public SimDirectory mount(SimProcess process, SimLoop loop) {
        if (process.host() != host) {
            throw new IllegalArgumentException(process.name() + " does not run on " + host.name());
        }
        return new SimDirectory(this, process, loop);
    }

    // Faults.

    /** Space in all. */
    public void quotaBytes(long bytes) {
        quotaPages = bytes / SimInode.PAGE_BYTES;
    }

    /** Whether files can have holes punched. */
    public void punches(boolean supported) {
        punches = supported;
    }

    boolean punches() {
        return punches;
    }

    /** Everything takes so many times as long. */
    public void slowness(int factor) {
        slowness = factor;
    }

    int slowness() {
        return slowness;
    }

    /** Syncs of the journal take that many times as long again. */
    public void syncSlowness(int factor) {
        syncSlowness = factor;
    }

    int syncSlowness() {
        return syncSlowness;
    }

    /** The next {@code count} syncs of files fail and lose what they were to make stable. */
    public void failSyncs(int count) {
        syncsToFail = count;
    }

    /** Runs {@code action} whenever a sync has failed. */
    public void whenSyncFails(Runnable action) {
        whenSyncFails = action;
    }

    /** The next {@code count} writes fail in their middle. */
    public void failWrites(int count) {
        writesToFail = count;
    }

    /** Runs {@code action}, which kills the process, in the middle of the operation after {@code after} others. */
    public void armCrash(long after, Runnable action) {
        crashIn = "";
        crashAt = operations + after;
        crash = action;
    }

    /** The same in the next write to a file whose name ends so. */
    public void armCrashInWrite(String suffix, Runnable action) {
        crashIn = suffix;
        crashAt = -1;
        crash = action;
    }

    public void disarm() {
        crashAt = -1;
        crashIn = "";
        crash = null;
        syncsToFail = 0;
        writesToFail = 0;
    }

    /** Flips a bit of a random stable page of a random file under {@code prefix} whose name ends with {@code suffix}. Returns the file's name, or "" if none fits. */
    public String flipBit(String prefix, String suffix) {
        return damage(prefix, suffix, false);
    }

    /** A random page of such a file cannot be read any more until it is written. */
    public String spoilPage(String prefix, String suffix) {
        return damage(prefix, suffix, true);
    }

    private String damage(String prefix, String suffix, boolean unreadable) {
        List<String> fitting = new ArrayList<>();
        for (String file : files.keySet()) {
            if (file.startsWith(prefix) && file.endsWith(suffix)) {
                fitting.add(file);
            }
        }
        for (int attempt = 0; attempt < 16 && !fitting.isEmpty(); attempt++) {
            String file = fitting.get(random.below(fitting.size()));
            SimInode inode = inode(file);
            if (inode.pages() == 0) {
                continue;
            }
            int page = random.below(inode.pages());
            int bit = random.below(SimInode.PAGE_BYTES * 8);
            if (unreadable ? inode.spoil(page) : inode.flip(page, bit)) {
                damages++;
                host.scheduler().note(name, unreadable ? "bad sector in page" : "flips a bit of page", page, bit);
                return file;
            }
        }
        return "";
    }

    /** Bits flipped and pages spoiled so far. */
    public int damages() {
        return damages;
    }

    /** Nothing fails any more: unreadable pages can be read again, there is room, and no fault is to come. What was lost or flipped stays so. */
    public void heal() {
        disarm();
        slowness = 1;
        syncSlowness = 1;
        quotaPages = UNLIMITED_PAGES;
        for (SimInode inode : files.values()) {
            inode.heal();
        }
    }

    /** The kernel drops clean pages from its cache. */
    public void dropCaches() {
        for (SimInode inode : files.values()) {
            inode.evict();
        }
    }

    /** The disk is replaced by an empty one. Its host's processes must not be using it. */
    public void erase() {
        files.clear();
        stableFiles.clear();
        directories.clear();
        stableDirectories.clear();
        directories.add("");
        stableDirectories.add("");
        pending.clear();
        usedPages = 0;
        disarm();
    }

    /** Power is lost. Only the host calls this, its processes being dead. */
    void losePower() {
        SimInode.Loss[] ways = SimInode.Loss.values();
        SimInode.Loss loss = ways[random.below(ways.length)];
        host.scheduler().note(name, "loses what was not synced, way", loss.ordinal(), pending.size());
        int kept = pending.isEmpty() ? 0 : random.below(pending.size() + 1);
        for (int i = 0; i < pending.size(); i++) {
            boolean keeps = switch (loss) {
                case NOTHING_KEPT -> false;
                case ALL_KEPT -> true;
                case OLDEST_PAGES_KEPT -> i < kept;
                case PAGES_AT_RANDOM, SECTORS_AT_RANDOM -> random.coin();
            };
            if (keeps) {
                makeStable(pending.get(i));
            }
        }
        pending.clear();
        stableDirectories.removeIf(d -> !d.isEmpty() && !stableDirectories.contains(parent(d)));
        stableFiles.keySet().removeIf(f -> !stableDirectories.contains(parent(f)));
        directories.clear();
        directories.addAll(stableDirectories);
        files.clear();
        files.putAll(stableFiles);
        for (SimInode inode : files.values()) {
            inode.losePower(loss);
            inode.links = 1;
        }
        usedPages = 0;
        for (SimInode inode : files.values()) {
            usedPages += inode.allocatedPages();
        }
        disarm();
    }

    private void makeStable(Change change) {
        SimInode file = change.file;
        if (file == null) {
            // Directories come and go; a trailing slash tells them from files.
            if (change.added.endsWith("/")) {
                stableDirectories.add(change.added.substring(0, change.added.length() - 1));
            } else if (change.removed.endsWith("/")) {
                stableDirectories.remove(change.removed.substring(0, change.removed.length() - 1));
            } else {
                stableFiles.remove(change.removed);
            }
            return;
        }
        if (!change.removed.isEmpty() && stableFiles.get(change.removed) == file) {
            stableFiles.remove(change.removed);
        }
        stableFiles.put(change.added, file);
    }

    // Space.

    void takePage() throws IOException {
        if (usedPages >= quotaPages) {
            throw new IOException("No space left on device");
        }
        usedPages++;
    }

    void givePage() {
        usedPages--;
    }

    void usedPages(int more) {
        usedPages += more;
    }

    long usableBytes() {
        return Math.max(0, quotaPages - usedPages) * SimInode.PAGE_BYTES;
    }

    /** Bytes that files take. */
    public long usedBytes() {
        return usedPages * SimInode.PAGE_BYTES;
    }

    // Operations. Each is counted; the process may die in the middle of one.

    /** Counts an operation. Returns whether the process is to die in it: the caller does a part of it and calls {@link #die}. */
    boolean begin(SimProcess process) {
        if (!process.isAlive()) {
            throw new SimCrash(process.name() + " is dead");
        }
        return operations++ == crashAt;
    }

    /** The same for a write to the file. */
    boolean beginWrite(SimProcess process, String fileName) {
        return begin(process) || (!crashIn.isEmpty() && fileName.endsWith(crashIn));
    }

    void die() {
        Runnable action = crash;
        crashAt = -1;
        crashIn = "";
        crash = null;
        if (action != null) {
            action.run();
        }
        throw new SimCrash("died in a file operation");
    }

    boolean syncFails() {
        if (syncsToFail > 0) {
            syncsToFail--;
            host.scheduler().note(name, "sync fails", operations, 0);
            whenSyncFails.run();
            return true;
        }
        return false;
    }

    boolean writeFails() {
        if (writesToFail > 0) {
            writesToFail--;
            host.scheduler().note(name, "write fails", operations, 0);
            return true;
        }
        return false;
    }

    // Names.

    List<String> list(String directory) {
        String prefix = directory.isEmpty() ? "" : directory + "/";
        TreeSet<String> names = new TreeSet<>();
        for (String file : files.keySet()) {
            if (parent(file).equals(directory)) {
                names.add(file.substring(prefix.length()));
            }
        }
        for (String sub : directories) {
            if (!sub.isEmpty() && parent(sub).equals(directory)) {
                names.add(sub.substring(prefix.length()));
            }
        }
        return new ArrayList<>(names);
    }

    boolean exists(String file) {
        return files.containsKey(file) || directories.contains(file);
    }

    void createDirectories(String directory) {
        if (directories.add(directory)) {
            createDirectories(parent(directory));
            pending.add(new Change(parent(directory), "", directory + "/", null));
        }
    }

    SimInode open(String file, boolean create) throws IOException {
        SimInode inode = files.get(file);
        if (create) {
            if (inode != null) {
                throw new java.nio.file.FileAlreadyExistsException(name + "/" + file);
            }
            if (!directories.contains(parent(file))) {
                throw new java.nio.file.NoSuchFileException(name + "/" + parent(file));
            }
            inode = new SimInode(this);
            inode.links = 1;
            files.put(file, inode);
            pending.add(new Change(parent(file), "", file, inode));
        } else if (inode == null) {
            throw new java.nio.file.NoSuchFileException(name + "/" + file);
        }
        inode.links++;
        return inode;
    }

    void rename(String from, String to) throws IOException {
        SimInode inode = files.remove(from);
        if (inode == null) {
            throw new java.nio.file.NoSuchFileException(name + "/" + from);
        }
        SimInode replaced = files.put(to, inode);
        if (replaced != null) {
            unlink(replaced);
        }
        pending.add(new Change(parent(to), from, to, inode));
    }

    void delete(String file) throws IOException {
        SimInode inode = files.remove(file);
        if (inode != null) {
            pending.add(new Change(parent(file), file, "", null));
            unlink(inode);
        } else if (directories.contains(file)) {
            if (!list(file).isEmpty()) {
                throw new java.nio.file.DirectoryNotEmptyException(name + "/" + file);
            }
            directories.remove(file);
            pending.add(new Change(parent(file), file + "/", "", null));
        }
    }

    void unlink(SimInode inode) {
        if (--inode.links == 0) {
            usedPages -= inode.allocatedPages();
        }
    }

    void syncDirectory(String directory) {
        for (Iterator<Change> i = pending.iterator(); i.hasNext(); ) {
            Change change = i.next();
            if (change.directory.equals(directory)
                    || (!change.removed.isEmpty() && parent(change.removed).equals(directory))) {
                makeStable(change);
                i.remove();
            }
        }
    }

    private SimInode inode(String file) {
        SimInode inode = files.get(file);
        if (inode == null) {
            throw new IllegalStateException("no file " + file);
        }
        return inode;
    }

    /** Every file's name with its size, for messages. */
    public Map<String, Long> sizes() {
        Map<String, Long> sizes = new TreeMap<>();
        files.forEach((file, inode) -> sizes.put(file, inode.size()));
        return sizes;
    }

    static String parent(String file) {
        int slash = file.endsWith("/") ? file.lastIndexOf('/', file.length() - 2) : file.lastIndexOf('/');
        return slash < 0 ? "" : file.substring(0, slash);
    }
}
