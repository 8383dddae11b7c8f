package io.longhorn;

import io.longhorn.spi.BackupProvider;
import io.longhorn.spi.LonghornProvider;
import java.util.Iterator;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * Finds the implementations of the SPI. The context class loader of the calling thread goes first, because in
 * containers and plug-in systems it sees more than we do; our own loader goes second, because a thread of a foreign
 * pool may carry a context loader that sees neither us nor the engine. Works the same on class path and module path.
 */
final class Providers {

    private Providers() {}

    static LonghornProvider engine() {
        return first(LonghornProvider.class).orElseThrow(EngineMissingException::new);
    }

    static BackupProvider backup() {
        return first(BackupProvider.class).orElseThrow(BackupModuleMissingException::new);
    }

    private static <T> Optional<T> first(Class<T> service) {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ClassLoader own = Providers.class.getClassLoader();
        ServiceConfigurationError failure = null;
        if (context != null && !context.equals(own)) {
            try {
                Optional<T> found = firstIn(service, context);
                if (found.isPresent()) {
                    return found;
                }
            } catch (ServiceConfigurationError e) {
                // Typical cause: the context loader sees a second copy of the API. Our own loader may still do.
                failure = e;
            }
        }
        return firstIn(service, own, failure);
    }

    private static <T> Optional<T> firstIn(
            Class<T> service, @Nullable ClassLoader loader, @Nullable ServiceConfigurationError earlier) {
        Optional<T> found = firstIn(service, loader);
        if (found.isEmpty() && earlier != null) {
            throw earlier;
        }
        return found;
    }

    private static <T> Optional<T> firstIn(Class<T> service, @Nullable ClassLoader loader) {
        Iterator<T> providers = ServiceLoader.load(service, loader).iterator();
        return providers.hasNext() ? Optional.of(providers.next()) : Optional.empty();
    }
}
