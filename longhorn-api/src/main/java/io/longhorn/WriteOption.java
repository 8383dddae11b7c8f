package io.longhorn;

/** How a write is confirmed. */
public enum WriteOption {

    /**
     * The write is confirmed when it is on stable storage of every in-sync replica ("FUA"). It says nothing about
     * earlier writes; {@link Volume#flush()} does.
     */
    FORCED
}
