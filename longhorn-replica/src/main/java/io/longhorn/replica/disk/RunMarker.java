package io.longhorn.replica.disk;

import io.longhorn.DamagedFileException;
import io.longhorn.MissingFileException;
import java.io.IOException;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code running}: how the last run on this disk ended; see {@code docs/format/disk.md}, section 5. Written unclean at the start, before the first
 * append, and clean as the last thing of a stop. Body: flags (1 = clean), then the boot id as a string.
 *
 * @param bootId the host's boot that the run belongs to; empty if the host has none
 */
public record RunMarker(String bootId, boolean clean) {
    static final String FILE = "running";
    /** What is said of a run whose marker is missing or damaged. */
    static final RunMarker UNKNOWN = new RunMarker("", false);

    static final int BOOT_ID_BYTES_MAX = 256;

    private static final Logger LOG = LoggerFactory.getLogger(RunMarker.class);
    private static final int CLEAN = 1;

    /** The last run's marker, {@link #UNKNOWN} if there is none or it is damaged; another disk's or version's is an exception. */
    public static RunMarker read(DiskDirectory directory, UUID diskId) throws IOException {
        try {
            MetadataFile file = MetadataFile.read(directory, FILE, FileKind.RUN_MARKER, diskId);
            FieldReader r = new FieldReader(MetadataFile.path(directory, FILE), file);
            boolean clean = r.flags("run marker", r.i32(), CLEAN) == CLEAN;
            String bootId = r.string("boot id");
            r.end();
            return new RunMarker(bootId, clean);
        } catch (MissingFileException e) {
            return UNKNOWN;
        } catch (DamagedFileException e) {
            // Not knowing is a safe answer: replicas count as uncertain until an engine has caught them up.
            LOG.warn("the last run counts as crashed on another boot, its marker is damaged: {}", e.getMessage());
            return UNKNOWN;
        }
    }

    /** Replaces the file, durably. */
    public void write(DiskDirectory directory, UUID diskId) throws IOException {
        FieldWriter w = new FieldWriter().i32(clean ? CLEAN : 0).string(bootId, BOOT_ID_BYTES_MAX);
        MetadataFile.replace(directory, FILE, FileKind.RUN_MARKER, diskId, w.written());
    }

    /**
     * Whether what that run wrote and did not sync may be gone: the rule that makes a replica uncertain.
     *
     * @param presentBootId of the host now, empty if unknown
     */
    public boolean mayHaveLostWrites(String presentBootId) {
        return !clean && (presentBootId.isEmpty() || !bootId.equals(presentBootId));
    }
}
