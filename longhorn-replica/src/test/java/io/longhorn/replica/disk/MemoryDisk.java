package io.longhorn.replica.disk;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A disk in memory that keeps apart what was written and what is durable. {@link #crash} is a power loss: each sector written since the file's last sync is the new or
 * the old one, each name is there or not. Also fails syncs, cuts writes short and runs full, when told. For this package's own tests; the simulator has a larger one.
 */
public final class MemoryDisk implements DiskDirectory {
    private static final int PAGE = 4096;
    private static final int SECTOR = 512;

    private final Map<String, Inode> names = new TreeMap<>();
    private final Map<String, Inode> durableNames = new TreeMap<>();
    private final Set<String> directories = new HashSet<>(Set.of(""));

    /** Pages that may still be allocated. */
    public long freePages = Long.MAX_VALUE / PAGE;
    /** Syncs of files whose name contains this fail. */
    public String failingSync = "-none-";
    /** Writes to files whose name contains this stop half-way and fail. */
    public String failingWrite = "-none-";

    /** What a failed sync should have made durable is clean from then on, as an operating system has it. */
    public boolean failedSyncsForget;

    /** Pages that cannot be read, as {@code name@page}. Writing does not help. */
    public final Set<String> unreadable = new HashSet<>();
    /** Whether {@link DiskFile#nextData} knows. */
    public boolean tellsHoles;

    public int syncs;
    public int writes;
    /** How often room was asked for ahead of a write. */
    public int reservations;

    public int open;
    public long bytesRead;

    private static final class Inode {
        private final Map<Long, byte[]> pages = new HashMap<>();
        private final Map<Long, byte[]> durablePages = new HashMap<>();
        private final Set<Long> dirty = new HashSet<>();
        private long size;
        private long durableSize;
    }

    /** The machine loses its power. */
    public void crash(Random random) {
        for (Inode inode : new HashSet<>(names.values())) {
            if (random.nextBoolean()) {
                inode.durableSize = inode.size;
            }
            for (long page : inode.dirty) {
                byte[] now = inode.pages.getOrDefault(page, new byte[PAGE]);
                byte[] after =
                        inode.durablePages.getOrDefault(page, new byte[PAGE]).clone();
                int mode = random.nextInt(3);
                for (int at = 0; at < PAGE; at += SECTOR) {
                    if (mode == 0 || (mode == 1 && random.nextBoolean())) {
                        System.arraycopy(now, at, after, at, SECTOR);
                    }
                }
                inode.durablePages.put(page, after);
            }
        }
        Set<String> all = new TreeSet<>(names.keySet());
        all.addAll(durableNames.keySet());
        for (String name : all) {
            Inode now = names.get(name);
            if (now != durableNames.get(name) && random.nextBoolean()) {
                if (now == null) {
                    durableNames.remove(name);
                } else {
                    durableNames.put(name, now);
                }
            }
        }
        forgetUnsynced();
    }

    /** A power loss of which nothing unsynced survives. */
    public void forgetUnsynced() {
        names.clear();
        names.putAll(durableNames);
        names.keySet().forEach(name -> createDirectories(MetadataFile.parent(name)));
        for (Inode inode : names.values()) {
            inode.pages.clear();
            inode.durablePages.forEach((page, bytes) -> inode.pages.put(page, bytes.clone()));
            inode.dirty.clear();
            inode.size = inode.durableSize;
        }
    }

    /** What is on the disk now. */
    public byte[] bytes(String name) {
        Inode inode = inode(name);
        byte[] all = new byte[(int) inode.size];
        inode.pages.forEach((page, bytes) -> {
            int from = (int) (page * PAGE);
            if (from < all.length) {
                System.arraycopy(bytes, 0, all, from, Math.min(PAGE, all.length - from));
            }
        });
        return all;
    }

    /** Replaces a file, durably, whatever it was; makes it if need be. */
    public void put(String name, byte[] bytes) {
        Inode inode = new Inode();
        inode.size = bytes.length;
        inode.durableSize = bytes.length;
        for (int at = 0; at < bytes.length; at += PAGE) {
            byte[] page = Arrays.copyOf(Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + PAGE)), PAGE);
            inode.pages.put((long) at / PAGE, page);
            inode.durablePages.put((long) at / PAGE, page.clone());
        }
        names.put(name, inode);
        durableNames.put(name, inode);
        directories.add(MetadataFile.parent(name));
    }

    /** Flips bits of a byte, durably. */
    public void flip(String name, long position, int mask) {
        Inode inode = inode(name);
        long page = position / PAGE;
        inode.pages.computeIfAbsent(page, p -> new byte[PAGE])[(int) (position % PAGE)] ^= (byte) mask;
        inode.durablePages.put(page, inode.pages.get(page).clone());
    }

    /** Writes bytes of a file, durably. */
    public void poke(String name, long position, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            int now = peek(name, position + i);
            flip(name, position + i, now ^ bytes[i]);
        }
    }

    /** Writes a buffer from 0 to its limit, durably. */
    public void poke(String name, long position, ByteBuffer bytes) {
        byte[] copy = new byte[bytes.limit()];
        bytes.get(0, copy);
        poke(name, position, copy);
    }

    int peek(String name, long position) {
        byte[] page = inode(name).pages.get(position / PAGE);
        return page == null ? 0 : page[(int) (position % PAGE)];
    }

    public List<String> allNames() {
        return List.copyOf(names.keySet());
    }

    private Inode inode(String name) {
        Inode inode = names.get(name);
        if (inode == null) {
            throw new IllegalArgumentException("no file " + name + " among " + names.keySet());
        }
        return inode;
    }

    @Override
    public List<String> list(String directory) {
        check(directory);
        Set<String> found = new TreeSet<>();
        for (Set<String> all : List.of(names.keySet(), directories)) {
            all.stream()
                    .filter(name -> !name.isEmpty() && MetadataFile.parent(name).equals(directory))
                    .forEach(name -> found.add(name.substring(name.lastIndexOf('/') + 1)));
        }
        return List.copyOf(found);
    }

    private static void check(String name) {
        for (String part : name.split("/", -1)) {
            if (part.equals("..") || part.equals(".") || (part.isEmpty() && !name.isEmpty())) {
                throw new IllegalArgumentException(name);
            }
        }
    }

    @Override
    public boolean exists(String name) {
        return names.containsKey(name) || directories.contains(name);
    }

    @Override
    public void createDirectories(String directory) {
        for (String each = directory; !each.isEmpty(); each = MetadataFile.parent(each)) {
            directories.add(each);
        }
    }

    @Override
    public DiskFile open(String name, boolean create) throws IOException {
        check(name);
        if (create) {
            if (names.containsKey(name)) {
                throw new FileAlreadyExistsException(name);
            }
            if (!directories.contains(MetadataFile.parent(name))) {
                throw new FileNotFoundException(name);
            }
            names.put(name, new Inode());
        }
        Inode inode = names.get(name);
        if (inode == null) {
            throw new FileNotFoundException(name);
        }
        open++;
        return new MemoryFile(name, inode);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        if (!exists(from)) {
            throw new FileNotFoundException(from);
        }
        for (String name : Set.copyOf(names.keySet())) {
            if (name.equals(from) || name.startsWith(from + "/")) {
                names.put(to + name.substring(from.length()), inode(name));
                names.remove(name);
            }
        }
        for (String name : Set.copyOf(directories)) {
            if (name.equals(from) || name.startsWith(from + "/")) {
                directories.add(to + name.substring(from.length()));
                directories.remove(name);
            }
        }
    }

    @Override
    public void delete(String name) throws IOException {
        check(name);
        if (directories.contains(name) && !list(name).isEmpty()) {
            throw new DirectoryNotEmptyException(name);
        }
        Inode removed = names.remove(name);
        if (removed != null) {
            freePages += removed.pages.size();
        }
        directories.remove(name);
    }

    @Override
    public void syncDirectory(String directory) throws IOException {
        syncs++;
        if ("directory".equals(failingSync)) {
            throw new IOException("told to fail the sync of directory " + directory);
        }
        durableNames.keySet().removeIf(name -> MetadataFile.parent(name).equals(directory));
        names.forEach((name, inode) -> {
            if (MetadataFile.parent(name).equals(directory)) {
                durableNames.put(name, inode);
            }
        });
    }

    @Override
    public long usableBytes() {
        return freePages * PAGE;
    }

    @Override
    public String describe() {
        return "/memory";
    }

    private final class MemoryFile implements DiskFile {
        private final String name;
        private final Inode inode;
        private boolean closed;

        MemoryFile(String name, Inode inode) {
            this.name = name;
            this.inode = inode;
        }

        private void requireOpen() throws IOException {
            if (closed) {
                throw new IOException(name + " is closed");
            }
        }

        @Override
        public void read(long position, ByteBuffer target) throws IOException {
            requireOpen();
            bytesRead += target.remaining();
            for (long page = position / PAGE; page * PAGE < position + target.remaining(); page++) {
                if (unreadable.contains(name + "@" + page)) {
                    throw new IOException("told to be unable to read page " + page + " of " + name);
                }
            }
            for (long at = position; target.hasRemaining(); ) {
                int inPage = (int) (at % PAGE);
                int count = Math.min(PAGE - inPage, target.remaining());
                byte[] page = inode.pages.get(at / PAGE);
                int present = (int) Math.max(0, Math.min(count, inode.size - at));
                if (page == null) {
                    target.put(new byte[count]);
                } else {
                    target.put(page, inPage, present).put(new byte[count - present]);
                }
                at += count;
            }
        }

        @Override
        public void write(long position, ByteBuffer source) throws IOException {
            requireOpen();
            writes++;
            if (name.contains(failingWrite)) {
                ByteBuffer half = source.duplicate();
                half.limit(half.position() + half.remaining() / 2);
                store(position, half);
                throw new IOException("told to fail a write to " + name);
            }
            store(position, source);
        }

        private void store(long position, ByteBuffer source) throws IOException {
            long at = position;
            while (source.hasRemaining()) {
                int inPage = (int) (at % PAGE);
                int count = Math.min(PAGE - inPage, source.remaining());
                byte[] page = inode.pages.get(at / PAGE);
                if (page == null) {
                    if (freePages <= 0) {
                        throw new IOException("no space left for " + name);
                    }
                    freePages--;
                    page = new byte[PAGE];
                    inode.pages.put(at / PAGE, page);
                }
                source.get(page, inPage, count);
                inode.dirty.add(at / PAGE);
                at += count;
            }
            inode.size = Math.max(inode.size, at);
        }

        @Override
        public void sync() throws IOException {
            requireOpen();
            syncs++;
            if (name.contains(failingSync)) {
                if (failedSyncsForget) {
                    inode.dirty.clear();
                }
                throw new IOException("told to fail the sync of " + name);
            }
            for (long page : inode.dirty) {
                byte[] bytes = inode.pages.get(page);
                if (bytes == null) {
                    inode.durablePages.remove(page);
                } else {
                    inode.durablePages.put(page, bytes.clone());
                }
            }
            inode.dirty.clear();
            inode.durableSize = inode.size;
        }

        @Override
        public void reserve(long position, long length) throws IOException {
            requireOpen();
            reservations++;
        }

        @Override
        public boolean punch(long position, long length) throws IOException {
            requireOpen();
            for (long page = position / PAGE; page < (position + length) / PAGE; page++) {
                if (inode.pages.remove(page) != null) {
                    freePages++;
                    inode.dirty.add(page);
                }
            }
            return true;
        }

        @Override
        public void preallocate(long position, long length) throws IOException {
            requireOpen();
            store(position, ByteBuffer.allocate((int) length));
        }

        @Override
        public long nextData(long position) throws IOException {
            requireOpen();
            long next = Long.MAX_VALUE;
            for (long page : inode.pages.keySet()) {
                if (page >= position / PAGE) {
                    next = Math.min(next, Math.max(position, page * PAGE));
                }
            }
            return tellsHoles ? next : position;
        }

        @Override
        public long sizeBytes() throws IOException {
            requireOpen();
            return inode.size;
        }

        @Override
        public void truncate(long sizeBytes) throws IOException {
            requireOpen();
            inode.size = sizeBytes;
            inode.pages.keySet().removeIf(page -> page * PAGE >= sizeBytes);
            byte[] last = inode.pages.get(sizeBytes / PAGE);
            if (last != null && sizeBytes % PAGE != 0) {
                Arrays.fill(last, (int) (sizeBytes % PAGE), PAGE, (byte) 0);
            }
        }

        @Override
        public long allocatedBytes() throws IOException {
            requireOpen();
            return (long) inode.pages.size() * PAGE;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open--;
            }
        }
    }
}
