package io.longhorn.backup;

import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Set;

/** Folders: {@code file:///dir/}, or {@code vfs:///dir/}, as Longhorn calls the same. */
public final class FolderStoreProvider implements ObjectStoreProvider {

    /** For the service loader. */
    public FolderStoreProvider() {}

    @Override
    public Set<String> schemes() {
        return Set.of("file", "vfs");
    }

    @Override
    public ObjectStore open(BackupTarget target) {
        URI uri = target.uri();
        String path = uri.getPath();
        if (path == null || path.isEmpty() || uri.getHost() != null) {
            throw new BackupTargetException(uri.toString(), "a folder is written file:///dir/, with three slashes");
        }
        return new FolderStore(Path.of(path));
    }
}
