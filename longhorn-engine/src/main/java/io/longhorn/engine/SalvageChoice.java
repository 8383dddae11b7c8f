package io.longhorn.engine;

import io.longhorn.ReplicaState;
import io.longhorn.ReplicaStatus;
import io.longhorn.SalvageRefusedException;
import io.longhorn.SalvageReport;
import io.longhorn.SalvageSpec;
import io.longhorn.VolumeLostException;
import io.longhorn.replica.wire.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which replica becomes the truth when a volume is salvaged.
 *
 * @param record the volume, promised to whoever salvages
 * @param chosen whose content counts from now on
 * @param state what it holds
 */
record SalvageChoice(VolumeRecord record, ReplicaRecord chosen, Message.FenceOk state) {

    /**
     * Chooses among the replicas that answered.
     *
     * @throws SalvageRefusedException if the volume can be opened as it is, or the spec does not allow what is left
     * @throws VolumeLostException if no replica answered
     */
    static SalvageChoice of(VolumeRecord record, Map<ReplicaRecord, Message.FenceOk> survey, SalvageSpec spec) {
        if (canBeOpened(record, survey)) {
            throw new SalvageRefusedException(record.name(), "it can be opened without losing anything");
        }
        if (survey.isEmpty()) {
            throw new VolumeLostException(
                    record.name(), "none of its " + record.replicas().size() + " replicas answers");
        }
        UUID wanted = spec.replica().orElse(null);
        ReplicaRecord best = wanted == null ? longest(survey) : named(record, survey, wanted);
        if (best == null) {
            throw new SalvageRefusedException(
                    record.name(),
                    "every replica that answers is half rebuilt, a mix of old and new blocks: " + survey.keySet()
                            + "; name one with fromReplica() to take it nevertheless");
        }
        Message.FenceOk state = survey.get(best);
        if (state == null) {
            throw new IllegalStateException("replica " + best + " did not answer");
        }
        return new SalvageChoice(record, best, state);
    }

    /** The rule for opening, without which salvage could throw away what is proved to be whole. */
    private static boolean canBeOpened(VolumeRecord record, Map<ReplicaRecord, Message.FenceOk> survey) {
        int members = 0;
        boolean certain = false;
        for (Map.Entry<ReplicaRecord, Message.FenceOk> each : survey.entrySet()) {
            if (record.view().contains(each.getKey().replicaId())) {
                members++;
                certain |= !each.getValue().uncertain();
            }
        }
        return certain || (members > 0 && members == record.view().size());
    }

    private static @Nullable ReplicaRecord longest(Map<ReplicaRecord, Message.FenceOk> survey) {
        ReplicaRecord best = null;
        Message.FenceOk bestState = null;
        for (Map.Entry<ReplicaRecord, Message.FenceOk> each : survey.entrySet()) {
            Message.FenceOk state = each.getValue();
            if (!state.mixed() && (bestState == null || Opening.isLonger(state, bestState))) {
                best = each.getKey();
                bestState = state;
            }
        }
        return best;
    }

    private static ReplicaRecord named(VolumeRecord record, Map<ReplicaRecord, Message.FenceOk> survey, UUID wanted) {
        for (ReplicaRecord replica : survey.keySet()) {
            if (replica.replicaId().equals(wanted)) {
                return replica;
            }
        }
        throw new SalvageRefusedException(
                record.name(), "replica " + wanted + " does not answer; these do: " + survey.keySet());
    }

    SalvageReport report() {
        List<ReplicaStatus> dropped = new ArrayList<>();
        for (ReplicaRecord replica : record.replicas()) {
            if (!replica.equals(chosen)) {
                dropped.add(new ReplicaStatus(replica.replicaId(), replica.endpoint(), ReplicaState.ABSENT, 0, 0));
            }
        }
        boolean proved = record.view().contains(chosen.replicaId()) && !state.uncertain() && !state.mixed();
        return new SalvageReport(
                record.name(),
                record.epoch(),
                chosen.replicaId(),
                chosen.endpoint(),
                state.lastEpoch(),
                state.lastSequence(),
                dropped,
                state.mixed(),
                !proved);
    }
}
