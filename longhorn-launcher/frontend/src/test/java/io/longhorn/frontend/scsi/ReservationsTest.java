package io.longhorn.frontend.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.frontend.MemoryDevice;
import io.longhorn.frontend.scsi.Initiator.Answer;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReservationsTest {

    private static final String NAME = "iqn.2026-01.io.longhorn:disk";
    private static final String TEST_UNIT_READY = "000000000000";
    private static final int REGISTER = 0;
    private static final int RESERVE = 1;
    private static final int RELEASE = 2;
    private static final int CLEAR = 3;
    private static final int PREEMPT = 4;
    private static final int REGISTER_AND_IGNORE = 6;
    private static final int MOVE = 7;

    /**
     * SPC-4 tables 66 and 67, SBC-3 table 14. Columns: any other port under Write Exclusive, any other port under Exclusive Access; registered ports under the types that admit
     * registrants; other ports under Write Exclusive and under Exclusive Access of those types. A: allowed, C: conflict.
     */
    private static final List<String> COMMANDS = List.of(
            "AAAAA 00 TEST UNIT READY",
            "AAAAA 03 REQUEST SENSE",
            "ACAAC 08 READ(6)",
            "CCACC 0a WRITE(6)",
            "AAAAA 12 INQUIRY",
            "CCACC 15 MODE SELECT(6)",
            "CCACC 1a MODE SENSE(6)",
            "CCACC 1b00000000 START STOP UNIT that stops",
            "AAAAA 1b00000001 START STOP UNIT that starts",
            "CCACC 1b00000011 START STOP UNIT with a power condition",
            "CCACC 1e00000001 PREVENT ALLOW MEDIUM REMOVAL that prevents",
            "AAAAA 1e00000000 PREVENT ALLOW MEDIUM REMOVAL that allows",
            "AAAAA 25 READ CAPACITY(10)",
            "ACAAC 28 READ(10)",
            "CCACC 2a WRITE(10)",
            "CCACC 2e WRITE AND VERIFY(10)",
            "ACAAC 2f VERIFY(10)",
            "ACAAC 34 PRE-FETCH(10)",
            "CCACC 35 SYNCHRONIZE CACHE(10)",
            "CCACC 41 WRITE SAME(10)",
            "CCACC 42 UNMAP",
            "CCACC 55 MODE SELECT(10)",
            "CCACC 5a MODE SENSE(10)",
            "AAAAA 5e00 PERSISTENT RESERVE IN, READ KEYS",
            "AAAAA 5e03 PERSISTENT RESERVE IN, READ FULL STATUS",
            "ACAAC 88 READ(16)",
            "CCACC 89 COMPARE AND WRITE",
            "CCACC 8a WRITE(16)",
            "CCACC 8b ORWRITE",
            "CCACC 8e WRITE AND VERIFY(16)",
            "ACAAC 8f VERIFY(16)",
            "ACAAC 90 PRE-FETCH(16)",
            "CCACC 91 SYNCHRONIZE CACHE(16)",
            "CCACC 93 WRITE SAME(16)",
            "AAAAA 9e10 READ CAPACITY(16)",
            "ACAAC 9e12 GET LBA STATUS",
            "AAAAA a0 REPORT LUNS",
            "ACAAC a30c REPORT SUPPORTED OPERATION CODES",
            "ACAAC a30d REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
            "ACAAC a8 READ(12)",
            "CCACC aa WRITE(12)",
            "CCACC ae WRITE AND VERIFY(12)",
            "ACAAC af VERIFY(12)",
            "CCCCC 16 RESERVE(6)",
            "CCCCC 17 RELEASE(6)");

    private final MemoryDevice device = new MemoryDevice(1 << 20);
    private ScsiTarget target = new ScsiTarget(ScsiTargetSpec.of(NAME, device, ReservationStore.NONE));
    private Initiator a = Initiator.settled(target, "a");
    private Initiator b = Initiator.settled(target, "b");
    private Initiator c = Initiator.settled(target, "c");

    @ParameterizedTest
    @EnumSource
    void conflictsAreThoseOfTheStandard(ReservationType type) {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 2).isGood();
        a.reserveOut(RESERVE, type.code(), 1, 0).isGood();
        boolean exclusive = type.forbids(Access.READ);
        boolean registrants = type.admitsRegistrants();
        for (String row : COMMANDS) {
            char other = row.charAt(exclusive ? 1 : 0);
            char registered = registrants ? row.charAt(2) : other;
            char unregistered = registrants ? row.charAt(exclusive ? 4 : 3) : other;
            String cdb = row.split(" ", -1)[1];
            char holder = cdb.equals("16") || cdb.equals("17") ? 'C' : 'A';
            assertThat(outcome(a, cdb)).as("%s, %s, holder", type, row).isEqualTo(holder);
            assertThat(outcome(b, cdb)).as("%s, %s, registered", type, row).isEqualTo(registered);
            assertThat(outcome(c, cdb)).as("%s, %s, not registered", type, row).isEqualTo(unregistered);
        }
    }

    @Test
    void theTableNamesEveryCommandButThoseThatReserve() {
        for (SupportedCommand supported : CommandTable.all()) {
            String code = String.format("%02x", supported.operationCode());
            assertThat(COMMANDS.stream().anyMatch(row -> row.substring(6).startsWith(code)))
                    .as(code)
                    .isEqualTo(!code.equals("5f"));
        }
    }

    private char outcome(Initiator initiator, String cdb) {
        Answer answer = initiator.send(cdb);
        assertThat(answer.status() == ScsiStatus.CHECK_CONDITION && answer.sense()[2] == 6)
                .as("unit attention")
                .isFalse();
        // What MODE SELECT changes is none of this test's business, and neither are failures.
        return answer.status() == ScsiStatus.RESERVATION_CONFLICT ? 'C' : 'A';
    }

    @Test
    void registeringChangesKeysAndCountsGenerations() {
        a.reserveOut(REGISTER, 0, 5, 1).isConflict();
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        a.reserveOut(REGISTER, 0, 0, 2).isConflict();
        a.reserveOut(REGISTER, 0, 1, 2).isGood();
        b.reserveOut(REGISTER_AND_IGNORE, 0, 77, 3).isGood();
        assertThat(keys()).isEqualTo("00000003 00000010 0000000000000002 0000000000000003".replace(" ", ""));
        a.reserveOut(REGISTER, 0, 2, 0).isGood();
        b.reserveOut(REGISTER_AND_IGNORE, 0, 0, 0).isGood();
        assertThat(keys()).isEqualTo("0000000500000000");
        b.reserveOut(REGISTER_AND_IGNORE, 0, 0, 0).isGood();
        assertThat(keys()).isEqualTo("0000000500000000");
    }

    @Test
    void onlyRegisteredPortsReserveReleaseClearAndPreempt() {
        for (int action : new int[] {RESERVE, RELEASE, CLEAR, PREEMPT, 5, MOVE}) {
            a.reserveOut(action, 1, 0, 1).isConflict();
        }
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        for (int action : new int[] {RESERVE, RELEASE, CLEAR, PREEMPT, 5, MOVE}) {
            a.reserveOut(action, 1, 9, 1).isConflict();
        }
    }

    @Test
    void aReservationIsMadeOnceAndReleasedByItsHolder() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 2).isGood();
        a.reserveOut(RESERVE, 2, 1, 0).fails(SenseCode.INVALID_FIELD_IN_CDB);
        a.reserveOut(RESERVE, 0x11, 1, 0).fails(SenseCode.INVALID_FIELD_IN_CDB);
        a.reserveOut(RESERVE, 6, 1, 0).isGood();
        a.reserveOut(RESERVE, 6, 1, 0).isGood();
        a.reserveOut(RESERVE, 5, 1, 0).isConflict();
        b.reserveOut(RESERVE, 6, 2, 0).isConflict();
        assertThat(a.send("5e 01 00000000 00 00ff 00").hex())
                .isEqualTo("00000002 00000010 0000000000000001 00000000 00 06 0000".replace(" ", ""));
        b.reserveOut(RELEASE, 6, 2, 0).isGood();
        a.reserveOut(RELEASE, 5, 1, 0).fails(SenseCode.INVALID_RELEASE_OF_PERSISTENT_RESERVATION);
        a.reserveOut(RELEASE, 6, 1, 0).isGood();
        b.send(TEST_UNIT_READY).fails(SenseCode.RESERVATIONS_RELEASED);
        a.send(TEST_UNIT_READY).isGood();
        assertThat(a.send("5e 01 00000000 00 00ff 00").hex()).isEqualTo("0000000200000000");
    }

    @Test
    void unregisteringTheHolderReleases() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 2).isGood();
        a.reserveOut(RESERVE, 5, 1, 0).isGood();
        a.reserveOut(REGISTER, 0, 1, 0).isGood();
        b.send(TEST_UNIT_READY).fails(SenseCode.RESERVATIONS_RELEASED);
        c.write10(0, Initiator.blocks(1, 1)).isGood();
    }

    @Test
    void whatAllRegistrantsHoldLastsUntilTheLastOneGoes() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 2).isGood();
        a.reserveOut(RESERVE, 8, 1, 0).isGood();
        b.reserveOut(RESERVE, 8, 2, 0).isGood();
        a.reserveOut(REGISTER, 0, 1, 0).isGood();
        a.read10(0, 1).isConflict();
        assertThat(b.send("5e 01 00000000 00 00ff 00").hex()).endsWith("0000000000000000" + "00000000" + "00080000");
        b.reserveOut(REGISTER, 0, 2, 0).isGood();
        a.read10(0, 1).isGood();
    }

    @Test
    void clearRemovesEverythingAndTellsOthers() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 2).isGood();
        b.reserveOut(RESERVE, 3, 2, 0).isGood();
        a.reserveOut(CLEAR, 0, 1, 0).isGood();
        b.send(TEST_UNIT_READY).fails(SenseCode.RESERVATIONS_PREEMPTED);
        assertThat(keys()).isEqualTo("0000000300000000");
        c.write10(0, Initiator.blocks(1, 1)).isGood();
    }

    @Test
    void preemptingTakesTheReservationOver() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 2).isGood();
        c.reserveOut(REGISTER, 0, 0, 3).isGood();
        a.reserveOut(RESERVE, 5, 1, 0).isGood();
        b.reserveOut(PREEMPT, 1, 2, 9).isConflict();
        b.reserveOut(PREEMPT, 1, 2, 0).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        b.reserveOut(PREEMPT, 1, 2, 1).isGood();
        a.send(TEST_UNIT_READY).fails(SenseCode.REGISTRATIONS_PREEMPTED);
        c.send(TEST_UNIT_READY).fails(SenseCode.RESERVATIONS_RELEASED);
        a.write10(0, Initiator.blocks(1, 1)).isConflict();
        c.write10(0, Initiator.blocks(1, 1)).isConflict();
        b.write10(0, Initiator.blocks(1, 1)).isGood();
        assertThat(keys()).startsWith("0000000400000010");
    }

    @Test
    void preemptingOthersThanTheHolderRemovesThemOnly() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 2).isGood();
        c.reserveOut(REGISTER, 0, 0, 3).isGood();
        a.reserveOut(RESERVE, 3, 1, 0).isGood();
        b.reserveOut(PREEMPT, 0xf, 2, 3).isGood();
        c.send(TEST_UNIT_READY).fails(SenseCode.REGISTRATIONS_PREEMPTED);
        b.read10(0, 1).isConflict();
        a.read10(0, 1).isGood();
    }

    @Test
    void preemptingAllRegistrantsRemovesAllOthers() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 2).isGood();
        a.reserveOut(RESERVE, 7, 1, 0).isGood();
        b.reserveOut(PREEMPT, 3, 2, 0).isGood();
        a.send(TEST_UNIT_READY).fails(SenseCode.REGISTRATIONS_PREEMPTED);
        a.read10(0, 1).isConflict();
        b.read10(0, 1).isGood();
        assertThat(keys()).isEqualTo("0000000300000008" + "0000000000000002");
    }

    @Test
    void whoPreemptsItsOwnKeyStaysRegistered() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        b.reserveOut(REGISTER, 0, 0, 1).isGood();
        a.reserveOut(PREEMPT, 3, 1, 1).isGood();
        b.send(TEST_UNIT_READY).fails(SenseCode.REGISTRATIONS_PREEMPTED);
        assertThat(keys()).isEqualTo("0000000300000008" + "0000000000000001");
    }

    @Test
    void registrationAndReservationMoveToAnotherPort() {
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        move(a, 1, 5, c.port(), 1, 0).isConflict();
        a.reserveOut(RESERVE, 3, 1, 0).isGood();
        move(a, 1, 0, c.port(), 1, 0).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        move(a, 1, 5, c.port(), 2, 0).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        move(a, 1, 5, a.port(), 1, 0).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        move(a, 1, 5, c.port(), 1, 2).isGood();
        a.read10(0, 1).isConflict();
        c.read10(0, 1).isGood();
        assertThat(keys()).isEqualTo("0000000200000008" + "0000000000000005");
    }

    private static Answer move(Initiator from, long key, long actionKey, InitiatorPort to, int port, int flags) {
        byte[] id = TransportId.encode(to);
        ByteBuffer list = ByteBuffer.allocate(24 + id.length).putLong(key).putLong(actionKey);
        list.put((byte) 0)
                .put((byte) flags)
                .putShort((short) port)
                .putInt(id.length)
                .put(id);
        return from.send(String.format("5f 07 00 0000 %08x 00", list.capacity()), list.array());
    }

    @Test
    void othersAreRegisteredAlong() {
        byte[] id = TransportId.encode(b.port());
        ByteBuffer list =
                ByteBuffer.allocate(28 + id.length).putLong(0).putLong(4).putInt(0);
        list.put((byte) 0x0c).put(new byte[3]).putInt(id.length).put(id);
        String cdb = String.format("5f 00 00 0000 %08x 00", list.capacity());
        a.send(cdb, list.array()).isGood();
        String status = a.send("5e 03 00000000 00 01ff 00").isGood().hex();
        assertThat(status).startsWith("00000001");
        assertThat(HexFormat.of().parseHex(status)).hasSize(8 + 2 * (24 + id.length));
        assertThat(status)
                .contains(
                        "0000000000000004 00000000 02 00 00000000 0001".replace(" ", ""),
                        HexFormat.of().formatHex(id));
        c.send(cdb, list.array()).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        list.put(28, (byte) 0x05);
        c.send(cdb, list.array()).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        list.putInt(24, 1000);
        c.send(cdb, list.array()).fails(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
    }

    @Test
    void parameterListsOfAnotherLengthAreRefused() {
        a.send("5f 00 00 0000 00000010 00", new byte[16]).fails(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        a.send("5f 00 00 0000 00000020 00", new byte[32]).fails(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        a.send("5f 00 00 0000 ffffffff 00").fails(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        a.send("5f 08 00 0000 00000018 00", new byte[24]).fails(SenseCode.INVALID_FIELD_IN_CDB);
        a.reserveOut(RESERVE, 1, 0, 0, 0x08).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
    }

    @Test
    void asManyPortsAsThereIsRoomForAreRegistered() {
        for (int i = 0; i < Reservations.REGISTRATIONS_MAX; i++) {
            Initiator.settled(target, "n" + i).reserveOut(REGISTER, 0, 0, 1).isGood();
        }
        a.reserveOut(REGISTER, 0, 0, 1).fails(SenseCode.INSUFFICIENT_REGISTRATION_RESOURCES);
    }

    @Test
    void reserve6AndRegistrationsDoNotMix() {
        a.send("16 00 00 00 00 00").isGood();
        b.reserveOut(REGISTER, 0, 0, 1).isConflict();
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        a.send("16 00 00 00 00 00").isConflict();
    }

    // ------------------------------------------------------------------ over a restart

    @Test
    void withoutAStoreNothingCanBeMadeToLast() {
        assertThat(a.send("5e 02 00000000 00 00ff 00").hex()).isEqualTo("00080c80ea010000");
        a.reserveOut(REGISTER, 0, 0, 1, 1).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
    }

    @Test
    void whatIsMadeToLastHoldsAfterARestart(@TempDir Path directory) throws Exception {
        restart(directory);
        a.reserveOut(REGISTER, 0, 0, 1, 1).isGood();
        a.reserveOut(RESERVE, 3, 1, 0).isGood();
        assertThat(a.send("5e 02 00000000 00 00ff 00").hex()).isEqualTo("00080d81ea010000");
        restart(directory);
        b.read10(0, 1).isConflict();
        a.read10(0, 1).isGood();
        assertThat(keys()).isEqualTo("0000000000000008" + "0000000000000001");
        a.reserveOut(REGISTER, 0, 1, 2, 0).isGood();
        restart(directory);
        b.read10(0, 1).isGood();
        assertThat(keys()).isEqualTo("0000000000000000");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .containsExactly("iqn.2026-01.io.longhorn_3adisk.reservations.3");
        }
    }

    @Test
    void whatNeedNotLastLeavesNothing(@TempDir Path directory) {
        restart(directory.resolve("made"));
        a.reserveOut(REGISTER, 0, 0, 1).isGood();
        assertThat(directory.resolve("made")).doesNotExist();
        restart(directory.resolve("made"));
        assertThat(keys()).isEqualTo("0000000000000000");
    }

    @Test
    void aTargetThatIsServedTwiceIsNoticed(@TempDir Path directory) {
        restart(directory);
        Initiator elsewhere = Initiator.settled(
                new ScsiTarget(ScsiTargetSpec.of(NAME, device, new FileReservationStore(directory))), "e");
        a.reserveOut(REGISTER, 0, 0, 1, 1).isGood();
        elsewhere.reserveOut(REGISTER, 0, 0, 2, 1).fails(SenseCode.INTERNAL_TARGET_FAILURE);
        a.reserveOut(RESERVE, 3, 1, 0).isGood();
    }

    @Test
    void unreadableReservationsAreNotIgnored(@TempDir Path directory) throws Exception {
        Files.write(directory.resolve("iqn.2026-01.io.longhorn_3adisk.reservations.1"), new byte[100]);
        assertThatThrownBy(() -> restart(directory))
                .isInstanceOfSatisfying(
                        ReservationsUnreadableException.class,
                        e -> assertThat(e.target()).isEqualTo(NAME))
                .hasMessageContaining(NAME);
    }

    private void restart(Path directory) {
        target.close();
        target = new ScsiTarget(ScsiTargetSpec.of(NAME, device, new FileReservationStore(directory)));
        a = Initiator.settled(target, "a");
        b = Initiator.settled(target, "b");
        c = Initiator.settled(target, "c");
    }

    private String keys() {
        return c.send("5e 00 00000000 00 00ff 00").isGood().hex();
    }
}
