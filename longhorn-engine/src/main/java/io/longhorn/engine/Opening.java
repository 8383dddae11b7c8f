package io.longhorn.engine;

import io.longhorn.LonghornException;
import io.longhorn.RegistryUnavailableException;
import io.longhorn.SalvageNeededException;
import io.longhorn.TooFewReplicasException;
import io.longhorn.VolumeFaultedException;
import io.longhorn.VolumeLostException;
import io.longhorn.VolumeNotFoundException;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.RecordLayout;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a session begins, in steps that each need the one before:
 *
 * <ol>
 *   <li>take the next epoch from the registry;
 *   <li>fence the replicas: each promises the epoch and tells its last record, which is final for all older epochs;
 *   <li>choose the longest history among enough members of the recorded view;
 *   <li>bring the other members up to it from the chosen one's journal, or leave them out;
 *   <li>record the view, then send the first record of the new epoch and have it journaled by the whole view;
 *   <li>wait until the previous engine can no longer answer reads;
 *   <li>become the lease holder.
 * </ol>
 *
 * Engine loop only.
 */
final class Opening {
    private static final Logger LOG = LoggerFactory.getLogger(Opening.class);
    private static final int RECORDS_BYTES = 512 << 10;
    private static final long REGISTRY_RETRY_NANOS = 50_000_000;

    private enum Step {
        PROMISING,
        FENCING,
        LEVELLING,
        RECORDING,
        STARTING,
        WAITING_OUT,
        TAKING_OVER,
        OVER
    }

    private final EngineCore core;
    private final String volumeName;
    private final Completion done;
    private final long startedNanos;
    private Step step = Step.PROMISING;
    private @Nullable RecordKeeper keeper;
    private @Nullable VolumeRecord promise;
    /** The engine before us, whose lease may still run; empty if it cannot answer reads any more. */
    private Optional<LeaseHolder> previous = Optional.empty();

    private final Map<ReplicaLink, Message.FenceOk> fenced = new LinkedHashMap<>();
    private final Set<ReplicaLink> missing = new LinkedHashSet<>();
    private final Set<ReplicaLink> unreachable = new LinkedHashSet<>();
    private long leaseOverNanos;
    private boolean leaseOverKnown;

    private @Nullable ReplicaLink source;
    private final ArrayDeque<ReplicaLink> behind = new ArrayDeque<>();
    private final List<ReplicaLink> members = new ArrayList<>();
    private @Nullable ReplicaLink relayTarget;
    /** Who got records since it was fenced. */
    private final Set<ReplicaLink> relayed = new LinkedHashSet<>();

    private long relayNext;
    private long epochStart;

    Opening(EngineCore core, String volumeName, Completion done) {
        this.core = core;
        this.volumeName = volumeName;
        this.done = done;
        this.startedNanos = core.loop.nanoTime();
    }

    void start() {
        core.loop.schedule(core.settings.openingNanos(), this::timeUp);
        announce();
    }

    /** Others must be able to see that this engine lives before they can see that it has the volume. */
    private void announce() {
        core.registry
                .announce(core.engineId)
                .whenComplete((liveness, failure) -> core.loop.execute(() -> {
                    if (failure == null) {
                        core.announced(liveness);
                        readRecord();
                    } else if (step != Step.OVER) {
                        LOG.warn("registry failed during opening: volume={} cause={}", volumeName, failure.toString());
                        core.loop.schedule(REGISTRY_RETRY_NANOS, this::announce);
                    }
                }));
    }

    /** The session ended before it began. */
    void failed(LonghornException cause) {
        if (step != Step.OVER) {
            step = Step.OVER;
            done.done(cause);
        }
    }

    private void timeUp() {
        if (step == Step.OVER) {
            return;
        }
        core.fail(
                switch (step) {
                    case PROMISING ->
                        new RegistryUnavailableException(
                                volumeName, "the epoch could not be taken within the time limit of the opening");
                    case FENCING -> whyNotEnough();
                    default ->
                        new VolumeFaultedException(
                                volumeName, "opening did not get beyond " + step + " within its time limit");
                });
    }

    // ------------------------------------------------------------------ the promise

    private void readRecord() {
        ask(core.registry.read(volumeName), found -> {
            if (found.isEmpty()) {
                core.fail(new VolumeNotFoundException(volumeName));
            } else {
                promise(found.get());
            }
        });
    }

