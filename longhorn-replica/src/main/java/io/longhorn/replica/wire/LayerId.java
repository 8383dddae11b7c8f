package io.longhorn.replica.wire;

/**
 * Names a layer for ever: epoch and sequence of the operation that created it. {@link #LIVE} stands for what the volume reads
 * as now, the head over all its parents.
 */
public record LayerId(long epoch, long sequence) implements Comparable<LayerId> {
    /** Not a layer: the volume's present content. */
    public static final LayerId LIVE = new LayerId(0, 0);

    /**
     * The layer that every replica of a volume begins with, before the volume's first record. No operation creates a layer in epoch 0, and
     * sequence 1, a volume's first record, is always the start of its epoch, so the id is taken by nothing else.
     */
    public static final LayerId ROOT = new LayerId(0, 1);

    public LayerId {
        if (epoch < 0 || sequence < 0) {
            throw new IllegalArgumentException("layer id " + epoch + "-" + sequence + " has a negative part");
        }
        if (sequence == 0 && epoch != 0) {
            throw new IllegalArgumentException("layer id " + epoch + "-0 names no operation; sequences begin at 1");
        }
    }

    public boolean isLive() {
        return sequence == 0;
    }

    /** By creation: sequences are never reused, so they decide. */
    @Override
    public int compareTo(LayerId other) {
        int bySequence = Long.compare(sequence, other.sequence);
        return bySequence != 0 ? bySequence : Long.compare(epoch, other.epoch);
    }

    @Override
    public String toString() {
        return isLive() ? "live" : epoch + "-" + sequence;
    }
}
