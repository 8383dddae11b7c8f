package io.longhorn.app.daemon;

import io.longhorn.app.CommandFailure;
import io.longhorn.frontend.iscsi.ChapCredentials;
import io.longhorn.frontend.iscsi.IscsiTargetSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the targets of a daemon ask of their initiators, and prove to them.
 *
 * @param initiator what who logs in must know
 * @param target what the target proves to know if it is asked; empty: nothing
 */
public record ChapSecrets(ChapCredentials initiator, Optional<ChapCredentials> target) {

    /**
     * Reads a file: a line {@code NAME SECRET} for initiators, and perhaps a second one for the target.
     *
     * @throws CommandFailure if it cannot be read or has another form; without any secret
     */
    public static ChapSecrets read(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
        } catch (IOException e) {
            throw new CommandFailure("the secrets of CHAP cannot be read: " + e, e);
        }
        if (lines.isEmpty() || lines.size() > 2) {
            throw new CommandFailure(
                    file + " has " + lines.size() + " lines; it is one for initiators, and perhaps one for targets");
        }
        ChapCredentials initiator = credentials(file, lines.get(0));
        Optional<ChapCredentials> target = lines.stream().skip(1).findFirst().map(line -> credentials(file, line));
        if (target.isPresent() && target.get().secret().equals(initiator.secret())) {
            throw new CommandFailure(file + ": targets and initiators must have different secrets");
        }
        return new ChapSecrets(initiator, target);
    }

    private static ChapCredentials credentials(Path file, String line) {
        int gap = line.indexOf(' ');
        if (gap < 0) {
            throw new CommandFailure(file + ": a line is \"NAME SECRET\"");
        }
        try {
            return new ChapCredentials(
                    line.substring(0, gap), line.substring(gap).strip());
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(file + ": " + e.getMessage(), e);
        }
    }

    void addTo(IscsiTargetSpec.Builder builder) {
        target.ifPresentOrElse(own -> builder.mutualChap(initiator, own), () -> builder.chap(initiator));
    }
}