    private void promise(VolumeRecord found) {
        VolumeRecord next = found.promisedTo(core.engineId);
        promise = next;
        ask(core.registry.compareAndSet(next), swap -> {
            if (swap.swapped() || isOurs(swap.current())) {
                checkPrevious(next);
            } else if (swap.current().isEmpty()) {
                core.fail(new VolumeNotFoundException(volumeName));
            } else {
                promise(swap.current().get());
            }
        });
    }

    private boolean isOurs(Optional<VolumeRecord> record) {
        return record.isPresent() && record.get().equals(promise);
    }

    private void checkPrevious(VolumeRecord record) {
        LeaseHolder holder = record.holder().orElse(null);
        if (holder == null || !mustWaitOut(holder)) {
            fence(record);
            return;
        }
        ask(core.registry.provedDead(holder), dead -> {
            previous = dead ? Optional.empty() : Optional.of(holder);
            fence(record);
        });
    }

    /** Rule: only an engine that closed in order, or is proved dead, need not be waited out. */
    private static boolean mustWaitOut(LeaseHolder holder) {
        return !holder.clean();
    }

    /** Asks the registry; while it fails, re-reads until it answers, since the outcome may be either. */
    private <T> void ask(CompletionStage<T> stage, Consumer<T> answer) {
        stage.whenComplete((value, failure) -> core.loop.execute(() -> {
            if (step == Step.OVER) {
                return;
            }
            if (failure == null) {
                answer.accept(value);
            } else {
                LOG.warn("registry failed during opening: volume={} cause={}", volumeName, failure.toString());
                core.loop.schedule(REGISTRY_RETRY_NANOS, this::resumePromising);
            }
        }));
    }

    private void resumePromising() {
        if (step != Step.PROMISING) {
            return;
        }
        ask(core.registry.read(volumeName), found -> {
            if (isOurs(found) && found.isPresent()) {
                checkPrevious(found.get());
            } else if (found.isPresent()) {
                promise(found.get());
            } else {
                core.fail(new VolumeNotFoundException(volumeName));
            }
        });
    }

    // ------------------------------------------------------------------ fencing

    private void fence(VolumeRecord record) {
        step = Step.FENCING;
        keeper = core.promised(record);
        core.loop.schedule(graceNanos(), this::decide);
    }

    /** How long members that do not answer are waited for when one that does is enough. */
    private long graceNanos() {
        return 2 * core.settings.silenceNanos();
    }

    private boolean isMember(ReplicaLink link) {
        return record().view().contains(link.id());
    }

    private VolumeRecord record() {
        return core.record();
    }

    void fenced(ReplicaLink link, Message.FenceOk state) {
        unreachable.remove(link);
        relayed.remove(link);
        fenced.put(link, state);
        if (isMember(link)) {
            noteQuiet(state.quietMillis());
        }
        if (step == Step.FENCING) {
            decide();
        }
    }

    /**
     * The previous engine can use its lease only as long as every member of its view acknowledged something within it: the member that
     * was quiet longest tells when it is over, counted from its fence on.
     */
    private void noteQuiet(long quietMillis) {
        LeaseHolder holder = previous.orElse(null);
        if (holder == null) {
            return;
        }
        long lease = holder.leaseNanos() + holder.leaseNanos() / EngineSettings.DRIFT_SHARE;
        long over = core.loop.nanoTime() + Math.max(0, lease - Math.max(0, quietMillis) * 1_000_000);
        if (!leaseOverKnown || over - leaseOverNanos < 0) {
            leaseOverNanos = over;
            leaseOverKnown = true;
        }
    }

    void missing(ReplicaLink link) {
        missing.add(link);
        if (step == Step.FENCING) {
            decide();
        }
    }

    void unreachable(ReplicaLink link) {
        unreachable.add(link);
        if (step == Step.FENCING) {
            decide();
        }
    }

    void lost(ReplicaLink link) {
        fenced.remove(link);
        if (step == Step.LEVELLING && takesPart(link)) {
            step = Step.FENCING;
            askAgain();
            decide();
        }
    }

    private boolean takesPart(ReplicaLink link) {
        return link == source || link == relayTarget || members.contains(link) || behind.contains(link);
    }

    /** Those that were brought up meanwhile hold more than they said when they were fenced: they have to say it anew. */
    private void askAgain() {
        List<ReplicaLink> outdated = new ArrayList<>(relayed);
        relayed.clear();
        for (ReplicaLink link : outdated) {
            fenced.remove(link);
            link.reset("opening starts over");
        }
    }

    private List<ReplicaLink> reached() {
        List<ReplicaLink> reached = new ArrayList<>();
        for (ReplicaLink link : core.links.values()) {
            if (isMember(link) && fenced.containsKey(link)) {
                reached.add(link);
            }
        }
        return reached;
    }

