package io.longhorn.engine;

import io.longhorn.LonghornException;
import org.jspecify.annotations.Nullable;

/** Told once, on the engine's loop, that something ended; {@code failure} is null when it succeeded. */
interface Completion {
    void done(@Nullable LonghornException failure);
}
