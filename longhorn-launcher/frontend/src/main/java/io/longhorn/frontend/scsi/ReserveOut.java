package io.longhorn.frontend.scsi;

import io.longhorn.frontend.scsi.Reservations.Registration;
import io.longhorn.frontend.scsi.Reservations.Reservation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** PERSISTENT RESERVE OUT (SPC-4 6.16): what a request makes of the reservations. */
final class ReserveOut {

    private static final int REGISTER = 0;
    private static final int RESERVE = 1;
    private static final int RELEASE = 2;
    private static final int CLEAR = 3;
    private static final int PREEMPT = 4;
    private static final int PREEMPT_AND_ABORT = 5;
    private static final int REGISTER_AND_IGNORE_EXISTING_KEY = 6;
    private static final int REGISTER_AND_MOVE = 7;
    static final int SERVICE_ACTION_MAX = REGISTER_AND_MOVE;

    private static final int LIST_BYTES = 24;
    private static final int LIST_BYTES_MAX = 64 << 10;
    static final int FLAGS_INDEX = 20;
    private static final int SPECIFY_INITIATORS = 0x08;
    private static final int ALL_TARGET_PORTS = 0x04;
    private static final int PERSIST = 0x01;
    private static final int MOVE_FLAGS_INDEX = 17;
    private static final int MOVE_UNREGISTER = 0x02;

    private final Reservations now;
    private final InitiatorPort from;
    private final byte[] cdb;
    private final ByteBuffer list;
    private final long key;
    private final long actionKey;
    private final List<Told> told = new ArrayList<>();
    private final List<InitiatorPort> preempted = new ArrayList<>();

    /** A port that gets a unit attention. */
    record Told(InitiatorPort port, SenseCode code) {}

    /**
     * What a request comes to.
     *
     * @param next what holds from now on, once it is kept
     * @param told who is told what then
     * @param aborted whose commands must end before the request is answered
     */
    record Change(Reservations next, List<Told> told, List<InitiatorPort> aborted) {}

    private ReserveOut(Reservations now, InitiatorPort from, byte[] cdb, ByteBuffer list) {
        this.now = now;
        this.from = from;
        this.cdb = cdb;
        this.list = list;
        this.key = list.getLong(0);
        this.actionKey = list.getLong(8);
    }

    static long dataOut(byte[] cdb) {
        long lengthBytes = Cdb.u32(cdb, 5);
        return lengthBytes > LIST_BYTES_MAX ? 0 : lengthBytes;
    }