    private void decide() {
        if (step != Step.FENCING) {
            return;
        }
        List<ReplicaLink> reached = reached();
        boolean all = reached.size() == record().view().size();
        if (all || (mayGoOnWith(reached) && nobodyElseIsComing(reached.size()))) {
            level(reached);
        } else if (isEveryMemberGone() && core.loop.nanoTime() - startedNanos >= graceNanos()) {
            core.fail(whyNotEnough());
        }
    }

    /** Rule: unreachable members may be left out only if one is reached that is not uncertain. */
    private boolean mayGoOnWith(List<ReplicaLink> reached) {
        for (ReplicaLink link : reached) {
            if (!state(link).uncertain()) {
                return true;
            }
        }
        return false;
    }

    /** Their servers answer, and do not have them: waiting does not bring them back. */
    private boolean isEveryMemberGone() {
        int gone = 0;
        for (ReplicaLink link : missing) {
            gone += isMember(link) ? 1 : 0;
        }
        return gone == record().view().size();
    }

    private boolean nobodyElseIsComing(int reached) {
        int notComing = 0;
        for (ReplicaLink link : core.links.values()) {
            if (isMember(link) && !fenced.containsKey(link) && (missing.contains(link) || unreachable.contains(link))) {
                notComing++;
            }
        }
        return reached + notComing == record().view().size() || core.loop.nanoTime() - startedNanos >= graceNanos();
    }

    private LonghornException whyNotEnough() {
        List<ReplicaLink> reached = reached();
        int members = record().view().size();
        if (reached.isEmpty() && !fenced.isEmpty()) {
            return new SalvageNeededException(
                    volumeName,
                    "none of its " + members + " in-sync replicas answered; these answered, but lack confirmed writes: "
                            + fenced.keySet());
        }
        if (isEveryMemberGone() && missing.size() == core.links.size()) {
            return new VolumeLostException(volumeName, "its replicas are gone from their servers: " + missing);
        }
        if (reached.isEmpty()) {
            return new TooFewReplicasException(volumeName, 1, 0);
        }
        return new SalvageNeededException(
                volumeName,
                "of " + members + " in-sync replicas " + reached.size()
                        + " answered, and each may have lost confirmed writes in a power failure");
    }

    private Message.FenceOk state(ReplicaLink link) {
        Message.FenceOk state = fenced.get(link);
        if (state == null) {
            throw new IllegalStateException("replica " + link + " is not fenced");
        }
        return state;
    }

    // ------------------------------------------------------------------ one history

    private void level(List<ReplicaLink> reached) {
        step = Step.LEVELLING;
        ReplicaLink best = reached.get(0);
        for (ReplicaLink link : reached) {
            if (isLonger(state(link), state(best))) {
                best = link;
            }
        }
        source = best;
        behind.clear();
        members.clear();
        members.add(best);
        for (ReplicaLink link : reached) {
            if (link != best) {
                if (isPrefix(link, best)) {
                    behind.add(link);
                } else {
                    LOG.warn("replica does not share the history, left out: volume={} replica={}", volumeName, link);
                }
            }
        }
        levelNext();
    }

    /** Longest means highest (epoch, sequence) of the last record, epoch first. */
    static boolean isLonger(Message.FenceOk a, Message.FenceOk b) {
        return a.lastEpoch() != b.lastEpoch() ? a.lastEpoch() > b.lastEpoch() : a.lastSequence() > b.lastSequence();
    }

    private boolean isPrefix(ReplicaLink link, ReplicaLink longest) {
        Message.FenceOk mine = state(link);
        EpochHistory history = EpochHistory.of(state(longest));
        return mine.lastSequence() == 0
                || (mine.lastSequence() <= history.lastSequence()
                        && history.epochOf(mine.lastSequence()) == mine.lastEpoch());
    }

    private void levelNext() {
        ReplicaLink next = behind.poll();
        ReplicaLink from = source;
        if (from == null) {
            return;
        }
        if (next == null) {
            recordView();
            return;
        }
        long last = state(from).lastSequence();
        if (state(next).lastSequence() == last) {
            members.add(next);
            levelNext();
            return;
        }
        relayTarget = next;
        relayNext = state(next).lastSequence() + 1;
        LOG.info("bringing replica up: volume={} replica={} from={} through={}", volumeName, next, relayNext, last);
        requestRecords(from, next);
    }

    private void requestRecords(ReplicaLink from, ReplicaLink to) {
        from.request(
                new Message.Records(relayNext, RECORDS_BYTES),
                Replies.expecting(
                        Message.RecordsOk.class, end -> recordsSent(to, end), refused -> leaveOut(to, refused)));
    }

