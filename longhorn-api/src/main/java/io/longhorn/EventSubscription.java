package io.longhorn;

/** A listener that is told the events of a volume until this is closed. */
@FunctionalInterface
public interface EventSubscription extends AutoCloseable {

    /** Ends the subscription; a call of the listener that runs on another thread may still be ending. */
    @Override
    void close();
}
