package io.longhorn.frontend.iscsi;

/** What all connections of a portal share. */
record PortalState(IscsiSettings settings, TargetTable targets, SessionTable sessions) {

    PortalState(IscsiSettings settings) {
        this(settings, new TargetTable(), new SessionTable());
    }
}
