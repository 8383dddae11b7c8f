package io.longhorn;

/** What {@link Volume#writeZeroes} does with the space of its range. */
public enum ZeroOption {

    /** The space is kept or taken, so that later writes into the range do not fail for want of it. */
    ALLOCATE
}
