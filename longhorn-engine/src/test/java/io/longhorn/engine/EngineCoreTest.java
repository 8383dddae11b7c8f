package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.DamagedBlockException;
import io.longhorn.DiskFullException;
import io.longhorn.Durability;
import io.longhorn.FencedException;
import io.longhorn.HealthState;
import io.longhorn.LonghornException;
import io.longhorn.SalvageNeededException;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.TimeLimitException;
import io.longhorn.TooFewReplicasException;
import io.longhorn.UnflushedWritesLostException;
import io.longhorn.VolumeLimits;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.StructureOperation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The engine alone, on virtual time, against replicas that a test can make misbehave. */
class EngineCoreTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1000 * MILLI;
    private static final int BLOCK = 4096;

    private final TurnLoop loop = new TurnLoop();
    private final MemoryRegistry registry = new MemoryRegistry();
    private final List<ScriptedReplica> replicas = new ArrayList<>();
    private final Outcomes outcomes = new Outcomes();
    private long engines = 100;

    /** Remembers how operations ended. */
    private static final class Outcome implements Completion {
        boolean over;
        LonghornException failure;

        @Override
        public void done(LonghornException cause) {
            assertThat(over).as("told twice").isFalse();
            over = true;
            failure = cause;
        }

        boolean isConfirmed() {
            return over && failure == null;
        }
    }

    private static final class Outcomes implements EngineEvents {
        final List<String> events = new ArrayList<>();

        @Override
        public void healthChanged(HealthState before, HealthState after) {
            events.add("health " + after);
        }

        @Override
        public void replicaLost(ReplicaRecord replica, String reason) {
            events.add("lost " + replica.endpoint());
        }

        @Override
        public void rebuildStarted(ReplicaRecord replica, long totalBytes) {
            events.add("rebuild " + replica.endpoint());
        }

        @Override
        public void rebuildProgress(ReplicaRecord replica, long doneBytes, long totalBytes) {}

        @Override
        public void rebuildEnded(ReplicaRecord replica, boolean inSync, long bytes, long tookNanos, String reason) {
            events.add("rebuilt " + replica.endpoint() + " " + inSync);
        }

        @Override
        public void blockRepaired(UUID replica, String location, long offsetBytes) {
            events.add("repaired " + offsetBytes);
        }

        @Override
        public void blockDamaged(long offsetBytes) {
            events.add("damaged " + offsetBytes);
        }

        @Override
        public void fenced(long newerEpoch) {
            events.add("fenced " + newerEpoch);
        }
    }

    @BeforeEach
    void makeVolume() {
        List<ReplicaRecord> records = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            UUID id = new UUID(1, i);
            replicas.add(new ScriptedReplica(loop, "r" + i + ":1", id));
            records.add(new ReplicaRecord(id, "r" + i + ":1"));
        }
        VolumeRecord record = new VolumeRecord(
                1,
                "vol",
                new UUID(2, 2),
                1 << 20,
                Durability.ON_FLUSH,
                3,
                1,
                VolumeLimits.NONE,
                Map.of(),
                0,
                0,
                VolumeRecord.NO_ENGINE,
                records,
                records.stream().map(ReplicaRecord::replicaId).toList(),
                Optional.empty());
        registry.compareAndSet(record);
    }

    private EngineCore engine() {
        EngineSettings settings = new EngineSettings(
                800 * MILLI,
                9 * SECOND,
                3 * SECOND,
                30 * SECOND,
                30 * SECOND,
                100 * MILLI,
                2 * SECOND,
                64,
                1024,
                16 << 20,
                1 << 20,
                0,
                "");
        return new EngineCore(
                loop,
                ScriptedReplica.connector(loop, replicas),
                registry,
                settings,
                "vol",
                new UUID(9, engines++),
                outcomes);
    }

    private EngineCore open() {
        EngineCore core = engine();
        Outcome opened = new Outcome();
        core.open(opened);
        loop.until(() -> opened.over, 40 * SECOND);
        if (opened.failure != null) {
            throw opened.failure;
        }
        return core;
    }

    private static ByteBuffer filled(int bytes, int value) {
        byte[] data = new byte[bytes];
        Arrays.fill(data, (byte) value);
        return ByteBuffer.wrap(data);
    }

    private Outcome write(EngineCore core, long offset, ByteBuffer data) {
        Outcome outcome = new Outcome();
        core.write(offset, data, false, outcome);
        loop.settle();
        return outcome;
    }

    private byte[] read(EngineCore core, long offset, int length) {
        ByteBuffer target = ByteBuffer.allocate(length);
        Outcome outcome = new Outcome();
        core.reads.read(LayerId.LIVE, 0, offset, target, outcome);
        loop.until(() -> outcome.over, 40 * SECOND);
        if (outcome.failure != null) {
            throw outcome.failure;
        }
        return target.array();
    }

    @Test
    void openingTakesTheNextEpochAndBecomesTheLeaseHolder() {
        EngineCore core = open();

        assertThat(core.epoch()).isEqualTo(1);
        assertThat(registry.get("vol").holder())
                .hasValueSatisfying(h -> assertThat(h.epoch()).isEqualTo(1));
        assertThat(core.health().state()).isEqualTo(HealthState.HEALTHY);
    }

    @Test
    void writeIsConfirmedOnlyWhenEveryReplicaHasIt() {
        EngineCore core = open();
        replicas.get(2).mute = true;

        Outcome outcome = write(core, 0, filled(BLOCK, 5));

        assertThat(outcome.over).isFalse();
        assertThat(replicas.get(0).block(0)[0]).isEqualTo((byte) 5);
    }

    @Test
    void confirmedWriteIsReadBack() {
        EngineCore core = open();

        assertThat(write(core, 2 * BLOCK, filled(3 * BLOCK, 7)).isConfirmed()).isTrue();

        assertThat(read(core, 2 * BLOCK, 3 * BLOCK)).containsOnly(7);
        assertThat(read(core, 0, BLOCK)).containsOnly(0);
    }

    @Test
    void unalignedWriteKeepsTheRestOfItsBlocks() {
        EngineCore core = open();
        write(core, 0, filled(3 * BLOCK, 1));

        Outcome outcome = write(core, 100, filled(2 * BLOCK, 2));
        loop.settle();

        assertThat(outcome.isConfirmed()).isTrue();
        byte[] all = read(core, 0, 3 * BLOCK);
        assertThat(Arrays.copyOfRange(all, 0, 100)).containsOnly(1);
        assertThat(Arrays.copyOfRange(all, 100, 100 + 2 * BLOCK)).containsOnly(2);
        assertThat(Arrays.copyOfRange(all, 100 + 2 * BLOCK, 3 * BLOCK)).containsOnly(1);
    }

    @Test
    void overlappingPartialWritesApplyInCallOrder() {
        EngineCore core = open();
        Outcome first = new Outcome();
        Outcome second = new Outcome();
        Outcome third = new Outcome();
        core.write(10, filled(100, 1), false, first);
        core.write(50, filled(100, 2), false, second);
        core.write(0, filled(BLOCK, 3), false, third);
        loop.settle();

        assertThat(List.of(first.isConfirmed(), second.isConfirmed(), third.isConfirmed()))
                .containsOnly(true);
        assertThat(read(core, 0, BLOCK)).containsOnly(3);
    }

    @Test
    void unalignedZeroesReadAsZeroes() {
        EngineCore core = open();
        write(core, 0, filled(6 * BLOCK, 9));
        Outcome outcome = new Outcome();
        core.writeZeroes(1000, 4 * BLOCK, false, false, outcome);
        loop.settle();

        assertThat(outcome.isConfirmed()).isTrue();
        byte[] all = read(core, 0, 6 * BLOCK);
        assertThat(Arrays.copyOfRange(all, 0, 1000)).containsOnly(9);
        assertThat(Arrays.copyOfRange(all, 1000, 1000 + 4 * BLOCK)).containsOnly(0);
        assertThat(Arrays.copyOfRange(all, 1000 + 4 * BLOCK, 6 * BLOCK)).containsOnly(9);
    }

    @Test
    void flushWaitsForEveryReplicaToBeDurable() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        replicas.get(1).neverDurable = true;
        Outcome flushed = new Outcome();
        core.flush(flushed);
        loop.settle();
        // Durable numbers of before still cover the opening's own records, not the write.
        assertThat(flushed.over).isFalse();

        replicas.get(1).neverDurable = false;
        Outcome again = new Outcome();
        core.flush(again);
        loop.settle();

        assertThat(flushed.isConfirmed()).isTrue();
        assertThat(again.isConfirmed()).isTrue();
    }

    @Test
    void silentReplicaLeavesTheViewAndTheWriteGoesOn() {
        EngineCore core = open();
        replicas.get(2).mute = true;
        Outcome outcome = write(core, 0, filled(BLOCK, 5));

        loop.until(() -> outcome.over, 2 * SECOND);

        assertThat(outcome.isConfirmed()).isTrue();
        assertThat(registry.get("vol").view()).doesNotContain(replicas.get(2).id);
        assertThat(core.health().state()).isEqualTo(HealthState.DEGRADED);
    }

    /** Found by the simulator: the engine counted what takes no credit as well, and in the end thought that it had none left. */
    @Test
    void recordsWithoutBlocksTakeNoCredit() {
        EngineCore core = open();
        for (int i = 0; i < 20_000; i++) {
            Outcome discarded = new Outcome();
            core.discard(0, BLOCK, discarded);
            loop.until(() -> discarded.over, SECOND);
            assertThat(discarded.isConfirmed()).isTrue();
        }

        Outcome written = write(core, 0, filled(BLOCK, 5));
        loop.until(() -> written.over, SECOND);

        assertThat(written.isConfirmed()).isTrue();
    }

    /** Found by the simulator: it could not leave, the only other one being on its way out, and was not asked for anything ever after. */
    @Test
    void replicaThatWasSilentForAWhileIsReadAgain() {
        EngineCore core = open();
        replicas.get(2).down = true;
        replicas.get(2).cut();
        Outcome first = write(core, 0, filled(BLOCK, 5));
        loop.until(() -> first.over, 3 * SECOND);
        registry.failing = true;
        replicas.get(1).cut();
        loop.pass(SECOND);
        replicas.get(0).mute = true;
        Outcome second = write(core, BLOCK, filled(BLOCK, 6));
        loop.pass(3 * SECOND);
        assertThat(second.over).isFalse();

        replicas.get(0).mute = false;
        registry.failing = false;
        replicas.get(2).down = false;
        loop.until(() -> core.health().state() == HealthState.HEALTHY, 20 * SECOND);

        assertThat(second.isConfirmed()).isTrue();
        assertThat(read(core, BLOCK, BLOCK)).containsOnly(6);
    }

    /** Found by the simulator: a replica that nothing had been written to was never missed, and reads waited for it to prolong the lease. */
    @Test
    void silentReplicaLeavesTheViewAndReadsGoOn() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        loop.pass(10 * SECOND);
        replicas.get(2).mute = true;
        Outcome outcome = new Outcome();
        core.reads.read(LayerId.LIVE, 0, 0, ByteBuffer.allocate(BLOCK), outcome);

        loop.until(() -> outcome.over, 2 * SECOND);

        assertThat(outcome.isConfirmed()).isTrue();
        assertThat(registry.get("vol").view()).doesNotContain(replicas.get(2).id);
    }

    @Test
    void nothingIsConfirmedWithoutALostReplicaUntilTheRegistryHasTheView() {
        EngineCore core = open();
        registry.failing = true;
        replicas.get(2).down = true;
        replicas.get(2).cut();
        Outcome outcome = write(core, 0, filled(BLOCK, 5));
        loop.pass(5 * SECOND);
        assertThat(outcome.over).isFalse();

        registry.failing = false;
        loop.until(() -> outcome.over, 5 * SECOND);

        assertThat(outcome.isConfirmed()).isTrue();
    }

    /**
     * Found by the simulator: an engine that had been paused found an acknowledgement of a replica that had died since, and took the other one out of the view because of it. The
     * one that was left came back without what a damaged journal had held.
     */
    @Test
    void acknowledgementsSentBeforeALossAreNoSignThatAPeerIsThere() {
        EngineCore core = open();
        replicas.get(0).ignoresPings = true;
        replicas.get(1).ignoresPings = true;
        replicas.get(2).down = true;
        replicas.get(2).cut();
        Outcome outcome = write(core, 0, filled(BLOCK, 5));
        loop.pass(SECOND / 10);
        assertThat(replicas.get(0).last).isEqualTo(replicas.get(1).last).isGreaterThan(replicas.get(2).last);
        assertThat(registry.get("vol").view()).contains(replicas.get(2).id);

        replicas.get(1).ignoresPings = false;
        loop.until(() -> outcome.over, SECOND / 10);

        assertThat(outcome.isConfirmed()).isTrue();
        assertThat(registry.get("vol").view()).containsExactly(replicas.get(0).id, replicas.get(1).id);
    }

    @Test
    void allReplicasSilentKeepsTheView() {
        EngineCore core = open();
        replicas.forEach(r -> r.mute = true);
        Outcome outcome = write(core, 0, filled(BLOCK, 5));
        loop.pass(5 * SECOND);
        assertThat(outcome.over).isFalse();
        assertThat(registry.get("vol").view()).hasSize(3);

        replicas.forEach(r -> r.mute = false);
        replicas.forEach(ScriptedReplica::cut);
        loop.until(() -> outcome.over, 5 * SECOND);

        assertThat(outcome.isConfirmed()).isTrue();
    }

    @Test
    void shortAbsenceIsResentFromTheJournal() {
        EngineCore core = open();
        missSomeWrites(core);

        loop.until(() -> core.health().state() == HealthState.HEALTHY, 10 * SECOND);
        loop.pass(SECOND);

        assertThat(replicas.get(2).received).doesNotContain(FrameType.REBUILD_BEGIN);
        assertThat(core.counters.rebuiltBytes.sum()).isBetween(41L * BLOCK, 42L * BLOCK);
        assertReplicasAlike(41);
    }

    /** Found by the simulator: it kept records of which it did not know that they are confirmed, had no room for more, and was sent nothing, not even that. */
    @Test
    void replicaWhoseJournalIsFullIsToldFirstWhatIsConfirmed() {
        EngineCore core = open();
        missSomeWrites(core);
        replicas.get(2).committed = 0;
        replicas.get(2).fullOfUnconfirmed = true;

        loop.until(() -> core.health().state() == HealthState.HEALTHY, 10 * SECOND);

        assertThat(replicas.get(2).received).doesNotContain(FrameType.REBUILD_BEGIN);
        assertReplicasAlike(41);
    }

    @Test
    void recordsOfNowWaitForThoseThatWereMissed() {
        EngineCore core = open();
        missSomeWrites(core);
        List<Outcome> writes = new ArrayList<>();
        for (int i = 0; core.health().state() != HealthState.HEALTHY && i < 1000; i++) {
            Outcome outcome = new Outcome();
            core.write((i % 60L) * BLOCK, filled(BLOCK, i), false, outcome);
            writes.add(outcome);
            loop.pass(2 * MILLI);
        }
        loop.until(() -> writes.stream().allMatch(w -> w.over), SECOND);

        assertThat(core.health().state()).isEqualTo(HealthState.HEALTHY);
        assertThat(writes).allMatch(Outcome::isConfirmed);
        assertThat(replicas.get(2).received).doesNotContain(FrameType.REBUILD_BEGIN);
        assertReplicasAlike(60);
    }

    /** Brings the last replica to the point where it has what it missed, and the others confirm flushes of what it has not made durable. */
    private EngineCore aboutToJoin() {
        EngineCore core = open();
        ScriptedReplica returning = replicas.get(2);
        missSomeWrites(core);
        returning.neverDurable = true;
        int flushes = Collections.frequency(returning.received, FrameType.FLUSH);
        loop.until(() -> Collections.frequency(returning.received, FrameType.FLUSH) > flushes, 10 * SECOND);
        returning.neverSyncs = true;
        Outcome flushed = new Outcome();
        write(core, 0, filled(BLOCK, 77));
        core.flush(flushed);
        loop.settle();
        assertThat(flushed.isConfirmed()).isTrue();
        returning.neverDurable = false;
        assertThat(write(core, BLOCK, filled(BLOCK, 78)).isConfirmed()).isTrue();
        return core;
    }

    /** Found by the simulator: a replica joined without what was flushed while it made durable what it had missed. */
    @Test
    void replicaJoinsOnlyWithWhatWasFlushedWithoutIt() {
        EngineCore core = aboutToJoin();
        Outcome waiting = new Outcome();
        core.flush(waiting);
        loop.pass(SECOND);
        assertThat(registry.get("vol").view()).doesNotContain(replicas.get(2).id);
        assertThat(core.health().replicasInSync()).isEqualTo(2);
        // What it may be asked for alone in a moment has to be durable on it from now on.
        assertThat(waiting.over).isFalse();

        replicas.get(2).neverSyncs = false;
        core.flush(new Outcome());
        loop.until(() -> core.health().state() == HealthState.HEALTHY, SECOND);

        assertThat(waiting.isConfirmed()).isTrue();
        assertThat(registry.get("vol").view()).contains(replicas.get(2).id);
        assertThat(replicas.get(2).durable).isGreaterThanOrEqualTo(replicas.get(0).durable - 1);
    }

    @Test
    void replicaThatIsRemovedWhileItJoinsDoesNotComeBack() {
        EngineCore core = aboutToJoin();
        ScriptedReplica joining = replicas.get(2);
        registry.failing = true;
        boolean[] removed = new boolean[1];
        core.keeperOrFail()
                .change(
                        record -> record.withReplicas(record.replicas().stream()
                                .filter(replica -> !replica.replicaId().equals(joining.id))
                                .toList()),
                        record -> removed[0] = true);
        joining.neverSyncs = false;
        Outcome waiting = new Outcome();
        core.flush(waiting);
        loop.settle();
        registry.failing = false;
        loop.until(() -> removed[0] && waiting.over, 10 * SECOND);

        assertThat(waiting.isConfirmed()).isTrue();
        assertThat(registry.get("vol").view()).hasSize(2).doesNotContain(joining.id);
        assertThat(write(core, 0, filled(BLOCK, 9)).isConfirmed()).isTrue();
    }

    @Test
    void candidateThatIsLostHoldsNobodyUp() {
        EngineCore core = aboutToJoin();
        Outcome waiting = new Outcome();
        core.flush(waiting);
        loop.settle();
        assertThat(waiting.over).isFalse();

        replicas.get(2).down = true;
        replicas.get(2).cut();
        loop.settle();

        assertThat(waiting.isConfirmed()).isTrue();
        assertThat(registry.get("vol").view()).doesNotContain(replicas.get(2).id);
    }

    @Test
    void candidateThatDoesNotSyncIsGivenUp() {
        EngineCore core = aboutToJoin();
        Outcome waiting = new Outcome();
        core.flush(waiting);

        loop.until(() -> waiting.over, 20 * SECOND);

        assertThat(waiting.isConfirmed()).isTrue();
        assertThat(registry.get("vol").view()).doesNotContain(replicas.get(2).id);
    }

    @Test
    void whatNoJournalHoldsIsRebuilt() {
        EngineCore core = open();
        missSomeWrites(core);
        replicas.get(0).records.clear();
        replicas.get(1).records.clear();

        loop.until(() -> core.health().state() == HealthState.HEALTHY, 10 * SECOND);
        loop.pass(SECOND);

        assertThat(replicas.get(2).received).contains(FrameType.REBUILD_BEGIN);
        assertThat(registry.get("vol").view()).contains(replicas.get(2).id);
        assertReplicasAlike(41);
    }

    /** Found by the simulator: the expansion was sequenced, and so not sent again, but not confirmed. */
    @Test
    void replicaThatIsRebuiltBehindAnExpansionHasTheNewSize() {
        EngineCore core = open();
        missSomeWrites(core);
        replicas.get(0).records.clear();
        replicas.get(1).records.clear();
        replicas.get(1).mute = true;
        core.change(new StructureOperation.Expand(2 << 20), new Outcome());
        loop.until(() -> replicas.get(2).received.contains(FrameType.REBUILD_BEGIN), SECOND);

        assertThat(core.sizeBytes()).isEqualTo(1 << 20);
        assertThat(replicas.get(2).sizeBytes).isEqualTo(2 << 20);
    }

    @Test
    void rebuildsThatFailAreTriedLessAndLessOften() {
        EngineCore core = open();
        missMoreThanTheJournalHolds(core);
        replicas.get(2).refusesCopies = true;
        loop.until(() -> core.counters.rebuilds.sum() >= 4, 60 * SECOND);
        long before = core.counters.rebuilds.sum();

        loop.pass(20 * SECOND);

        assertThat(core.counters.rebuilds.sum()).isBetween(before + 1, before + 16);
        assertThat(core.health().state()).isEqualTo(HealthState.DEGRADED);
        replicas.get(2).refusesCopies = false;
        loop.until(() -> core.health().state() == HealthState.HEALTHY, 60 * SECOND);
        assertReplicasAlike(41);
    }

    /** Found by the simulator: it was judged unfit in the moment in which the only other one left, and then nobody could read it nor come back by it, for ever. */
    @Test
    void memberThatShallLeaveIsReadWhileNoOtherHoldsEverything() {
        EngineCore core = open();
        missSomeWrites(core);
        replicas.get(2).down = true;
        replicas.get(2).cut();
        replicas.get(1).down = true;
        replicas.get(1).cut();
        Outcome written = write(core, 0, filled(BLOCK, 8));
        loop.until(() -> written.over && core.view.inSync() == 1, 20 * SECOND);

        core.view.leave(linkOf(core, 0), "it is judged unfit");

        assertThat(read(core, 0, BLOCK)).containsOnly(8);
        replicas.get(1).down = false;
        replicas.get(2).down = false;
        loop.until(() -> core.health().state() == HealthState.HEALTHY, 60 * SECOND);
        assertThat(read(core, 0, BLOCK)).containsOnly(8);
    }

    @Test
    void rebuildLeavesOutBlocksOfWhichNobodyHasAGoodCopy() {
        EngineCore core = open();
        missMoreThanTheJournalHolds(core);
        replicas.get(0).rotten = true;
        replicas.get(1).down = true;
        replicas.get(1).cut();
        loop.until(
                () -> core.health().state() == HealthState.DEGRADED && core.view.isInSync(linkOf(core, 2)),
                60 * SECOND);

        // One that found the journals empty, and one that did it.
        assertThat(core.counters.rebuilds.sum()).isEqualTo(2);
        assertThatThrownBy(() -> read(core, 15 * BLOCK, BLOCK)).isInstanceOf(DamagedBlockException.class);
        replicas.get(0).rotten = false;
        for (int block = 0; block < 41; block++) {
            assertThat(read(core, (long) block * BLOCK, BLOCK)).containsOnly(block == 0 ? 6 : 7);
        }
    }

    @Test
    void rebuildSurvivesASourceThatIsLostWhileItsBlocksAreRepaired() {
        EngineCore core = open();
        missMoreThanTheJournalHolds(core);
        replicas.get(0).rotten = true;
        replicas.get(0).failsWhenRepaired = true;
        loop.until(() -> core.health().state() == HealthState.HEALTHY, 60 * SECOND);

        assertThat(replicas.get(0).failsWhenRepaired).isFalse();
        assertReplicasAlike(41);
    }

    @Test
    void lastReplicaStaysReadableAroundADamagedMapAndIsRebuiltFrom() {
        EngineCore core = open();
        missMoreThanTheJournalHolds(core);
        replicas.get(0).lostBlock = 3;
        for (int gone = 1; gone < 3; gone++) {
            replicas.get(gone).down = true;
            replicas.get(gone).cut();
        }
        write(core, 50 * BLOCK, filled(BLOCK, 8));
        loop.until(() -> core.view.inSync() == 1, 10 * SECOND);

        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> read(core, 3 * BLOCK, BLOCK))
                    .isInstanceOf(DamagedBlockException.class)
                    .hasMessageContaining("block 3");
            assertThat(read(core, 4 * BLOCK, BLOCK)).containsOnly(7);
        }
        assertThat(outcomes.events).contains("damaged " + 3 * BLOCK);
        replicas.get(2).down = false;
        loop.until(() -> core.view.inSync() == 2, 20 * SECOND);
        assertThat(replicas.get(2).lostBlock).isEqualTo(3);
        assertThat(read(core, 50 * BLOCK, BLOCK)).containsOnly(8);
    }

    @Test
    void rebuildTurnsToAnotherSourceWhenAMapIsDamaged() {
        EngineCore core = open();
        missMoreThanTheJournalHolds(core);
        replicas.get(0).lostBlock = 3;
        loop.until(() -> core.health().state() == HealthState.HEALTHY, 60 * SECOND);

        assertThat(outcomes.events).contains("lost r0:1");
        assertThat(replicas).allMatch(replica -> replica.lostBlock < 0);
        assertReplicasAlike(41);
    }

    private static ReplicaLink linkOf(EngineCore core, int replica) {
        return core.links.get(new UUID(1, replica));
    }

    /** One write that the third replica has, and 41 blocks that it has not. */
    private void missSomeWrites(EngineCore core) {
        write(core, 0, filled(BLOCK, 5));
        replicas.get(2).down = true;
        replicas.get(2).cut();
        Outcome first = write(core, 0, filled(BLOCK, 6));
        Outcome without = write(core, BLOCK, filled(40 * BLOCK, 7));
        loop.until(() -> first.over && without.over, 3 * SECOND);
        replicas.get(2).down = false;
    }

    private void missMoreThanTheJournalHolds(EngineCore core) {
        missSomeWrites(core);
        replicas.get(0).records.clear();
        replicas.get(1).records.clear();
    }

    private void assertReplicasAlike(int blocks) {
        for (int b = 0; b < blocks; b++) {
            assertThat(replicas.get(2).block(b)).isEqualTo(replicas.get(0).block(b));
        }
    }

    @Test
    void emptyDiskGetsANewReplica() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        replicas.get(1).exists = false;
        replicas.get(1).cut();
        write(core, 0, filled(BLOCK, 6));

        loop.until(
                () -> !registry.get("vol").replicas().stream()
                                .anyMatch(r -> r.replicaId().equals(replicas.get(1).id))
                        && core.health().state() == HealthState.HEALTHY,
                20 * SECOND);

        assertThat(registry.get("vol").replicas()).hasSize(3);
    }

    @Test
    void secondEngineFencesTheFirst() {
        EngineCore first = open();
        registry.provesDeath = true;
        EngineCore second = open();

        Outcome late = write(first, 0, filled(BLOCK, 1));
        loop.pass(5 * SECOND);

        assertThat(second.epoch()).isEqualTo(2);
        assertThat(late.failure).isInstanceOf(FencedException.class);
    }

    @Test
    void openerWaitsForTheLeaseOfAnEngineThatMayLive() {
        open();
        long before = loop.nanoTime();

        open();

        assertThat(loop.nanoTime() - before).isGreaterThan(3 * SECOND);
    }

    @Test
    void openerNeedNotWaitForAnEngineThatClosed() {
        EngineCore first = open();
        Outcome closed = new Outcome();
        first.close(closed);
        loop.until(() -> closed.over, SECOND);
        long before = loop.nanoTime();

        open();

        assertThat(loop.nanoTime() - before).isLessThan(SECOND);
    }

    @Test
    void longestHistoryWinsAndShorterMembersAreBroughtUp() {
        EngineCore first = open();
        write(first, 0, filled(BLOCK, 5));
        replicas.get(1).mute = true;
        replicas.get(1).down = true;
        Outcome unconfirmed = write(first, BLOCK, filled(BLOCK, 6));
        assertThat(unconfirmed.over).isFalse();
        replicas.get(1).mute = false;
        replicas.get(1).down = false;
        registry.provesDeath = true;

        EngineCore second = open();

        assertThat(read(second, BLOCK, BLOCK)).containsOnly(6);
        assertThat(replicas.get(1).block(1)[0]).isEqualTo((byte) 6);
        assertThat(registry.get("vol").view()).hasSize(3);
    }

    /** Found by the simulator. */
    @Test
    void memberThatIsLostBeforeItsTurnToBeBroughtUpIsLeftOut() {
        EngineCore first = open();
        write(first, 0, filled(BLOCK, 5));
        for (int late = 1; late <= 2; late++) {
            replicas.get(late).mute = true;
            replicas.get(late).down = true;
        }
        write(first, BLOCK, filled(BLOCK, 6));
        for (int late = 1; late <= 2; late++) {
            replicas.get(late).mute = false;
            replicas.get(late).down = false;
        }
        registry.provesDeath = true;
        replicas.get(0).whenAskedForRecords = () -> {
            replicas.get(2).down = true;
            replicas.get(2).cut();
        };

        EngineCore second = open();

        assertThat(registry.get("vol").view()).containsExactly(replicas.get(0).id, replicas.get(1).id);
        assertThat(read(second, BLOCK, BLOCK)).containsOnly(6);
    }

    @Test
    void uncertainReplicasAloneAreNotOpened() {
        open();
        registry.provesDeath = true;
        replicas.get(0).down = true;
        replicas.get(0).cut();
        replicas.get(1).uncertain = true;
        replicas.get(2).uncertain = true;

        assertThatThrownBy(this::open).isInstanceOf(SalvageNeededException.class);
    }

    @Test
    void oneCertainReplicaIsEnoughToOpen() {
        EngineCore first = open();
        write(first, 0, filled(BLOCK, 5));
        registry.provesDeath = true;
        replicas.get(0).down = true;
        replicas.get(0).cut();
        replicas.get(1).down = true;
        replicas.get(1).cut();

        EngineCore second = open();

        assertThat(read(second, 0, BLOCK)).containsOnly(5);
        assertThat(registry.get("vol").view()).containsExactly(replicas.get(2).id);
    }

    @Test
    void unreachableVolumeSaysHowManyReplicasItNeeds() {
        replicas.forEach(r -> r.down = true);

        assertThatThrownBy(this::open).isInstanceOf(TooFewReplicasException.class);
    }

    @Test
    void replicaThatLostAcknowledgedRecordsLeavesTheView() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        replicas.get(1).losePower();
        Outcome next = write(core, BLOCK, filled(BLOCK, 6));

        loop.until(() -> next.over && core.health().state() == HealthState.HEALTHY, 10 * SECOND);

        assertThat(next.isConfirmed()).isTrue();
        assertThat(outcomes.events).contains("lost r1:1", "rebuilt r1:1 true");
        assertThat(replicas.get(1).block(0)[0]).isEqualTo((byte) 5);
    }

    @Test
    void lossOfUnflushedWritesEverywhereFailsTheSession() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        replicas.forEach(ScriptedReplica::losePower);
        Outcome flushed = new Outcome();
        core.flush(flushed);

        loop.until(() -> flushed.over, 10 * SECOND);

        assertThat(flushed.failure).isInstanceOf(UnflushedWritesLostException.class);
    }

    /** Found by the simulator: the one that had everything was on its way out, and when it was gone nobody asked again. */
    @Test
    void lossOfUnflushedWritesShowsWhenTheLastWhoHadThemHasLeft() {
        EngineCore core = open();
        replicas.get(2).down = true;
        replicas.get(2).cut();
        Outcome first = write(core, 0, filled(BLOCK, 5));
        loop.until(() -> first.over, 3 * SECOND);
        loop.pass(SECOND);
        assertThat(write(core, BLOCK, filled(BLOCK, 6)).isConfirmed()).isTrue();
        registry.failing = true;
        replicas.get(1).cut();
        loop.pass(SECOND);
        replicas.get(0).losePower();
        loop.pass(SECOND);
        assertThat(core.isOver()).isFalse();

        registry.failing = false;
        loop.until(core::isOver, 10 * SECOND);

        assertThat(core.failure()).isInstanceOf(io.longhorn.UnflushedWritesLostException.class);
    }

    @Test
    void badCopyIsNeverReturnedAndIsRepaired() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        replicas.get(0).rotten = true;
        replicas.get(1).rotten = true;

        assertThat(read(core, 0, BLOCK)).containsOnly(5);
        loop.settle();

        assertThat(outcomes.events).contains("repaired 0");
        assertThat(core.counters.checksumMismatches.sum()).isPositive();
    }

    @Test
    void blockWithoutAGoodCopyFailsByName() {
        EngineCore core = open();
        write(core, 4 * BLOCK, filled(BLOCK, 5));
        replicas.forEach(r -> r.rotten = true);

        assertThatThrownBy(() -> read(core, 4 * BLOCK, BLOCK))
                .isInstanceOf(DamagedBlockException.class)
                .hasMessageContaining("block 4");
    }

    @Test
    void readIsHeldUntilWhatItShowsIsConfirmed() {
        EngineCore core = open();
        replicas.get(2).mute = true;
        Outcome written = write(core, 0, filled(BLOCK, 5));
        ByteBuffer target = ByteBuffer.allocate(BLOCK);
        Outcome readBack = new Outcome();
        core.reads.read(LayerId.LIVE, 0, 0, target, readBack);
        loop.settle();
        assertThat(readBack.over).isFalse();

        loop.until(() -> readBack.over, 5 * SECOND);

        assertThat(written.isConfirmed()).isTrue();
        assertThat(target.array()).containsOnly(5);
    }

    @Test
    void readAfterIdleRenewsTheLease() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        loop.pass(10 * SECOND);
        int pings = count(FrameType.PING);

        assertThat(read(core, 0, BLOCK)).containsOnly(5);

        assertThat(count(FrameType.PING)).isEqualTo(pings + 3);
    }

    private int count(FrameType type) {
        return (int) replicas.stream()
                .flatMap(r -> r.received.stream())
                .filter(t -> t == type)
                .count();
    }

    @Test
    void fullDiskIsTheCallersErrorAndReadsGoOn() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        replicas.get(0).full = true;
        Outcome last = write(core, 0, filled(BLOCK, 6));
        List<Outcome> rest = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            rest.add(write(core, BLOCK, filled(BLOCK, 7)));
        }
        loop.pass(SECOND);

        assertThat(last.isConfirmed()).isTrue();
        assertThat(rest.get(299).failure).isInstanceOf(DiskFullException.class);
        assertThat(read(core, 0, BLOCK)).containsOnly(6);
    }

    @Test
    void compareAndWriteReplacesOnlyWhatMatches() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        Outcome first = new Outcome();
        Request matching = core.compareAndWrite(512, filled(512, 5), filled(512, 6), false, first);
        loop.settle();
        Outcome second = new Outcome();
        Request differing = core.compareAndWrite(512, filled(512, 5), filled(512, 7), false, second);
        loop.settle();

        assertThat(first.isConfirmed() && second.isConfirmed()).isTrue();
        assertThat(matching.mismatch).isEqualTo(-1);
        assertThat(differing.mismatch).isZero();
        assertThat(Arrays.copyOfRange(read(core, 0, BLOCK), 512, 1024)).containsOnly(6);
    }

    @Test
    void framesAreReturnedToThePool() {
        EngineCore core = open();
        for (int i = 0; i < 1000; i++) {
            write(core, (i % 100) * (long) BLOCK, filled(BLOCK, i));
        }
        loop.pass(SECOND);

        assertThat(core.window.isEmpty()).isTrue();
        assertThat(core.pool.leased()).isZero();
    }

    @Test
    void quietVolumeTellsWhatIsCommitted() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        loop.pass(100 * MILLI);

        assertThat(replicas).allSatisfy(r -> assertThat(r.committed).isEqualTo(core.window.lastSequence()));
    }

    private LayerId snapshot(EngineCore core, String name) {
        Outcome taken = new Outcome();
        core.change(new StructureOperation.CreateSnapshot(name, true, 0, Map.of()), taken);
        loop.until(() -> taken.over, SECOND);
        assertThat(taken.failure).isNull();
        return core.tree.find(name).orElseThrow().id();
    }

    private static void askForMap(EngineCore core, LayerId layer, int pin, CompletableFuture<Message.MapPage> result) {
        core.maps.ask(
                new Message.MapQuery(Message.MapMode.MERGED, layer, pin, LayerId.LIVE, 0, 0, 1),
                Message.MapPage.class,
                result::complete,
                result::completeExceptionally);
    }

    @Test
    void everyMemberHoldsWhatALongReaderHolds() {
        EngineCore core = open();
        LayerId layer = snapshot(core, "one");

        int pin = core.pins.hold(layer);
        loop.settle();
        assertThat(replicas).allSatisfy(r -> assertThat(r.pins).containsExactly(Map.entry(pin, layer)));

        replicas.get(1).cut();
        loop.until(() -> core.health().state() == HealthState.DEGRADED, 10 * SECOND);
        loop.until(() -> core.health().state() == HealthState.HEALTHY, 40 * SECOND);
        loop.settle();
        assertThat(replicas.get(1).pins).as("after it connected again").containsExactly(Map.entry(pin, layer));

        core.pins.release(pin);
        core.pins.release(pin);
        loop.settle();
        assertThat(replicas).allSatisfy(r -> assertThat(r.pins).isEmpty());
    }

    @Test
    void aReplicaThatJoinsHoldsItToo() {
        replicas.get(2).down = true;
        EngineCore core = open();
        loop.until(() -> core.view.inSync() == 2, 40 * SECOND);
        LayerId layer = snapshot(core, "one");
        int pin = core.pins.hold(layer);
        loop.settle();
        assertThat(replicas.get(2).pins).isEmpty();

        replicas.get(2).down = false;
        loop.until(() -> core.health().state() == HealthState.HEALTHY, 40 * SECOND);
        loop.settle();

        assertThat(replicas.get(2).pins).containsExactly(Map.entry(pin, layer));
    }

    @Test
    void aHeldSnapshotIsReadFromWhoeverStillHasIt() {
        EngineCore core = open();
        write(core, 0, filled(BLOCK, 5));
        LayerId layer = snapshot(core, "one");
        int pin = core.pins.hold(layer);
        replicas.get(0).gaveBack = true;
        replicas.get(1).gaveBack = true;

        ByteBuffer target = ByteBuffer.allocate(BLOCK);
        Outcome read = new Outcome();
        core.reads.read(layer, pin, 0, target, read);
        CompletableFuture<Message.MapPage> page = new CompletableFuture<>();
        askForMap(core, layer, pin, page);
        loop.settle();
        assertThat(read.isConfirmed()).isTrue();
        assertThat(target.array()).containsOnly(5);
        assertThat(page).isCompleted();

        replicas.get(2).gaveBack = true;
        Outcome nobody = new Outcome();
        core.reads.read(layer, pin, 0, target, nobody);
        CompletableFuture<Message.MapPage> none = new CompletableFuture<>();
        askForMap(core, layer, pin, none);
        loop.settle();
        assertThat(nobody.failure).isInstanceOf(SnapshotNotFoundException.class);
        assertThatThrownBy(none::join).hasCauseInstanceOf(SnapshotNotFoundException.class);
    }

    @Test
    void aQuestionForABlockMapGoesToAnotherReplicaWhenOneGoes() {
        EngineCore core = open();
        replicas.forEach(r -> r.mute = true);
        CompletableFuture<Message.MapPage> page = new CompletableFuture<>();
        askForMap(core, LayerId.LIVE, 0, page);
        loop.settle();
        assertThat(page).isNotDone();

        replicas.forEach(r -> r.mute = false);
        replicas.forEach(ScriptedReplica::cut);
        loop.until(page::isDone, 40 * SECOND);

        assertThat(page.join().nextBlock()).isEqualTo(-1);
    }

    @Test
    void questionsForBlockMapsEndWithTheSession() {
        EngineCore core = open();
        replicas.forEach(r -> r.down = true);
        replicas.forEach(ScriptedReplica::cut);
        loop.settle();
        CompletableFuture<Message.MapPage> late = new CompletableFuture<>();
        askForMap(core, LayerId.LIVE, 0, late);
        loop.until(late::isDone, 60 * SECOND);
        assertThatThrownBy(late::join).hasCauseInstanceOf(TimeLimitException.class);

        CompletableFuture<Message.MapPage> ended = new CompletableFuture<>();
        askForMap(core, LayerId.LIVE, 0, ended);
        core.fail(new FencedException("vol", 1, 2));
        assertThatThrownBy(ended::join).hasCauseInstanceOf(FencedException.class);
        assertThatThrownBy(() -> core.pins.hold(LayerId.ROOT)).isInstanceOf(FencedException.class);
    }
}
