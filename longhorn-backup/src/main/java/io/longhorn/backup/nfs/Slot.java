package io.longhorn.backup.nfs;

/** One of the calls that may be under way in a session. Changed by its {@link SlotTable} and by whoever acquired it. */
final class Slot {
    enum State {
        FREE,
        BUSY,
        /** Its last call got no answer, so nobody knows which sequence the server expects. */
        DOUBTFUL
    }

    private final int number;
    private int sequence = 1;
    private State state = State.FREE;

    Slot(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    /** Of the present call, or of the next one. */
    int sequence() {
        return sequence;
    }

    /** The present call was executed. */
    void advance() {
        sequence++;
    }

    State state() {
        return state;
    }

    void setState(State state) {
        this.state = state;
    }
}
