package io.longhorn.frontend.scsi;

import io.longhorn.EventSubscription;
import io.longhorn.WriteOption;
import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The unit that holds the device: what initiators have set, reserved and not been told yet, and which commands therefore run. Any thread; reservations change on the worker
 * of the target only, one change after the other.
 */
final class LogicalUnit implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LogicalUnit.class);

    /** How many initiator ports may be in session. */
    private static final int NEXUSES_MAX = 1024;

    /** In the CONTROL byte: keep the fault of a command until it is cleared, which is not supported (SAM-5 5.2). */
    private static final int NACA_MASK = 0x04;

    private static final int NACA_BIT = 2;

    private static final WriteOption[] FORCED = {WriteOption.FORCED};
    private static final WriteOption[] CACHED = {};

    private final ScsiTargetSpec spec;
    private final Executor worker;
    private final Map<InitiatorPort, Nexus> nexuses = new ConcurrentHashMap<>();
    private final ModePages modes = new ModePages();
    private final KeptReservations kept;
    private final EventSubscription resizes;

    /** Who holds the unit by RESERVE(6), the older kind of reservation. */
    private final AtomicReference<@Nullable Nexus> reserver = new AtomicReference<>();

    private volatile Reservations reservations;

    LogicalUnit(ScsiTargetSpec spec, Executor worker) {
        this.spec = spec;
        this.worker = worker;
        this.kept = new KeptReservations(spec);
        this.reservations = kept.load();
        this.resizes = spec.device().onResize(size -> attentionToAll(SenseCode.CAPACITY_DATA_HAS_CHANGED));
    }

    ScsiTargetSpec spec() {
        return spec;
    }

    BlockDevice device() {
        return spec.device();
    }

    /** The capacity now. */
    long blocks() {
        return spec.device().sizeBytes() >> Cdb.BLOCK_SHIFT;
    }

    ModePages modes() {
        return modes;
    }

    Reservations reservations() {
        return reservations;
    }

    /** Whether reservations can be made to last. */
    boolean keepsReservations() {
        return kept.canKeep();
    }

    boolean isWriteProtected() {
        return spec.device().isReadOnly() || modes.writeProtect();
    }

    void checkWritable() {
        if (isWriteProtected()) {
            throw new CheckCondition(SenseCode.WRITE_PROTECTED);
        }
    }

    /** How a write that asks for nothing is confirmed. */
    WriteOption[] writeOptions() {
        return modes.writeCache() ? CACHED : FORCED;
    }

    void execute(ScsiTask task, ScsiOutcome outcome) {
        Nexus nexus = nexus(task.port());
        if (nexus == null) {
            outcome.status(ScsiStatus.BUSY, new byte[0]);
            return;
        }
        byte[] cdb = task.cdb();
        SupportedCommand supported = CommandTable.find(cdb);
        Access access = supported == null ? Access.FREE : supported.access().apply(cdb);
        RunningCommand command = new RunningCommand(this, nexus, task, outcome, access != Access.RESERVE);
        try {
            run(command, supported, access);
        } catch (ReservationConflict e) {
            command.end(ScsiStatus.RESERVATION_CONFLICT);
        } catch (CheckCondition e) {
            command.fail(e.sense());
        } catch (RuntimeException e) {
            LOG.warn("a SCSI command failed unexpectedly target={} operationCode={}", spec.name(), cdb[0] & 0xff, e);
            command.fail(SenseCode.INTERNAL_TARGET_FAILURE);
        }
    }

    private void run(RunningCommand command, @Nullable SupportedCommand supported, Access access) {
        Nexus nexus = command.nexus();
        if (access != Access.ALWAYS && nexus.isAttentive()) {
            Optional<SenseCode> attention = nexus.takeAttention();
            if (attention.isPresent()) {
                command.fail(attention.get());
                return;
            }
        }
        byte[] cdb = command.cdb();
        if (supported == null) {
            boolean known = CommandTable.knows(Cdb.operationCode(cdb));
            command.fail(known ? Sense.cdbField(1, 4) : Sense.of(SenseCode.INVALID_COMMAND_OPERATION_CODE));
            return;
        }
        if (Cdb.isSet(cdb, supported.usage().length - 1, NACA_MASK)) {
            command.fail(Sense.cdbField(supported.usage().length - 1, NACA_BIT));
            return;
        }
        if (isReservedByOthers(nexus, access) || reservations.conflict(nexus.port(), access)) {
            command.end(ScsiStatus.RESERVATION_CONFLICT);
            return;
        }
        supported.run().accept(command);
    }

    private boolean isReservedByOthers(Nexus nexus, Access access) {
        Nexus holder = reserver.get();
        return holder != null && holder != nexus && access != Access.ALWAYS && access != Access.RELEASE;
    }

    /** RESERVE(6), of SPC-2. Whoever has it loses it with the session, and by a reset. It does not mix with registrations (SPC-4 5.12.1). */
    void reserve(RunningCommand command) {
        if (!reservations.registrations().isEmpty()) {
            throw new ReservationConflict();
        }
        Nexus nexus = command.nexus();
        if (reserver.compareAndSet(null, nexus) || reserver.get() == nexus) {
            command.good();
        } else {
            command.end(ScsiStatus.RESERVATION_CONFLICT);
        }
    }

    void release(RunningCommand command) {
        if (!reservations.registrations().isEmpty()) {
            throw new ReservationConflict();
        }
        reserver.compareAndSet(command.nexus(), null);
        command.good();
    }

    /** Runs what may block. Ends the command if there is too much of that, or if it throws. */
    void work(RunningCommand command, Runnable work) {
        try {
            worker.execute(() -> {
                try {
                    work.run();
                } catch (ReservationConflict e) {
                    command.end(ScsiStatus.RESERVATION_CONFLICT);
                } catch (RuntimeException e) {
                    command.fail(e);
                }
            });
        } catch (RejectedExecutionException e) {
            command.end(ScsiStatus.BUSY);
        }
    }

    /** What holds next is kept before it holds, if it has to be kept. */
    void changeReservations(RunningCommand command, Function<Reservations, ReserveOut.Change> request) {
        work(command, () -> {
            ReserveOut.Change change = request.apply(reservations);
            if (change.next().persistent() && !kept.canKeep()) {
                command.fail(Sense.parameterField(ReserveOut.FLAGS_INDEX));
                return;
            }
            try {
                kept.keep(change.next());
            } catch (IOException e) {
                LOG.warn("persistent reservations cannot be kept target={}", spec.name(), e);
                command.fail(SenseCode.INTERNAL_TARGET_FAILURE);
                return;
            }
            reservations = change.next();
            for (ReserveOut.Told told : change.told()) {
                attention(told.port(), told.code());
            }
            answerWhenSettled(command, change.aborted());
        });
    }

    /** What is at work in the device cannot be called back, so PREEMPT AND ABORT waits for it to end. New commands see the new reservations already. */
    private void answerWhenSettled(RunningCommand command, List<InitiatorPort> ports) {
        List<CompletableFuture<Void>> settled = new ArrayList<>();
        for (InitiatorPort port : ports) {
            Nexus nexus = nexuses.get(port);
            if (nexus != null) {
                settled.add(nexus.settled());
            }
        }
        var unused = CompletableFuture.allOf(settled.toArray(CompletableFuture[]::new))
                .thenRun(command::good);
    }

    private @Nullable Nexus nexus(InitiatorPort port) {
        Nexus known = nexuses.get(port);
        if (known != null) {
            return known;
        }
        return nexuses.size() < NEXUSES_MAX ? nexuses.computeIfAbsent(port, Nexus::new) : null;
    }

    void nexusLost(InitiatorPort port) {
        Nexus lost = nexuses.remove(port);
        if (lost != null) {
            reserver.compareAndSet(lost, null);
        }
    }

    /** What holds only until then is gone, and everybody is told (SAM-5 6.3.3). */
    void reset() {
        reserver.set(null);
        modes.reset();
        attentionToAll(SenseCode.POWER_ON_OR_RESET);
    }

    void attention(InitiatorPort port, SenseCode code) {
        Nexus nexus = nexuses.get(port);
        if (nexus != null) {
            nexus.attention(code);
        }
    }

    void attentionToAll(SenseCode code) {
        nexuses.values().forEach(nexus -> nexus.attention(code));
    }

    void attentionToOthers(InitiatorPort but, SenseCode code) {
        for (Nexus nexus : nexuses.values()) {
            if (!nexus.port().equals(but)) {
                nexus.attention(code);
            }
        }
    }

    @Override
    public void close() {
        resizes.close();
    }
}
