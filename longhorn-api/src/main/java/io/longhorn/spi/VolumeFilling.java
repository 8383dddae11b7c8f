package io.longhorn.spi;

import io.longhorn.Volume;
import io.longhorn.VolumeIncompleteException;
import io.longhorn.VolumeSpec;
import java.util.Optional;

/**
 * Volumes that get their content from elsewhere: as long as such a volume has a <em>source</em>, {@link io.longhorn.Longhorn#open} refuses it with
 * {@link VolumeIncompleteException}, after a crash as well, and only who fills it opens it here. Implemented by the {@link io.longhorn.Longhorn} of
 * {@code io.longhorn:longhorn-engine}. Safe for any thread.
 */
public interface VolumeFilling {

    /** The longest text that a source may be, in bytes of UTF-8. */
    int SOURCE_BYTES_MAX = 4096;

    /**
     * Creates a volume with a source, and opens it; see {@link io.longhorn.Longhorn#create}.
     *
     * @param source what it is filled from, a text for the filler; kept in the registry
     */
    Volume createFilling(VolumeSpec spec, String source);

    /** Opens a volume with or without a source; see {@link io.longhorn.Longhorn#open(String)}. */
    Volume openFilling(String volume);

    /**
     * The source of a volume, open or not; empty if it is complete.
     *
     * @throws io.longhorn.VolumeNotFoundException if the registry knows no volume of that name
     */
    Optional<String> source(String volume);

    /**
     * Changes the source of a volume that {@link #openFilling} or {@link #createFilling} returned; durable on return. Empty: the volume is complete, and everybody may open it.
     */
    void source(Volume volume, Optional<String> source);
}
