package io.longhorn.app.daemon;

import io.longhorn.frontend.BlockDevice;
import java.util.Optional;
import java.util.Set;

/** Shows nothing to anybody; the volume is open, that is all. */
final class NoFrontend implements Frontend {

    @Override
    public FrontendKind kind() {
        return FrontendKind.NONE;
    }

    @Override
    public Optional<String> problem() {
        return Optional.empty();
    }

    @Override
    public Shown show(Attachment attachment, BlockDevice device, Set<String> taken) {
        if (!attachment.listen().isEmpty()) {
            throw new IllegalArgumentException("frontend none listens nowhere, not at " + attachment.listen());
        }
        return new Shown("", device.name(), "");
    }

    @Override
    public void withdraw(Attachment attachment) {
        // There is nobody to withdraw it from.
    }

    @Override
    public int clients(Attachment attachment) {
        return 0;
    }

    @Override
    public void close() {
        // Nothing was acquired.
    }
}
