package io.longhorn.simulator;

/**
 * Unwinds the stack of a simulated process that has just died. An Error, so that no code of the process takes it for a failure
 * it could handle; whatever its {@code finally} blocks try meanwhile has no effect, because the process is already dead.
 */
public final class SimCrash extends Error {
    private static final long serialVersionUID = 1L;

    public SimCrash(String what) {
        super(what, null, false, false);
    }
}
