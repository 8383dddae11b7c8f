package io.longhorn.engine;

import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.Message.EpochStart;
import java.util.ArrayList;
import java.util.List;

/**
 * Which epoch each sequence of a history belongs to: the starts of its epochs, oldest first. Two replicas that hold the same epoch start agree
 * on everything before it, so comparing starts finds the last point two histories share. Immutable.
 */
record EpochHistory(List<EpochStart> starts, long lastSequence) {
    EpochHistory {
        starts = List.copyOf(starts);
    }

    static EpochHistory of(Message.FenceOk state) {
        return new EpochHistory(state.history(), state.lastSequence());
    }

    /** The epoch that the record with that sequence carries, 0 if it lies before what is remembered. */
    long epochOf(long sequence) {
        long epoch = 0;
        for (EpochStart start : starts) {
            if (start.startSequence() <= sequence) {
                epoch = start.epoch();
            }
        }
        return epoch;
    }

    /** This history, continued by an epoch whose first record has that sequence. */
    EpochHistory continued(long epoch, long startSequence) {
        List<EpochStart> longer = new ArrayList<>(starts);
        longer.add(new EpochStart(epoch, startSequence));
        while (longer.size() > Message.HISTORY_MAX) {
            longer.remove(0);
        }
        return new EpochHistory(longer, startSequence);
    }

    EpochHistory upTo(long sequence) {
        return new EpochHistory(starts, sequence);
    }

    private long endOf(int index) {
        return index + 1 < starts.size() ? starts.get(index + 1).startSequence() - 1 : lastSequence;
    }

    /** The last sequence that both histories hold as the same record; 0 if they share none that is remembered. */
    long commonWith(EpochHistory other) {
        long common = 0;
        for (int i = 0; i < starts.size(); i++) {
            int j = other.starts.indexOf(starts.get(i));
            if (j >= 0) {
                common = Math.max(common, Math.min(endOf(i), other.endOf(j)));
            }
        }
        return common;
    }
}
