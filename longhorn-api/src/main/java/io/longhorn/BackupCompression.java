package io.longhorn;

/** How the blocks of a backed-up volume are stored. All backups of a volume at a target are compressed alike: the first one decides. */
public enum BackupCompression {
    /** As they are. */
    NONE,
    /** Fast; stores what does not compress as it is. */
    LZ4,
    /** Smaller, and about ten times slower. */
    GZIP
}
