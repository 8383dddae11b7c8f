package io.longhorn.frontend.scsi;

import io.longhorn.frontend.scsi.Reservations.Registration;
import io.longhorn.frontend.scsi.Reservations.Reservation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** PERSISTENT RESERVE IN (SPC-4 6.15). */
final class ReserveIn {

    private static final int READ_KEYS = 0;
    private static final int READ_RESERVATION = 1;
    private static final int REPORT_CAPABILITIES = 2;
    private static final int READ_FULL_STATUS = 3;
    static final int SERVICE_ACTION_MAX = READ_FULL_STATUS;

    private static final int HEADER_BYTES = 8;
    private static final int RESERVATION_BYTES = 16;
    private static final int SPECIFIES_INITIATORS = 0x08;
    private static final int ALL_TARGET_PORTS = 0x04;
    private static final int KEEPS = 0x01;
    private static final int TYPES_VALID = 0x80;
    private static final int KEEPS_NOW = 0x01;
    private static final int ALL_SIX_TYPES = 0xea01;
    private static final int STATUS_FOR_ALL_PORTS = 0x02;
    private static final int STATUS_HOLDER = 0x01;
    private static final int STATUS_BYTES = 24;

    private ReserveIn() {}

    static void run(RunningCommand command) {
        Reservations reservations = command.unit().reservations();
        byte[] cdb = command.cdb();
        byte[] answer = switch (Cdb.serviceAction(cdb)) {
            case READ_KEYS -> keys(reservations);
            case READ_RESERVATION -> reservation(reservations);
            case REPORT_CAPABILITIES -> capabilities(command.unit(), reservations);
            default -> fullStatus(reservations);
        };
        command.good(answer, Cdb.u16(cdb, 7));
    }

    /** A view of the answer behind its header, which is filled in. */
    private static ByteBuffer headed(byte[] answer, Reservations reservations) {
        return ByteBuffer.wrap(answer).putInt(reservations.generation()).putInt(answer.length - HEADER_BYTES);
    }

    private static byte[] keys(Reservations reservations) {
        byte[] answer = new byte[HEADER_BYTES + 8 * reservations.registrations().size()];
        ByteBuffer keys = headed(answer, reservations);
        reservations.registrations().values().forEach(registration -> keys.putLong(registration.key()));
        return answer;
    }

    private static byte[] reservation(Reservations reservations) {
        Reservation reservation = reservations.reservation();
        byte[] answer = new byte[HEADER_BYTES + (reservation == null ? 0 : RESERVATION_BYTES)];
        ByteBuffer fields = headed(answer, reservations);
        if (reservation != null) {
            // A reservation that all registrants hold has no key of its own.
            long key = reservation.type().isHeldByAll()
                    ? 0
                    : reservations
                            .registration(reservation.holder())
                            .map(Registration::key)
                            .orElse(0L);
            fields.putLong(key).put(21, (byte) reservation.type().code());
        }
        return answer;
    }

    private static byte[] capabilities(LogicalUnit unit, Reservations reservations) {
        boolean keeps = unit.keepsReservations();
        return ByteBuffer.allocate(8)
                .putShort((short) 8)
                .put((byte) (SPECIFIES_INITIATORS | ALL_TARGET_PORTS | (keeps ? KEEPS : 0)))
                .put((byte) (TYPES_VALID | (reservations.persistent() ? KEEPS_NOW : 0)))
                .putShort((short) ALL_SIX_TYPES)
                .array();
    }

    private static byte[] fullStatus(Reservations reservations) {
        List<byte[]> descriptors = new ArrayList<>();
        for (Registration registration : reservations.registrations().values()) {
            descriptors.add(status(reservations, registration));
        }
        byte[] answer = new byte
                [HEADER_BYTES
                        + descriptors.stream().mapToInt(each -> each.length).sum()];
        ByteBuffer content = headed(answer, reservations);
        descriptors.forEach(content::put);
        return answer;
    }

    private static byte[] status(Reservations reservations, Registration registration) {
        byte[] transportId = TransportId.encode(registration.port());
        ByteBuffer data = ByteBuffer.allocate(STATUS_BYTES + transportId.length).putLong(registration.key());
        Reservation reservation = reservations.reservation();
        boolean holder = reservations.holds(registration.port());
        data.put(
                12, (byte) ((registration.allTargetPorts() ? STATUS_FOR_ALL_PORTS : 0) | (holder ? STATUS_HOLDER : 0)));
        data.put(13, (byte) (holder && reservation != null ? reservation.type().code() : 0));
        data.putShort(18, (short) InquiryData.RELATIVE_PORT_NUMBER).putInt(20, transportId.length);
        return data.position(STATUS_BYTES).put(transportId).array();
    }
}
