package io.longhorn.replica.disk;

/** The tests' own disk keeps the same promises as a real one. */
class MemoryDiskTest extends DiskDirectoryContract {
    private final MemoryDisk disk = new MemoryDisk();

    @Override
    protected DiskDirectory disk() {
        return disk;
    }
}
