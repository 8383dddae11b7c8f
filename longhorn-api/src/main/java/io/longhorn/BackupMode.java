package io.longhorn;

/** How much a backup reads and sends. */
public enum BackupMode {
    /** Only what changed since the newest backup at the target whose snapshot still exists; everything if there is none. Blocks that the target has are not sent again. */
    INCREMENTAL,
    /** Everything, also blocks that the target has: whatever was damaged there of the volume's present content is whole again afterwards. */
    FULL
}
