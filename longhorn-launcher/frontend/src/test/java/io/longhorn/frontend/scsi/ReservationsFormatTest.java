package io.longhorn.frontend.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.frontend.scsi.Reservations.Registration;
import io.longhorn.frontend.scsi.Reservations.Reservation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ReservationsFormatTest {

    private static final InitiatorPort A = new InitiatorPort("iqn.2026-01.test:a", "80123456789a");
    private static final InitiatorPort B = new InitiatorPort("iqn.2026-01.test:b", "000000000001");

    @Test
    void theVectorIsWrittenAndRead() throws IOException {
        byte[] vector = vector("two-registrants.txt");
        Reservations reservations = Reservations.NONE
                .withRegistration(new Registration(A, 0x1122334455667788L, true))
                .withRegistration(new Registration(B, 2, false))
                .withReservation(new Reservation(ReservationType.EXCLUSIVE_ACCESS_REGISTRANTS_ONLY, B))
                .withPersistence(true);
        assertThat(HexFormat.of().formatHex(ReservationsFormat.encode(reservations)))
                .isEqualTo(HexFormat.of().formatHex(vector));
        assertThat(ReservationsFormat.decode(vector)).isEqualTo(reservations);
    }

    @Test
    void nothingIsWrittenAndRead() throws IOException {
        assertThat(ReservationsFormat.decode(ReservationsFormat.encode(Reservations.NONE)))
                .isEqualTo(Reservations.NONE);
    }

    @Test
    void whatAllRegistrantsHoldOutlivesTheOneWhoMadeIt() throws IOException {
        Reservations reservations = Reservations.NONE
                .withRegistration(new Registration(A, 1, false))
                .withRegistration(new Registration(B, 2, false))
                .withReservation(new Reservation(ReservationType.WRITE_EXCLUSIVE_ALL_REGISTRANTS, A))
                .withPersistence(true)
                .without(A);
        Reservations read = ReservationsFormat.decode(ReservationsFormat.encode(reservations));
        assertThat(read.holds(B)).isTrue();
        assertThat(read.conflict(A, Access.WRITE)).isTrue();
    }

    @Test
    void everyFlippedBitAndEveryCutIsNoticed() throws IOException {
        byte[] vector = vector("two-registrants.txt");
        for (int bit = 0; bit < vector.length * 8; bit++) {
            byte[] damaged = vector.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            assertThatThrownBy(() -> ReservationsFormat.decode(damaged))
                    .as("bit %d", bit)
                    .isInstanceOf(IOException.class);
        }
        for (int length = 0; length < vector.length; length++) {
            byte[] cut = Arrays.copyOf(vector, length);
            assertThatThrownBy(() -> ReservationsFormat.decode(cut)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void foreignAndNewerFilesAreRefusedByName() throws IOException {
        byte[] vector = vector("two-registrants.txt");
        byte[] newer = vector.clone();
        newer[4] = 2;
        assertThatThrownBy(() -> ReservationsFormat.decode(newer)).hasMessageContaining("version 2");
        assertThatThrownBy(() -> ReservationsFormat.decode(new byte[64])).hasMessageContaining("not reservations");
        assertThatThrownBy(() -> ReservationsFormat.decode(new byte[1 << 20])).hasMessageContaining("damaged");
    }

    /** The hexadecimal digits of a file, without what stands behind a number sign. */
    private static byte[] vector(String name) throws IOException {
        try (var in = ReservationsFormatTest.class.getResourceAsStream("/format/reservations/v1/" + name)) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return HexFormat.of()
                    .parseHex(text.lines()
                            .map(line -> line.replaceAll("#.*", "").replace(" ", ""))
                            .collect(Collectors.joining()));
        }
    }

    @Test
    void registrationsKeepTheirOrder() {
        Map<InitiatorPort, Registration> registrations = Reservations.NONE
                .withRegistration(new Registration(B, 1, false))
                .withRegistration(new Registration(A, 1, false))
                .registrations();
        assertThat(registrations.keySet()).containsExactly(B, A);
    }
}
