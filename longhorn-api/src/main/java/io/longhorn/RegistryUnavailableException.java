package io.longhorn;

import java.io.Serial;

/** The registry cannot be read or written. */
public final class RegistryUnavailableException extends VolumeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String registry;
    private final String reason;

    public RegistryUnavailableException(String registry, String reason) {
        super(ErrorCode.REGISTRY_UNAVAILABLE, "registry " + registry + " is unavailable: " + reason);
        this.registry = registry;
        this.reason = reason;
    }

    public RegistryUnavailableException(String registry, String reason, Throwable cause) {
        this(registry, reason);
        initCause(cause);
    }

    /** Where it is. */
    public String registry() {
        return registry;
    }

    /** A sentence for people. */
    public String reason() {
        return reason;
    }
}
