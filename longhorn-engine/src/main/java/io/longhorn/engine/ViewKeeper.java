package io.longhorn.engine;

import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.StructureOperation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is in the view: judges the members against each other, removes one that fails, adds one that caught up. A change counts when the
 * registry has it; until then every confirmation needs the members of both views. Engine loop only.
 */
final class ViewKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(ViewKeeper.class);

    /** Checksum refusals in a row that cost a replica the view; fewer are answered by sending again. */
    static final int REFUSALS_MAX = 3;

    private final EngineCore core;
    /** The durable view, and the candidate. */
    private final List<ReplicaLink> confirmers = new ArrayList<>();

    private final Set<ReplicaLink> leaving = new LinkedHashSet<>();
    /** Members that shall leave as soon as another holds everything that was confirmed. */
    private final Map<ReplicaLink, String> unwanted = new LinkedHashMap<>();
    /** The same for members that were slow when they were judged last: it may pass. */
    private final Map<ReplicaLink, String> slow = new LinkedHashMap<>();
    /** Members whose connection is gone; they leave when a peer shows that it is not our own network. */
    private final Map<ReplicaLink, String> absent = new LinkedHashMap<>();
    /** When the connection of the last of them was seen to be gone. */
    private long absentNanos;
    /** Members that came back without something they had acknowledged. */
    private final Set<ReplicaLink> lost = new LinkedHashSet<>();

    private @Nullable Candidate candidate;

    /** A replica on its way into the view. */
    private static final class Candidate {
        final ReplicaLink link;
        /** The newest operation when it began to count: nothing up to here was confirmed by its word. */
        final long sequence;

        final Runnable joined;
        /** Whether the registry is asked to call it a member: there is no way back. */
        boolean recording;

        Candidate(ReplicaLink link, long sequence, Runnable joined) {
            this.link = link;
            this.sequence = sequence;
            this.joined = joined;
        }
    }

    ViewKeeper(EngineCore core) {
        this.core = core;
    }

    void begin(List<ReplicaLink> members) {
        confirmers.clear();
        confirmers.addAll(members);
    }

    boolean isEmpty() {
        return confirmers.isEmpty();
    }

    boolean isChanging() {
        return !leaving.isEmpty() || !unwanted.isEmpty() || !slow.isEmpty() || candidate != null;
    }

    /** Whether the registry calls it a member, or was asked to. */
    boolean isMember(ReplicaLink link) {
        Candidate next = candidate;
        return confirmers.contains(link) && (next == null || next.link != link || next.recording);
    }

    /** Whether the registry calls it a member. */
    boolean isInSync(ReplicaLink link) {
        return confirmers.contains(link) && !isCandidate(link);
    }

    /** How many members the registry knows. */
    int inSync() {
        return confirmers.size() - (candidate == null ? 0 : 1);
    }

    private boolean isCandidate(ReplicaLink link) {
        Candidate next = candidate;
        return next != null && next.link == link;
    }

    /** Everyone who counts for confirmations: the members, and the candidate. */
    List<ReplicaLink> members() {
        return confirmers;
    }

    /**
     * Whether reads may go to it: recorded in the view, connected, and not on its way out. One that shall leave and cannot, since no other holds everything, is read: what it
     * has is all there is, checksums keep what is bad of it from callers, and the others come back by what it has.
     */
    boolean isReadable(ReplicaLink link) {
        return link.isReady()
                && isInSync(link)
                && !leaving.contains(link)
                && !lost.contains(link)
                && !(unwanted.containsKey(link) && isSpared(link))
                && !slow.containsKey(link);
    }

    /** The readable member with the least read bytes outstanding that is none of these; null if there is none. */
    @Nullable
    ReplicaLink chooseReadable(List<ReplicaLink> tried) {
        ReplicaLink best = null;
        for (int i = 0; i < confirmers.size(); i++) {
            ReplicaLink link = confirmers.get(i);
            if (isReadable(link)
                    && !tried.contains(link)
                    && (best == null || link.readBytesOutstanding < best.readBytesOutstanding)) {
                best = link;
            }
        }
        return best;
    }

    /** Whether anybody who counts is none of these. */
    boolean hasOthers(List<ReplicaLink> tried) {
        return !tried.containsAll(confirmers);
    }

    // ------------------------------------------------------------------ marks

    /** Rule: a sequence is committed when every member has journaled it. */
    long journaledByAll() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < confirmers.size(); i++) {
            least = Math.min(least, confirmers.get(i).journaled());
        }
        return least;
    }

    /** Rule: a sequence is durable when every member has made it so. */
    long durableByAll() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < confirmers.size(); i++) {
            least = Math.min(least, confirmers.get(i).durable());
        }
        return least;
    }

    /** Whether every connected replica that takes records has granted so many bytes more. */
    boolean allHaveCredit(int bytes) {
        for (ReplicaLink link : core.links.values()) {
            if (link.takesRecords && link.isReady() && link.creditLeft() < bytes) {
                if (link.diskFull() && !isMember(link)) {
                    core.rebuilds().abandon(link, "its disk is full");
                    return allHaveCredit(bytes);
                }
                return false;
            }
        }
        return true;
    }

    /** A member whose disk has no room for so many bytes; null if all have. */
    @Nullable
    ReplicaLink memberWithoutSpace(int bytes) {
        for (ReplicaLink link : confirmers) {
            if (isMember(link) && link.isReady() && link.diskFull() && link.creditLeft() < bytes) {
                return link;
            }
        }
        return null;
    }

    // ------------------------------------------------------------------ judging

    /**
     * A member said something. Only the answer to a ping sent since shows that it is there and the lost connections are not our own network's fault: what else arrives after a
     * pause of this process may have been sent long ago, by a member that is gone as well.
     */
    void answered(ReplicaLink peer) {
        if (!absent.isEmpty() && !absent.containsKey(peer) && peer.hasAnsweredPing(absentNanos)) {
            Map<ReplicaLink, String> gone = new LinkedHashMap<>(absent);
            absent.clear();
            gone.forEach(this::leave);
        }
    }

    /** The connection of a member is gone. */
    void absent(ReplicaLink link, String cause) {
        if (link.refusals == 0 || link.refusals >= REFUSALS_MAX) {
            absent.put(link, cause);
            absentNanos = core.loop.nanoTime();
        }
        askForSigns();
    }

    private void askForSigns() {
        if (absent.isEmpty()) {
            return;
        }
        long now = core.loop.nanoTime();
        for (ReplicaLink peer : confirmers) {
            if (peer.isReady()) {
                peer.ping(now);
            }
        }
    }

    /** A member reconnected and holds all it acknowledged. */
    void present(ReplicaLink link) {
        absent.remove(link);
        lost.remove(link);
        unwanted.remove(link);
        slow.remove(link);
        askForSigns();
    }

    /** A member came back without something it acknowledged, or did not come back at all. */
    void lostTail(ReplicaLink link) {
        lost.add(link);
        if (!failIfEveryMemberLostItsTail()) {
            leave(link, "lost records it had acknowledged");
        }
    }

    /** Asked whenever one more has lost its tail, or one fewer counts. */
    private boolean failIfEveryMemberLostItsTail() {
        boolean all = !lost.isEmpty() && lost.containsAll(confirmers);
        if (all) {
            core.unflushedWritesLost();
        }
        return all;
    }

    /**
     * Looks for members that are silent, or slow beside their peers. Called at the end of a turn, after all input.
     *
     * @param ran time for which the loop ran since the last call
     */
    void judge(long ran, long lastSequence, long flushSequence) {
        if (!unwanted.isEmpty()) {
            Map<ReplicaLink, String> again = new LinkedHashMap<>(unwanted);
            unwanted.clear();
            again.forEach(this::leave);
        }
        askForSigns();
        slow.clear();
        for (ReplicaLink link : List.copyOf(confirmers)) {
            judgeSilence(link, ran, lastSequence, flushSequence);
            judgeLag(link, ran);
            judgeSyncLag(link, ran, flushSequence);
        }
    }

    private void judgeSilence(ReplicaLink link, long ran, long lastSequence, long flushSequence) {
        boolean owes = !link.isReady()
                || link.journaled() < lastSequence
                || link.durable() < flushSequence
                || link.requests().outstanding() > 0
                || core.reads.awaits(link)
                || isWaitedForByRequests(link);
        if (!owes) {
            link.silentNanos = 0;
            return;
        }
        link.silentNanos += ran;
        long limit = core.settings.silenceNanos();
        if (link.silentNanos >= limit) {
            if (peerAnsweredMeanwhile(link)) {
                leaveUnlessItPasses(link, "silent for " + link.silentNanos / 1_000_000 + " ms while a peer answered");
            }
        } else if (link.isReady() && link.silentNanos >= limit / 4) {
            link.ping(core.loop.nanoTime());
        }
    }

    /** Requests may wait for its credit: nothing was sent that it would have to answer, and yet nothing goes on without a word from it. */
    private boolean isWaitedForByRequests(ReplicaLink link) {
        return !core.requests.isEmpty() && link.creditLeft() < FrameLayout.RECORD_BYTES_MAX;
    }

    private boolean peerAnsweredMeanwhile(ReplicaLink link) {
        for (ReplicaLink peer : confirmers) {
            if (peer != link && peer.isReady() && peer.silentNanos < core.settings.silenceNanos() / 2) {
                return true;
            }
        }
        return false;
    }

    private void judgeLag(ReplicaLink link, long ran) {
        long best = bestJournaled(link);
        if (link.journaled() >= best) {
            link.lagMark = 0;
        } else if (link.lagMark == 0 || link.journaled() >= link.lagMark) {
            link.lagMark = best;
            link.lagNanos = 0;
        } else {
            link.lagNanos += ran;
            if (link.lagNanos >= core.settings.silenceNanos()) {
                leaveUnlessItPasses(link, "records lag behind its peers by " + link.lagNanos / 1_000_000 + " ms");
            }
        }
    }

    private void judgeSyncLag(ReplicaLink link, long ran, long flushSequence) {
        if (flushSequence == 0 || link.durable() >= flushSequence || !aPeerIsDurable(link, flushSequence)) {
            link.syncLagNanos = 0;
            return;
        }
        link.syncLagNanos += ran;
        if (link.syncLagNanos >= core.settings.syncLagNanos()) {
            leaveUnlessItPasses(link, "syncs lag behind its peers by " + link.syncLagNanos / 1_000_000 + " ms");
        }
    }

    private boolean aPeerIsDurable(ReplicaLink link, long sequence) {
        for (ReplicaLink peer : confirmers) {
            if (peer != link && peer.isReady() && peer.durable() >= sequence) {
                return true;
            }
        }
        return false;
    }

    private long bestJournaled(ReplicaLink link) {
        long best = 0;
        for (ReplicaLink peer : confirmers) {
            if (peer != link && peer.isReady()) {
                best = Math.max(best, peer.journaled());
            }
        }
        return best;
    }

    // ------------------------------------------------------------------ leaving and joining

    /** Takes a member out of the view, as soon as another member holds everything that was confirmed. */
    void leave(ReplicaLink link, String reason) {
        leave(link, reason, unwanted);
    }

    /**
     * The same for a member that has lost entries of a block map, if another holds everything; it returns when it has got them from there. Otherwise it stays, since what it
     * can give is all there is.
     *
     * @return whether it leaves
     */
    boolean leaveForDamage(ReplicaLink link, String reason) {
        if (!isSpared(link)) {
            return false;
        }
        core.rebuilds().rebuildNextTime(link);
        leave(link, reason);
        return true;
    }

    /** As {@link #leave}, unless it is judged better before another one does: whoever is alone in having everything must not be given up for a pause. */
    private void leaveUnlessItPasses(ReplicaLink link, String reason) {
        leave(link, reason, slow);
    }

    /** @param otherwise where it is noted if it cannot leave yet */
    private void leave(ReplicaLink link, String reason, Map<ReplicaLink, String> otherwise) {
        Candidate next = candidate;
        if (next != null && next.link == link) {
            if (next.recording) {
                otherwise.put(link, reason);
            } else {
                core.rebuilds().abandon(link, reason);
            }
            return;
        }
        if (!confirmers.contains(link) || leaving.contains(link)) {
            return;
        }
        if (!isSpared(link)) {
            otherwise.put(link, reason);
            return;
        }
        unwanted.remove(link);
        slow.remove(link);
        absent.remove(link);
        leaving.add(link);
        LOG.warn("replica leaves the view: volume={} replica={} reason={}", core.volumeName(), link, reason);
        core.keeperOrFail().change(record -> without(record, link.id()), record -> left(link, reason));
    }

    /** Whether another member holds every confirmed sequence: a view change keeps at least one. */
    boolean isSpared(ReplicaLink link) {
        for (ReplicaLink peer : confirmers) {
            if (peer != link
                    && !isCandidate(peer)
                    && peer.isReady()
                    && !leaving.contains(peer)
                    && !lost.contains(peer)
                    && peer.journaled() >= core.committed()) {
                return true;
            }
        }
        return false;
    }

    private static VolumeRecord without(VolumeRecord record, UUID member) {
        if (!record.view().contains(member)) {
            return record;
        }
        List<UUID> rest = new ArrayList<>(record.view());
        rest.remove(member);
        return record.withView(rest);
    }

    private void left(ReplicaLink link, String reason) {
        leaving.remove(link);
        lost.remove(link);
        slow.remove(link);
        confirmers.remove(link);
        link.takesRecords = false;
        core.counters.replicasLost.increment();
        core.events.replicaLost(link.replica, reason);
        recorded();
        if (link.isReady()) {
            link.reset("left the view: " + reason);
        }
        if (failIfEveryMemberLostItsTail()) {
            return;
        }
        core.refreshHealth();
        core.confirmations.advance();
        core.requests.pump();
    }

    /**
     * Makes a replica that is caught up a member. From now on every confirmation needs it too. What was confirmed before, flushes too, was confirmed without it: only when
     * all of that is durable on it may the registry call it a member, since it may be the only one left in the next moment. {@code joined} is called when the registry does.
     */
    void join(ReplicaLink link, Runnable joined) {
        long newest = core.window.lastSequence();
        candidate = new Candidate(link, newest, joined);
        confirmers.add(link);
        // What the others acknowledged before does not bind the new member: reads ask again, all of them.
        core.lease.lapse();
        if (!mayJoin(link, newest)) {
            link.sendSequence(FrameType.FLUSH, newest);
        }
        core.armTick();
        candidateAcknowledged();
    }

    /** The candidate said something. */
    void candidateAcknowledged() {
        Candidate next = candidate;
        if (next != null && !next.recording && mayJoin(next.link, next.sequence)) {
            next.recording = true;
            core.keeperOrFail().change(record -> with(record, next.link.id()), record -> recorded(next, record));
        }
    }

    /** The rule for joining: what was confirmed without a replica is durable on it before it is called a member. */
    private static boolean mayJoin(ReplicaLink link, long confirmedWithoutIt) {
        return link.durable() >= confirmedWithoutIt;
    }

    private void recorded(Candidate member, VolumeRecord record) {
        candidate = null;
        if (!record.view().contains(member.link.id())) {
            confirmers.remove(member.link);
            core.rebuilds().abandon(member.link, "it was removed while it joined");
            candidateGone();
            return;
        }
        recorded();
        core.pins.tell(member.link);
        member.joined.run();
        if (!member.link.isReady()) {
            absent(member.link, "connection lost while joining");
        }
        core.refreshHealth();
        core.confirmations.advance();
    }

    /** The replica shall not join after all. Returns whether that was still possible: it is no member. */
    boolean withdraw(ReplicaLink link) {
        Candidate next = candidate;
        if (next != null && next.link == link && !next.recording) {
            candidate = null;
            confirmers.remove(link);
            core.loop.execute(this::candidateGone);
        }
        return !confirmers.contains(link);
    }

    private void candidateGone() {
        failIfEveryMemberLostItsTail();
        core.confirmations.advance();
    }

    /** A replica that somebody removed meanwhile does not come back. */
    private static VolumeRecord with(VolumeRecord record, UUID member) {
        boolean isReplica = record.replicas().stream()
                .anyMatch(replica -> replica.replicaId().equals(member));
        if (record.view().contains(member) || !isReplica) {
            return record;
        }
        List<UUID> all = new ArrayList<>(record.view());
        all.add(member);
        return record.withView(all);
    }

    /** The registry has a new view: the replicas learn of it ahead of every later record. */
    private void recorded() {
        VolumeRecord record = core.record();
        for (ReplicaLink link : core.links.values()) {
            link.recordVersion(record.version());
        }
        if (core.state() == EngineCore.State.OPEN || core.state() == EngineCore.State.OPENING) {
            core.sequencer.sequenceStructure(new StructureOperation.ViewChange(record.version(), record.view()), null);
            core.armTick();
        }
    }
}
