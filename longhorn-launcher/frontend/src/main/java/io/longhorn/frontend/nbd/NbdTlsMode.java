package io.longhorn.frontend.nbd;

/** Whether clients may, or must, encrypt. The names in parentheses are those of the specification, section "TLS support". */
public enum NbdTlsMode {

    /** Nobody can (NOTLS). */
    OFF,

    /** Who asks for it gets it; an attacker on the way can prevent that (SELECTIVETLS without exports that need it). */
    ALLOWED,

    /** Who does not ask for it gets nothing, not even the names of the exports (FORCEDTLS). */
    REQUIRED
}
