package io.longhorn.app.daemon;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** The volume, or the snapshot, is attached, and the call needs it detached or attached otherwise. */
final class VolumeAttachedException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String attached;

    /**
     * @param attached the name of the volume, or {@code volume@snapshot}
     * @param how a few words that follow its name, such as "by nbd at 127.0.0.1:10809"
     */
    VolumeAttachedException(String attached, String how) {
        super(ErrorCode.VOLUME_ATTACHED, attached + " is attached " + how + "; detach it first");
        this.attached = attached;
    }

    String attached() {
        return attached;
    }
}
