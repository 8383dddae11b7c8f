package io.longhorn.backup.nfs;

import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetException;
import io.longhorn.backup.ObjectStore;
import io.longhorn.backup.ObjectStoreProvider;
import java.net.URI;
import java.util.Set;

/** NFS servers: {@code nfs://HOST[:PORT]/export/path?nfsOptions=OPTION,OPTION}. */
public final class NfsStoreProvider implements ObjectStoreProvider {

    /** For the service loader. */
    public NfsStoreProvider() {}

    @Override
    public Set<String> schemes() {
        return Set.of("nfs");
    }

    @Override
    public ObjectStore open(BackupTarget target) {
        URI uri = target.uri();
        try {
            return new NfsStore(NfsTarget.parse(uri));
        } catch (IllegalArgumentException e) {
            throw new BackupTargetException(uri.toString(), String.valueOf(e.getMessage()), e);
        }
    }
}
