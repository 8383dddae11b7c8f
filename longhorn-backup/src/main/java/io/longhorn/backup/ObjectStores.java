package io.longhorn.backup;

import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds who handles a kind of target. */
final class ObjectStores {
    private ObjectStores() {}

    /**
     * The store at the target.
     *
     * @throws BackupTargetException if nobody handles its kind; names what to add where that is known
     */
    static ObjectStore open(BackupTarget target) {
        String scheme = target.uri().getScheme().toLowerCase(Locale.ROOT);
        Set<String> known = new LinkedHashSet<>();
        for (ObjectStoreProvider provider : providers()) {
            if (provider.schemes().contains(scheme)) {
                return provider.open(target);
            }
            provider.schemes().stream().sorted().forEach(known::add);
        }
        throw new BackupTargetException(
                target.uri().toString(),
                "s3".equals(scheme)
                        ? "targets in S3 need the artifact io.longhorn:longhorn-backup-s3"
                        : "no module handles targets of the kind " + scheme + "; there are "
                                + String.join(", ", known));
    }

    private static List<ObjectStoreProvider> providers() {
        List<ObjectStoreProvider> found = new ArrayList<>();
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ClassLoader own = ObjectStores.class.getClassLoader();
        if (context != null && !context.equals(own)) {
            addAll(found, context);
        }
        addAll(found, own);
        return found;
    }

    private static void addAll(List<ObjectStoreProvider> found, @Nullable ClassLoader loader) {
        ServiceLoader.load(ObjectStoreProvider.class, loader).forEach(found::add);
    }
}
