package io.longhorn.replica.server;

import io.longhorn.replica.DiskDirectory;
import io.longhorn.replica.DiskFile;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The two files of a layer: {@code .data}, sparse, with block <i>b</i> at byte <i>b</i> * 4096, and {@code .map} with its {@link MapPage}s. Opened when first
 * needed, made when first written to, closed when others need the descriptors. Loop only, except for files handed to disk work, which stay open as long as
 * {@link #busy} counts that work.
 */
final class LayerFiles {
    private static final int BLOCK = FrameLayout.BLOCK_BYTES;

    private final DiskDirectory disk;
    private final String directory;
    final LayerId id;
    private final OpenLayers open;
    private @Nullable DiskFile data;
    private @Nullable DiskFile map;
    private boolean exists;
    private int busy;
    private MapPage[] pages = new MapPage[8];
    private int pageCount;
    /** Bytes of the map file; pages beyond are absent without a look. */
    private long mapBytes;

    LayerFiles(DiskDirectory disk, String directory, LayerId id, OpenLayers open) throws IOException {
        this.disk = disk;
        this.directory = directory;
        this.id = id;
        this.open = open;
        this.exists = disk.exists(mapName());
        if (exists) {
            this.mapBytes = mapFile().sizeBytes();
        }
    }

    static String baseName(LayerId id) {
        return String.format("layer-%016x-%016x", id.epoch(), id.sequence());
    }

    private String mapName() {
        return directory + "/" + baseName(id) + ".map";
    }

    private String dataName() {
        return directory + "/" + baseName(id) + ".data";
    }

    boolean exists() {
        return exists;
    }

    /** The data file, made if it does not exist. */
    DiskFile dataFile() throws IOException {
        ensureOpen();
        return opened(data);
    }

    private DiskFile mapFile() throws IOException {
        ensureOpen();
        return opened(map);
    }

    private static DiskFile opened(@Nullable DiskFile file) {
        if (file == null) {
            throw new IllegalStateException("layer file is not open");
        }
        return file;
    }

    private void ensureOpen() throws IOException {
        if (data == null || map == null) {
            boolean create = !exists;
            data = openOrCreate(dataName(), create);
            map = openOrCreate(mapName(), create);
            if (create) {
                disk.syncDirectory(directory);
                exists = true;
            }
        }
        open.used(this);
    }

    private DiskFile openOrCreate(String name, boolean create) throws IOException {
        return disk.open(name, create && !disk.exists(name));
    }

    /** Keeps the files open while work on them runs elsewhere. */
    void retain() {
        busy++;
    }

    void release() {
        busy--;
    }

    boolean isBusy() {
        return busy > 0;
    }

    /** Gives the descriptors back; the next use opens them again. */
    void close() throws IOException {
        DiskFile d = data;
        DiskFile m = map;
        data = null;
        map = null;
        if (d != null) {
            d.close();
        }
        if (m != null) {
            m.close();
        }
    }

    /** Removes both files. */
    void delete() throws IOException {
        open.forget(this);
        close();
        disk.delete(dataName());
        disk.delete(mapName());
        exists = false;
        pages = new MapPage[8];
        pageCount = 0;
        mapBytes = 0;
    }

    // ------------------------------------------------------------------ map

    static long pageOf(long block) {
        return block / MapPage.ENTRIES;
    }

    static int indexOf(long block) {
        return (int) (block % MapPage.ENTRIES);
    }

    /** The page with that number, read if it is not in memory; null if nothing of it was ever written. */
    @Nullable
    MapPage page(long number) throws IOException {
        MapPage cached = find(number);
        if (cached != null) {
            cached.used = true;
            return cached;
        }
        if (!exists || 2 * number * MapPage.BYTES >= mapBytes) {
            return null;
        }
        ByteBuffer both = open.pageBuffer();
        both.clear();
        mapFile().read(2 * number * MapPage.BYTES, both);
        MapPage page = MapPage.of(number, id, both);
        add(page);
        return page;
    }

    /** The page with that number, to be changed. */
    MapPage pageForChange(long number) throws IOException {
        MapPage page = page(number);
        if (page == null) {
            page = MapPage.empty(number);
            add(page);
        }
        return page;
    }

    private @Nullable MapPage find(long number) {
        int mask = pages.length - 1;
        for (int i = hash(number, mask); pages[i] != null; i = (i + 1) & mask) {
            if (pages[i].number == number) {
                return pages[i];
            }
        }
        return null;
    }

    private static int hash(long number, int mask) {
        return (int) ((number * 0x9E3779B97F4A7C15L) >>> 40) & mask;
    }

    private void add(MapPage page) throws IOException {
        if (pageCount * 2 >= pages.length) {
            rehash(pages.length * 2, null);
        }
        insert(page);
        open.pageAdded(this);
    }

    private void insert(MapPage page) {
        int mask = pages.length - 1;
        int i = hash(page.number, mask);
        while (pages[i] != null) {
            i = (i + 1) & mask;
        }
        pages[i] = page;
        pageCount++;
    }

    private void rehash(int capacity, @Nullable List<MapPage> dropped) {
        MapPage[] old = pages;
        pages = new MapPage[capacity];
        pageCount = 0;
        for (MapPage page : old) {
            if (page != null && (dropped == null || !dropped.contains(page))) {
                insert(page);
            }
        }
    }

    /** Drops pages that were not used since the last call and are not dirty; returns how many. */
    int dropUnused() {
        List<MapPage> dropped = new ArrayList<>();
        for (MapPage page : pages) {
            if (page != null && !page.dirty) {
                if (page.used) {
                    page.used = false;
                } else {
                    dropped.add(page);
                }
            }
        }
        if (!dropped.isEmpty()) {
            rehash(pages.length, dropped);
        }
        return dropped.size();
    }

    int pagesInMemory() {
        return pageCount;
    }

    /** Images of all dirty pages, which are clean afterwards. The caller writes and syncs them. */
    List<MapPage.Image> dirtyImages() {
        List<MapPage.Image> images = new ArrayList<>();
        for (MapPage page : pages) {
            if (page != null && page.dirty) {
                MapPage.Image image = page.image(id);
                mapBytes = Math.max(mapBytes, (2 * page.number + 2) * MapPage.BYTES);
                images.add(image);
            }
        }
        images.sort((a, b) -> Long.compare(a.fileOffset(), b.fileOffset()));
        return images;
    }

    /** The map's file, for work that writes images. */
    DiskFile mapFileForWork() throws IOException {
        return mapFile();
    }

    /** Pages that may hold something. */
    long pageEnd() {
        long inMemory = 0;
        for (MapPage page : pages) {
            if (page != null) {
                inMemory = Math.max(inMemory, page.number + 1);
            }
        }
        return Math.max(inMemory, (mapBytes + 2 * MapPage.BYTES - 1) / (2L * MapPage.BYTES));
    }

    /** Space that both files take. */
    long allocatedBytes() throws IOException {
        return exists ? dataFile().allocatedBytes() + mapFile().allocatedBytes() : 0;
    }

    /** Fills the remaining bytes of {@code target} with blocks from {@code block} on. */
    void readBlocks(long block, ByteBuffer target) throws IOException {
        dataFile().read(block * BLOCK, target);
    }

    static ByteBuffer pageBuffer() {
        return ByteBuffer.allocateDirect(2 * MapPage.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }
}
