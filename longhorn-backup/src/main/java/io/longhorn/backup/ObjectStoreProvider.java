package io.longhorn.backup;

import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetException;
import java.util.Set;

/**
 * Opens the object stores of some kinds of backup target. Found by {@link java.util.ServiceLoader}, first with the context class loader of the calling thread, then with that of
 * this module: declare it in {@code module-info} and in {@code META-INF/services}. Has a public constructor without arguments that acquires nothing; safe for any thread.
 */
public interface ObjectStoreProvider {

    /** Schemes of the URIs that it takes, in lower case. */
    Set<String> schemes();

    /**
     * The store at a target of one of these schemes. It may wait for its first use before it connects.
     *
     * @throws BackupTargetException if the URI or the credentials are not what they should be; says which, and the expected form
     */
    ObjectStore open(BackupTarget target);
}
