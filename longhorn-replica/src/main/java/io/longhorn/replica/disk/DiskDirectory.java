package io.longhorn.replica.disk;

import java.io.IOException;
import java.util.List;

/**
 * The files of one disk, as the replica sees them. Production maps it to a directory ({@code PathDirectory}), the simulator to
 * memory that loses what was not synced. Names are relative paths with {@code /}; a name is never absolute and never
 * holds {@code ..}; others are refused with {@link IllegalArgumentException}. Creating, renaming and deleting are durable only after {@link #syncDirectory} of the parent.
 */
public interface DiskDirectory {

    /** Names (without path) in the directory {@code directory} ({@code ""} is the root), sorted; empty if it does not exist. */
    List<String> list(String directory) throws IOException;

    boolean exists(String name) throws IOException;

    /** Creates the directory and its parents unless they exist. */
    void createDirectories(String directory) throws IOException;

    /** Opens a file for reading and writing; {@code create} makes an empty one and fails if it exists. */
    DiskFile open(String name, boolean create) throws IOException;

    /** Renames a file; replaces {@code to} if it exists, atomically for readers. The file may be open and stays so. */
    void rename(String from, String to) throws IOException;

    /** Deletes a file or an empty directory; no error if it does not exist. */
    void delete(String name) throws IOException;

    /** Makes creations, renames and deletions in {@code directory} durable. */
    void syncDirectory(String directory) throws IOException;

    /** Bytes that can still be written to this disk. */
    long usableBytes() throws IOException;

    /** For messages: where this is. */
    String describe();
}
