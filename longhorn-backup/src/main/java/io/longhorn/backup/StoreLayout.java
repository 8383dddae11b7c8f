package io.longhorn.backup;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Under which keys a backup store keeps what: {@code docs/format/backup-store.md}, section 1. */
final class StoreLayout {
    static final String ROOT = "backupstore";
    static final String VOLUMES = ROOT + "/volumes";

    /** The document that makes the store an encrypted one. */
    static final String ENCRYPTION = ROOT + "/encryption.cfg";

    /** Proposals for it. */
    static final String ENCRYPTION_CLAIMS = ROOT + "/encryption";

    static final String LOCK_SUFFIX = ".lck";

    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]+");
    private static final Pattern BACKUP_FILE = Pattern.compile("backup_(" + NAME + ")\\.cfg");
    private static final Pattern BLOCK_FILE = Pattern.compile("([0-9a-f]{64})\\.blk");

    private StoreLayout() {}

    /**
     * The name itself.
     *
     * @throws IllegalArgumentException if volumes and backups cannot be called so
     */
    static String checkName(String what, String name) {
        if (!isName(name)) {
            throw new IllegalArgumentException("the name of a " + what
                    + " is two or more letters, digits, '_', '.' or '-', the first a letter or digit, was '" + name
                    + "'");
        }
        return name;
    }

    static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    static String encryptionClaim(byte[] name) {
        return ENCRYPTION_CLAIMS + "/claim-" + HexFormat.of().formatHex(name) + ".cfg";
    }

    static String volume(String volume) {
        String hash = BlockChecksum.of(ByteBuffer.wrap(volume.getBytes(StandardCharsets.UTF_8)));
        return VOLUMES + "/" + split(hash) + "/" + volume;
    }

    private static String split(String hash) {
        return hash.substring(0, 2) + "/" + hash.substring(2, 4);
    }

    static String volumeConfig(String volume) {
        return volume(volume) + "/volume.cfg";
    }

    static String backups(String volume) {
        return volume(volume) + "/backups";
    }

    static String backupConfig(String volume, String backup) {
        return backups(volume) + "/backup_" + backup + ".cfg";
    }

    /** The backup that a file in the folder of backups is about; empty for a file of another kind. */
    static Optional<String> backupOf(String fileName) {
        Matcher matcher = BACKUP_FILE.matcher(fileName);
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    static String locks(String volume) {
        return volume(volume) + "/locks";
    }

    static String lock(String volume, String lock) {
        return locks(volume) + "/" + lock + LOCK_SUFFIX;
    }

    static String blocks(String volume) {
        return volume(volume) + "/blocks";
    }

    static String block(String volume, String checksum) {
        return blocks(volume) + "/" + split(checksum) + "/" + checksum + ".blk";
    }

    /** The checksum of the block that a file is called after; empty for a file of another kind. */
    static Optional<String> checksumOf(String fileName) {
        Matcher matcher = BLOCK_FILE.matcher(fileName);
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }
}
