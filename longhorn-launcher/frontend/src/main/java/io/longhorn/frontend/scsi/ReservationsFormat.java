package io.longhorn.frontend.scsi;

import io.longhorn.frontend.scsi.Reservations.Registration;
import io.longhorn.frontend.scsi.Reservations.Reservation;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/** Persistent reservations as bytes; {@code docs/format/reservations.md} describes them. */
final class ReservationsFormat {

    private static final int MAGIC = 0x5652_504c; // "LPRV"
    private static final int VERSION = 1;
    private static final int HEADER_BYTES = 16;
    private static final int CHECKSUM_BYTES = 4;
    private static final int REGISTRATION_BYTES_MAX = 8 + 1 + 6 + 2 + 4 * InitiatorPort.NAME_LENGTH_MAX;
    private static final int BYTES_MAX =
            HEADER_BYTES + Reservations.REGISTRATIONS_MAX * REGISTRATION_BYTES_MAX + CHECKSUM_BYTES;
    private static final int NO_HOLDER = 0xffff;
    private static final int PERSISTENT = 1;
    private static final int FOR_ALL_PORTS = 1;

    private ReservationsFormat() {}

    static byte[] encode(Reservations reservations) {
        ByteBuffer out = ByteBuffer.allocate(BYTES_MAX).order(ByteOrder.LITTLE_ENDIAN);
        List<InitiatorPort> ports = new ArrayList<>(reservations.registrations().keySet());
        Reservation reservation = reservations.reservation();
        out.putInt(MAGIC).putShort((short) VERSION).putShort((short) (reservations.persistent() ? PERSISTENT : 0));
        out.putShort((short) ports.size());
        out.putShort((short) (reservation == null ? 0 : reservation.type().code()));
        int holder = reservation == null ? -1 : ports.indexOf(reservation.holder());
        out.putShort((short) (holder < 0 ? NO_HOLDER : holder)).putShort((short) 0);
        for (Registration registration : reservations.registrations().values()) {
            byte[] name = registration.port().name().getBytes(StandardCharsets.UTF_8);
            out.putLong(registration.key()).put((byte) (registration.allTargetPorts() ? FOR_ALL_PORTS : 0));
            out.put(HexFormat.of().parseHex(registration.port().isid()));
            out.putShort((short) name.length).put(name);
        }
        out.putInt(checksum(out.array(), out.position()));
        byte[] content = new byte[out.flip().remaining()];
        out.get(content);
        return content;
    }

    static Reservations decode(byte[] content) throws IOException {
        if (content.length < HEADER_BYTES + CHECKSUM_BYTES || content.length > BYTES_MAX) {
            throw new IOException("damaged: " + content.length + " bytes");
        }
        ByteBuffer in = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        if (in.getInt() != MAGIC) {
            throw new IOException("not reservations: they begin otherwise");
        }
        int version = in.getShort() & 0xffff;
        if (version != VERSION) {
            throw new IOException("of version " + version + ", this program knows " + VERSION);
        }
        int end = content.length - CHECKSUM_BYTES;
        if (checksum(content, end) != in.getInt(end)) {
            throw new IOException("damaged: its checksum does not match");
        }
        try {
            return decodeContent(in.limit(end));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new IOException("damaged: its content does not fit its checksum's promise", e);
        }
    }

    private static Reservations decodeContent(ByteBuffer in) throws IOException {
        boolean persistent = (in.getShort() & PERSISTENT) != 0;
        int count = in.getShort() & 0xffff;
        int type = in.getShort() & 0xffff;
        int holder = in.getShort() & 0xffff;
        in.getShort();
        Map<InitiatorPort, Registration> registrations = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            Registration registration = registration(in);
            registrations.put(registration.port(), registration);
        }
        if (in.hasRemaining() || registrations.size() != count || count > Reservations.REGISTRATIONS_MAX) {
            throw new IOException("damaged: not " + count + " registrations");
        }
        Reservations reservations = new Reservations(0, persistent, registrations, null);
        return type == 0 ? reservations : reservations.withReservation(reservation(type, holder, registrations));
    }

    private static Registration registration(ByteBuffer in) {
        long key = in.getLong();
        boolean forAllPorts = (in.get() & FOR_ALL_PORTS) != 0;
        byte[] isid = new byte[6];
        in.get(isid);
        byte[] name = new byte[Math.min(in.getShort() & 0xffff, in.remaining())];
        in.get(name);
        InitiatorPort port = new InitiatorPort(
                new String(name, StandardCharsets.UTF_8), HexFormat.of().formatHex(isid));
        return new Registration(port, key, forAllPorts);
    }

    /** One that all registrants hold may be without the one who made it, who is then whoever is first. */
    private static Reservation reservation(int code, int holder, Map<InitiatorPort, Registration> registrations)
            throws IOException {
        ReservationType type =
                ReservationType.of(code).orElseThrow(() -> new IOException("damaged: no reservation type " + code));
        List<InitiatorPort> ports = new ArrayList<>(registrations.keySet());
        int index = holder == NO_HOLDER && type.isHeldByAll() ? 0 : holder;
        if (index >= ports.size()) {
            throw new IOException("damaged: the holder is not registered");
        }
        return new Reservation(type, ports.get(index));
    }

    private static int checksum(byte[] content, int lengthBytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(content, 0, lengthBytes);
        return (int) checksum.getValue();
    }
}
