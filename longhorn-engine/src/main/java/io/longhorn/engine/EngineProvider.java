package io.longhorn.engine;

import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.spi.LonghornProvider;
import java.nio.file.Path;

/** What {@link java.util.ServiceLoader} finds when a program asks for {@link Longhorn}. */
public final class EngineProvider implements LonghornProvider {

    /** For the service loader. */
    public EngineProvider() {}

    @Override
    public Longhorn embedded(Path directory) {
        return EngineLonghorn.embedded(directory);
    }

    @Override
    public Longhorn connect(LonghornConfig config) {
        return EngineLonghorn.connect(config);
    }
}
