package io.longhorn.app.daemon;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How a volume can be shown to other programs. The names in lower case are part of the interface. */
enum FrontendKind {
    /** Not at all: the volume is kept open, for snapshots, backups and rebuilds. */
    NONE,
    /** As an NBD export. */
    NBD,
    /** As an iSCSI target. */
    ISCSI,
    /** As a block device of this machine. */
    DEVICE;

    /** As in requests and answers. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Optional<FrontendKind> of(String word) {
        return Arrays.stream(values()).filter(kind -> kind.word().equals(word)).findFirst();
    }

    static String words() {
        return Arrays.stream(values()).map(FrontendKind::word).collect(Collectors.joining(", "));
    }
}