    /** A record of the chosen history arrived: on to the member that lacks it. */
    void relay(ReplicaLink from, ByteBuffer b, int at) {
        ReplicaLink to = relayTarget;
        if (step != Step.LEVELLING || from != source || to == null || RecordLayout.sequence(b, at) != relayNext) {
            return;
        }
        if (!RecordLayout.payloadMatches(b, at)) {
            from.reset("a journaled record does not match its checksum");
            return;
        }
        RecordLayout.stamp(b, at, 0, 0, 0);
        relayNext++;
        relayed.add(to);
        to.sendRecordCopy(b, at, FrameLayout.frameLength(b, at));
    }

    private void recordsSent(ReplicaLink to, Message.RecordsOk end) {
        if (step != Step.LEVELLING || to != relayTarget) {
            return;
        }
        if (end.gone() || end.nextSequence() != relayNext) {
            leaveOut(to, "the journal no longer holds what it lacks");
        } else {
            progressed();
        }
    }

    private void leaveOut(ReplicaLink link, String why) {
        boolean sourceLost = source == null || !source.isReady();
        if (step == Step.LEVELLING && link == relayTarget && !sourceLost) {
            LOG.warn("replica left out of the view: volume={} replica={} reason={}", volumeName, link, why);
            relayTarget = null;
            levelNext();
        }
    }

    /** Something was acknowledged. */
    void progressed() {
        switch (step) {
            case LEVELLING -> relayProgressed();
            case STARTING -> {
                if (core.committed() >= epochStart) {
                    waitOut();
                }
            }
            default -> {}
        }
    }

    private void relayProgressed() {
        ReplicaLink to = relayTarget;
        ReplicaLink from = source;
        if (to == null || from == null || to.journaled() < relayNext - 1) {
            return;
        }
        if (to.journaled() >= state(from).lastSequence()) {
            relayTarget = null;
            members.add(to);
            levelNext();
        } else if (from.requests().outstanding() == 0) {
            requestRecords(from, to);
        }
    }

    // ------------------------------------------------------------------ view, first record, lease

    private void recordView() {
        step = Step.RECORDING;
        List<UUID> ids = members.stream().map(ReplicaLink::id).toList();
        RecordKeeper k = keeper;
        if (k == null) {
            return;
        }
        k.change(
                record -> record.view().size() == ids.size() && record.view().containsAll(ids)
                        ? record
                        : record.withView(ids),
                record -> askStructure());
    }

    private void askStructure() {
        ReplicaLink from = source;
        if (from == null || !from.isReady()) {
            core.fail(new VolumeFaultedException(volumeName, "a replica was lost while the volume was being opened"));
            return;
        }
        from.request(
                new Message.Status(),
                Replies.expecting(
                        Message.StatusOk.class,
                        this::startEpoch,
                        refused -> core.fail(new VolumeFaultedException(volumeName, refused))));
    }

    private void startEpoch(Message.StatusOk status) {
        ReplicaLink from = source;
        if (from == null || step != Step.RECORDING) {
            return;
        }
        step = Step.STARTING;
        Message.FenceOk chosen = state(from);
        epochStart = chosen.lastSequence() + 1;
        for (ReplicaLink link : core.links.values()) {
            link.recordVersion(record().version());
        }
        core.history(EpochHistory.of(chosen).continued(core.epoch(), epochStart));
        core.beginEpoch(chosen.lastSequence(), status.sizeBytes(), status.layers(), List.copyOf(members));
    }

    private void waitOut() {
        step = Step.WAITING_OUT;
        long rest = previous.isPresent() && leaseOverKnown ? leaseOverNanos - core.loop.nanoTime() : 0;
        if (rest > 0) {
            LOG.info("waiting for the previous engine's lease: volume={} millis={}", volumeName, rest / 1_000_000);
            core.loop.schedule(rest, this::takeOver);
        } else {
            takeOver();
        }
    }

    private void takeOver() {
        if (step != Step.WAITING_OUT) {
            return;
        }
        step = Step.TAKING_OVER;
        LeaseHolder holder = new LeaseHolder(
                core.epoch(),
                core.engineId,
                core.settings.leaseNanos(),
                core.registry.hostId(),
                core.registry.bootId(),
                false);
        RecordKeeper k = keeper;
        if (k != null) {
            k.change(record -> record.withHolder(holder), record -> opened());
        }
    }

    private void opened() {
        if (step == Step.TAKING_OVER) {
            step = Step.OVER;
            core.opened();
            done.done(null);
        }
    }
}
