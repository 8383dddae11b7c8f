package io.longhorn.spi;

import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import java.nio.file.Path;

/** Makes {@link Longhorn} instances. Has a public constructor without arguments that acquires nothing. */
public interface LonghornProvider {

    /** See {@link Longhorn#embedded(Path)}. */
    Longhorn embedded(Path directory);

    /** See {@link Longhorn#connect(LonghornConfig)}. */
    Longhorn connect(LonghornConfig config);
}