    static void run(RunningCommand command) {
        byte[] cdb = command.cdb();
        long lengthBytes = Cdb.u32(cdb, 5);
        if (lengthBytes < LIST_BYTES || lengthBytes > LIST_BYTES_MAX) {
            throw new CheckCondition(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        ByteBuffer list = command.exactDataOut(lengthBytes).nioBuffer();
        command.unit()
                .changeReservations(command, now -> change(now, command.nexus().port(), cdb, list));
    }

    /** Throws {@link ReservationConflict} or {@link CheckCondition} if it may not be. */
    static Change change(Reservations now, InitiatorPort from, byte[] cdb, ByteBuffer list) {
        ReserveOut request = new ReserveOut(now, from, cdb, list.slice());
        Reservations next = request.next();
        boolean aborts = Cdb.serviceAction(cdb) == PREEMPT_AND_ABORT;
        return new Change(next, List.copyOf(request.told), aborts ? List.copyOf(request.preempted) : List.of());
    }

    private Reservations next() {
        int action = Cdb.serviceAction(cdb);
        if (action != REGISTER_AND_MOVE) {
            checkLength(action);
        }
        return switch (action) {
            case REGISTER -> register(false);
            case REGISTER_AND_IGNORE_EXISTING_KEY -> register(true);
            case RESERVE -> reserve();
            case RELEASE -> release();
            case CLEAR -> clear();
            case PREEMPT, PREEMPT_AND_ABORT -> preempt();
            default -> move();
        };
    }

    private void checkLength(int action) {
        boolean specifies = (list.get(FLAGS_INDEX) & SPECIFY_INITIATORS) != 0;
        if (specifies && action != REGISTER) {
            throw new CheckCondition(Sense.parameterField(FLAGS_INDEX));
        }
        if (!specifies && list.limit() != LIST_BYTES) {
            throw new CheckCondition(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
    }

    private Registration registered() {
        Registration registration = now.registration(from).orElseThrow(ReservationConflict::new);
        if (registration.key() != key) {
            throw new ReservationConflict();
        }
        return registration;
    }

    private Reservations register(boolean ignoreKey) {
        boolean registered = now.isRegistered(from);
        if (!ignoreKey && (registered ? registered().key() : 0) != key) {
            throw new ReservationConflict();
        }
        boolean specifies = (list.get(FLAGS_INDEX) & SPECIFY_INITIATORS) != 0;
        if (specifies && registered) {
            throw new CheckCondition(Sense.parameterField(FLAGS_INDEX));
        }
        boolean persist = (list.get(FLAGS_INDEX) & PERSIST) != 0;
        if (actionKey == 0) {
            return registered ? unregister().withPersistence(persist).nextGeneration() : now;
        }
        Reservations next = now.withRegistration(registration(from));
        if (specifies) {
            for (InitiatorPort port : specified()) {
                next = next.withRegistration(registration(port));
            }
        }
        if (next.registrations().size() > Reservations.REGISTRATIONS_MAX) {
            throw new CheckCondition(SenseCode.INSUFFICIENT_REGISTRATION_RESOURCES);
        }
        return next.withPersistence(persist).nextGeneration();
    }

    private Registration registration(InitiatorPort port) {
        return new Registration(port, actionKey, (list.get(FLAGS_INDEX) & ALL_TARGET_PORTS) != 0);
    }

    /** The ports that are registered as well (SPC-4 table 215); none of them may be registered already. */
    private List<InitiatorPort> specified() {
        if (list.limit() < LIST_BYTES + 4 || list.getInt(LIST_BYTES) != list.limit() - LIST_BYTES - 4) {
            throw new CheckCondition(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        List<InitiatorPort> ports = new ArrayList<>();
        int at = LIST_BYTES + 4;
        while (at < list.limit()) {
            InitiatorPort port = TransportId.decode(list, at);
            if (now.isRegistered(port) || port.equals(from) || ports.size() == Reservations.REGISTRATIONS_MAX) {
                throw new CheckCondition(Sense.parameterField(at));
            }
            ports.add(port);
            at += TransportId.lengthBytes(list, at);
        }
        return ports;
    }

    private Reservations unregister() {
        Reservations next = now.without(from);
        Reservation ended = now.reservation();
        if (ended != null && next.reservation() == null && ended.type().admitsRegistrants()) {
            tellOthers(SenseCode.RESERVATIONS_RELEASED);
        }
        return next;
    }

    private Reservations reserve() {
        registered();
        Reservation wanted = wanted();
        Reservation held = now.reservation();
        if (held == null) {
            return now.withReservation(wanted);
        }
        if (!now.holds(from) || held.type() != wanted.type()) {
            throw new ReservationConflict();
        }
        return now;
    }

    /** The reservation that the descriptor block names. */
    private Reservation wanted() {
        if (Cdb.u8(cdb, 2) >> 4 != 0) {
            throw new CheckCondition(Sense.cdbField(2, 7));
        }
        ReservationType type =
                ReservationType.of(cdb[2] & 0x0f).orElseThrow(() -> new CheckCondition(Sense.cdbField(2, 3)));
        return new Reservation(type, from);
    }

    private Reservations release() {
        registered();
        Reservation held = now.reservation();
        if (held == null || !now.holds(from)) {
            return now;
        }
        if (Cdb.u8(cdb, 2) != held.type().code()) {
            throw new CheckCondition(SenseCode.INVALID_RELEASE_OF_PERSISTENT_RESERVATION);
        }
        if (held.type().admitsRegistrants()) {
            tellOthers(SenseCode.RESERVATIONS_RELEASED);
        }
        return now.withReservation(null);
    }

    private Reservations clear() {
        registered();
        tellOthers(SenseCode.RESERVATIONS_PREEMPTED);
        Reservations next = now;
        for (InitiatorPort port : now.registrations().keySet()) {
            next = next.without(port);
        }
        return next.nextGeneration();
    }

    private void tellOthers(SenseCode code) {
        for (InitiatorPort port : now.registrations().keySet()) {
            if (!port.equals(from)) {
                told.add(new Told(port, code));
            }
        }
    }

    private Reservations preempt() {
        registered();
        Reservation held = now.reservation();
        if (held != null && preempts(held)) {
            return preemptReservation(held);
        }
        if (actionKey == 0) {
            throw new CheckCondition(Sense.parameterField(8));
        }
        if (now.withKey(actionKey).isEmpty()) {
            throw new ReservationConflict();
        }
        return withoutPreempted(now, false).nextGeneration();
    }

    /** Whether the holder is among those whom the request names (SPC-4 5.12.11.2.1). */
    private boolean preempts(Reservation held) {
        if (held.type().isHeldByAll()) {
            return actionKey == 0;
        }
        return actionKey != 0 && holderKey(held) == actionKey;
    }

    private long holderKey(Reservation held) {
        return now.registration(held.holder()).map(Registration::key).orElse(0L);
    }

    private Reservations preemptReservation(Reservation held) {
        Reservation wanted = wanted();
        Reservations next = withoutPreempted(now, held.type().isHeldByAll()).withReservation(wanted);
        if (held.type() != wanted.type()) {
            for (InitiatorPort port : next.registrations().keySet()) {
                if (!port.equals(from)) {
                    told.add(new Told(port, SenseCode.RESERVATIONS_RELEASED));
                }
            }
        }
        return next.nextGeneration();
    }

    /** Without the registrations that the request names, but for that of the one who sent it. */
    private Reservations withoutPreempted(Reservations reservations, boolean all) {
        Reservations next = reservations;
        for (Registration registration : reservations.registrations().values()) {
            boolean named = all || registration.key() == actionKey;
            if (named && !registration.port().equals(from)) {
                next = next.without(registration.port());
                preempted.add(registration.port());
                told.add(new Told(registration.port(), SenseCode.REGISTRATIONS_PREEMPTED));
            }
        }
        return next;
    }

    /** The parameter list is another one (SPC-4 6.16.4). */
    private Reservations move() {
        registered();
        Reservation held = now.reservation();
        if (held == null || held.type().isHeldByAll() || !now.holds(from)) {
            throw new ReservationConflict();
        }
        if (actionKey == 0) {
            throw new CheckCondition(Sense.parameterField(8));
        }
        if (list.getShort(18) != InquiryData.RELATIVE_PORT_NUMBER) {
            throw new CheckCondition(Sense.parameterField(18));
        }
        if (list.getInt(20) != list.limit() - LIST_BYTES) {
            throw new CheckCondition(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        InitiatorPort to = TransportId.decode(list, LIST_BYTES);
        if (to.equals(from)) {
            throw new CheckCondition(Sense.parameterField(LIST_BYTES));
        }
        int flags = list.get(MOVE_FLAGS_INDEX);
        Reservations next = now.withRegistration(new Registration(to, actionKey, false))
                .withReservation(new Reservation(held.type(), to))
                .withPersistence((flags & PERSIST) != 0);
        if ((flags & MOVE_UNREGISTER) != 0) {
            next = next.without(from);
        }
        if (next.registrations().size() > Reservations.REGISTRATIONS_MAX) {
            throw new CheckCondition(SenseCode.INSUFFICIENT_REGISTRATION_RESOURCES);
        }
        return next.nextGeneration();
    }
}
