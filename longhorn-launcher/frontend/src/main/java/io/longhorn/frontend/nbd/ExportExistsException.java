package io.longhorn.frontend.nbd;

import io.longhorn.ErrorCode;
import io.longhorn.FrontendException;
import java.io.Serial;

/** The server serves a device of that name already. */
public final class ExportExistsException extends FrontendException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String export;

    public ExportExistsException(String export) {
        super(ErrorCode.NBD_EXPORT_EXISTS, "this server serves an export named " + export + " already");
        this.export = export;
    }

    /** The name that is taken. */
    public String export() {
        return export;
    }
}
