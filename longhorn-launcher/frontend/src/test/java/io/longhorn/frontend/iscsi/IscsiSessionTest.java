package io.longhorn.frontend.iscsi;

import static io.longhorn.frontend.iscsi.ServedPortal.IQN;
import static io.longhorn.frontend.iscsi.TestInitiator.LUN_1;
import static io.longhorn.frontend.iscsi.TestInitiator.bytes;
import static io.longhorn.frontend.iscsi.TestInitiator.read10;
import static io.longhorn.frontend.iscsi.TestInitiator.write10;
import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.frontend.iscsi.TestInitiator.Received;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IscsiSessionTest {

    private static final int READ = 0xc0;
    private static final int WRITE = 0xa0;
    private static final int WRITE_MORE_FOLLOWS = 0x20;
    private static final byte[] NO_DATA = {};
    private static final int BLOCK = 512;

    private final ServedPortal served = new ServedPortal(settings -> settings.commandsInFlightMax(8), target -> {});

    @AfterEach
    void close() {
        served.close();
    }

    private TestInitiator initiator(String... keys) throws IOException {
        TestInitiator initiator = TestInitiator.loggedIn(served.address(), IQN, keys);
        initiator.becomeReady();
        return initiator;
    }

    @Test
    void immediateDataIsWrittenAndReadBackWithStatusInTheLastPdu() throws IOException {
        try (TestInitiator initiator = initiator("MaxRecvDataSegmentLength=1024")) {
            int itt = initiator.command(write10(8, 5), WRITE, 5 * BLOCK, bytes(5 * BLOCK, 7));
            Received written = initiator.receive();
            assertThat(written.opcode()).isEqualTo(0x21);
            assertThat(written.at(16)).isEqualTo(itt);
            assertThat(written.status()).isZero();
            assertThat(written.flags()).isEqualTo(0x80);
            assertThat(served.device.at(8 * BLOCK)).isEqualTo((byte) 7);

            initiator.command(read10(8, 5), READ, 5 * BLOCK, NO_DATA);
            int statSn = written.at(24) + 1;
            for (int piece = 0; piece < 3; piece++) {
                Received data = initiator.receive();
                assertThat(data.opcode()).isEqualTo(0x25);
                assertThat(data.at(36)).as("DataSN").isEqualTo(piece);
                assertThat(data.at(40)).as("offset").isEqualTo(piece * 1024);
                assertThat(data.data()).isEqualTo(bytes(piece == 2 ? 512 : 1024, 7));
                assertThat(data.flags()).isEqualTo(piece == 2 ? 0x81 : 0);
                if (piece == 2) {
                    assertThat(data.at(24)).as("StatSN").isEqualTo(statSn);
                }
            }
        }
    }

    @Test
    void longReadIsCutIntoBursts() throws IOException {
        try (TestInitiator initiator = initiator("MaxRecvDataSegmentLength=3072", "MaxBurstLength=4096")) {
            initiator.command(read10(0, 12), READ, 12 * BLOCK, NO_DATA);
            int[][] expected = {{3072, 0}, {1024, 0x80}, {2048, 0x81}};
            for (int[] piece : expected) {
                Received data = initiator.receive();
                assertThat(data.data()).hasSize(piece[0]);
                assertThat(data.flags()).isEqualTo(piece[1]);
            }
        }
    }

    @Test
    void unsolicitedAndSolicitedDataFillBursts() throws IOException {
        try (TestInitiator initiator =
                initiator("InitialR2T=No", "MaxBurstLength=2048", "FirstBurstLength=1024", "MaxOutstandingR2T=2")) {
            int length = 16 * BLOCK;
            int itt = initiator.command(write10(0, 16), WRITE_MORE_FOLLOWS, length, bytes(512, 1));
            initiator.dataOut(itt, -1, 0, 512, true, bytes(512, 2));
            Received[] requests = {initiator.receive(), initiator.receive(), null, null};
            int offset = 1024;
            for (int burst = 0; burst < 4; burst++) {
                Received r2t = requests[burst] == null ? initiator.receive() : requests[burst];
                assertThat(r2t.opcode()).isEqualTo(0x31);
                assertThat(r2t.at(36)).as("R2TSN").isEqualTo(burst);
                assertThat(r2t.at(40)).as("offset").isEqualTo(offset);
                int wanted = Math.min(2048, length - offset);
                assertThat(r2t.at(44)).as("length").isEqualTo(wanted);
                int half = wanted / 2;
                initiator.dataOut(itt, r2t.at(20), 0, offset, false, bytes(half, 10 + burst));
                initiator.dataOut(itt, r2t.at(20), 1, offset + half, true, bytes(wanted - half, 20 + burst));
                offset += wanted;
            }
            Received done = initiator.receive();
            assertThat(done.opcode()).isEqualTo(0x21);
            assertThat(done.status()).isZero();
            assertThat(done.at(36)).as("ExpDataSN").isEqualTo(4);
            assertThat(served.device.at(0)).isEqualTo((byte) 1);
            assertThat(served.device.at(1023)).isEqualTo((byte) 2);
            assertThat(served.device.at(1024)).isEqualTo((byte) 10);
            assertThat(served.device.at(length - 1)).isEqualTo((byte) 23);
        }
    }

    @Test
    void wrongDataNumbersFailTheCommandAlone() throws IOException {
        try (TestInitiator initiator = initiator("InitialR2T=No", "MaxBurstLength=2048", "FirstBurstLength=1024")) {
            int itt = initiator.command(write10(0, 2), WRITE_MORE_FOLLOWS, 1024, NO_DATA);
            initiator.dataOut(itt, -1, 1, 512, false, bytes(512, 9));
            initiator.dataOut(itt, -1, 0, 0, true, bytes(512, 9));
            Received failed = initiator.receive();
            assertThat(failed.status()).isEqualTo(2);
            assertThat(failed.sense()).isEqualTo("b/47/05");
            assertThat(served.device.at(0)).isZero();

            int shorter = initiator.command(write10(0, 4), WRITE, 2048, NO_DATA);
            Received r2t = initiator.receive();
            initiator.dataOut(shorter, r2t.at(20), 0, 0, true, bytes(512, 9));
            assertThat(initiator.receive().sense()).isEqualTo("b/0c/0d");

            initiator.command(write10(0, 4), WRITE, 2048, bytes(2048, 9));
            assertThat(initiator.receive().sense())
                    .as("more than the first burst")
                    .isEqualTo("b/0c/0c");
            assertThat(initiator.ping("there").data()).hasSize(5);
        }
    }

    @Test
    void residualsAreTold() throws IOException {
        try (TestInitiator initiator = initiator()) {
            initiator.command(read10(0, 1), READ, 4 * BLOCK, NO_DATA);
            assertResidual(initiator.receive(), 0x83, 3 * BLOCK);
            initiator.command(read10(0, 4), READ, BLOCK, NO_DATA);
            Received cut = initiator.receive();
            assertThat(cut.data()).hasSize(BLOCK);
            assertResidual(cut, 0x85, 3 * BLOCK);
            initiator.command(read10(0, 1), READ, 0, NO_DATA);
            assertResidual(initiator.receive(), 0x84, BLOCK);
            initiator.command(write10(0, 1), WRITE, 4 * BLOCK, bytes(4 * BLOCK, 3));
            assertResidual(initiator.receive(), 0x82, 3 * BLOCK);
            assertThat(served.device.at(BLOCK)).isZero();
            initiator.command(write10(0, 4), WRITE, BLOCK, bytes(BLOCK, 4));
            assertResidual(initiator.receive(), 0x84, 3 * BLOCK);
            assertThat(served.device.at(0)).isEqualTo((byte) 4);
            assertThat(served.device.at(BLOCK)).isZero();
        }
    }

    private static void assertResidual(Received answer, int flags, int residual) {
        assertThat(answer.status()).isZero();
        assertThat(answer.flags()).isEqualTo(flags);
        assertThat(answer.at(44)).isEqualTo(residual);
    }

    @Test
    void digestsProtectBothDirections() throws IOException {
        try (TestInitiator initiator = initiator("HeaderDigest=CRC32C", "DataDigest=CRC32C")) {
            initiator.command(write10(0, 1), WRITE, BLOCK, bytes(BLOCK, 5));
            assertThat(initiator.receive().status()).isZero();
            initiator.command(read10(0, 1), READ, BLOCK, NO_DATA);
            assertThat(initiator.receive().data()).isEqualTo(bytes(BLOCK, 5));
            assertThat(initiator.ping("odd").data()).hasSize(3);

            // Damaged data of a command: the command counts as not sent, and may be sent again.
            initiator.dataDigestError = 1;
            initiator.command(write10(0, 1), WRITE, BLOCK, bytes(BLOCK, 6));
            Received reject = initiator.receive();
            assertThat(reject.opcode()).isEqualTo(0x3f);
            assertThat(reject.response()).isEqualTo(2);
            assertThat(reject.data()).hasSize(48);
            assertThat(served.device.at(0)).isEqualTo((byte) 5);
            initiator.cmdSn--;
            initiator.command(write10(0, 1), WRITE, BLOCK, bytes(BLOCK, 6));
            assertThat(initiator.receive().status()).isZero();

            // Damaged data that was asked for: the command fails.
            int itt = initiator.command(write10(0, 1), WRITE, BLOCK, NO_DATA);
            Received r2t = initiator.receive();
            initiator.dataDigestError = 1;
            initiator.dataOut(itt, r2t.at(20), 0, 0, true, bytes(BLOCK, 7));
            assertThat(initiator.receive().response()).isEqualTo(2);
            assertThat(initiator.receive().sense()).isEqualTo("b/47/05");
            assertThat(served.device.at(0)).isEqualTo((byte) 6);

            // A damaged header makes the stream unreadable.
            initiator.headerDigestError = 1;
            initiator.command(new byte[16], 0x80, 0, NO_DATA);
            initiator.awaitClosed();
        }
    }

    @Test
    void windowIsWhatHasEnded() throws IOException {
        try (TestInitiator initiator = initiator()) {
            Received before = initiator.ping("");
            assertThat(before.at(32) - before.at(28)).isEqualTo(7);
            served.device.hold();
            for (int i = 0; i < 8; i++) {
                initiator.command(read10(i, 1), READ, BLOCK, NO_DATA);
            }
            served.device.awaitHeld(8);
            Received full = initiator.ping("");
            assertThat(full.at(32) - full.at(28)).as("no room").isEqualTo(-1);
            // Beyond the window: ignored without an answer.
            int ignored = initiator.command(read10(0, 1), READ, BLOCK, NO_DATA);
            initiator.cmdSn--;
            full = initiator.ping("it has come");
            assertThat(full.at(32) - full.at(28)).as("no room").isEqualTo(-1);
            served.device.letAllGo();
            Set<Integer> tags = new HashSet<>();
            for (int i = 0; i < 8; i++) {
                tags.add(initiator.receive().at(16));
            }
            assertThat(tags).hasSize(8).doesNotContain(ignored);
            Received after = initiator.ping("");
            assertThat(after.at(32) - after.at(28)).isEqualTo(7);
        }
    }

    @Test
    void commandsThatEndTogetherWakeTheLoopOnce() throws IOException {
        try (TestInitiator initiator = initiator()) {
            served.device.hold();
            served.device.gatherAfterCompletions();
            Set<Integer> asked = new HashSet<>();
            for (int i = 0; i < 8; i++) {
                asked.add(initiator.command(read10(i, 1), READ, BLOCK, NO_DATA));
            }
            served.device.awaitHeld(8);

            served.device.letAllGo();

            assertThat(served.device.completionsEnd()).isEqualTo(1);
            Set<Integer> answered = new HashSet<>();
            for (int i = 0; i < 8; i++) {
                answered.add(initiator.receive().at(16));
            }
            assertThat(answered).isEqualTo(asked);
        }
    }

    @Test
    void commandsAreDeliveredInOrderAndOldOnesIgnored() throws IOException {
        try (TestInitiator initiator = initiator()) {
            int first = initiator.cmdSn;
            initiator.send(TestInitiator.commandHeader(write10(0, 1), WRITE, BLOCK, 101, first + 1), bytes(BLOCK, 2));
            assertThat(initiator.ping("").at(28)).as("ExpCmdSN").isEqualTo(first);
            assertThat(served.device.at(0)).isZero();
            initiator.send(TestInitiator.commandHeader(write10(0, 1), WRITE, BLOCK, 100, first), bytes(BLOCK, 1));
            assertThat(initiator.receive().at(16)).isEqualTo(100);
            assertThat(initiator.receive().at(16)).isEqualTo(101);
            assertThat(served.device.at(0)).isEqualTo((byte) 2);
            // Its turn is over.
            initiator.send(TestInitiator.commandHeader(write10(0, 1), WRITE, BLOCK, 102, first), bytes(BLOCK, 3));
            assertThat(initiator.ping("").at(28)).isEqualTo(first + 2);
            assertThat(served.device.at(0)).isEqualTo((byte) 2);
        }
    }

    @Test
    void abortedTaskIsNotAnsweredAndTheAbortWaitsForIt() throws IOException, InterruptedException {
        try (TestInitiator initiator = initiator()) {
            served.device.hold();
            int itt = initiator.command(write10(0, 1), WRITE, BLOCK, bytes(BLOCK, 1));
            served.device.awaitHeld(1);
            int abort = initiator.manage(1, LUN_1, itt, initiator.cmdSn - 1);
            assertThat(initiator.ping("still").opcode()).isEqualTo(0x20);
            served.device.letGo();
            Received answer = initiator.receive();
            assertThat(answer.opcode()).isEqualTo(0x22);
            assertThat(answer.at(16)).isEqualTo(abort);
            assertThat(answer.response()).isZero();
            served.device.letAllGo();

            initiator.manage(1, LUN_1, itt, initiator.cmdSn - 1);
            assertThat(initiator.receive().response()).as("no such task").isEqualTo(1);
            initiator.manage(8, LUN_1, itt, 0);
            assertThat(initiator.receive().response()).as("reassign").isEqualTo(4);
            initiator.manage(2, LUN_1 * 9, -1, 0);
            assertThat(initiator.receive().response()).as("no such unit").isEqualTo(2);
            initiator.manage(99, LUN_1, -1, 0);
            assertThat(initiator.receive().response()).as("no such function").isEqualTo(5);
        }
    }

    @Test
    void abortWaitsForDataThatWasAskedFor() throws IOException {
        try (TestInitiator initiator = initiator()) {
            int itt = initiator.command(write10(0, 1), WRITE, BLOCK, NO_DATA);
            Received r2t = initiator.receive();
            initiator.manage(1, LUN_1, itt, initiator.cmdSn - 1);
            assertThat(initiator.ping("still").opcode()).isEqualTo(0x20);
            initiator.dataOut(itt, r2t.at(20), 0, 0, true, bytes(BLOCK, 1));
            Received answer = initiator.receive();
            assertThat(answer.opcode()).isEqualTo(0x22);
            assertThat(served.device.at(0)).isZero();
        }
    }

    @Test
    void resetsEndTheCommandsOfAll() throws IOException, InterruptedException {
        try (TestInitiator one = initiator();
                TestInitiator other = new TestInitiator(served.address())) {
            other.isid = 0x3d0002;
            other.logIn(IQN);
            other.becomeReady();
            served.device.hold();
            other.command(read10(0, 1), READ, BLOCK, NO_DATA);
            served.device.awaitHeld(1);
            one.manage(5, LUN_1, -1, 0);
            assertThat(one.ping("still").opcode()).isEqualTo(0x20);
            served.device.letGo();
            assertThat(one.receive().opcode()).isEqualTo(0x22);
            served.device.letAllGo();
            other.command(new byte[16], 0x80, 0, NO_DATA);
            Received attention = other.receive();
            assertThat(attention.at(16)).as("the read is not answered").isEqualTo(other.nextItt - 1);
            assertThat(attention.sense()).startsWith("6/29");
            one.manage(7, LUN_1, -1, 0);
            assertThat(one.receive().response()).isZero();
            one.awaitClosed();
            other.awaitClosed();
        }
    }

    @Test
    void sameInitiatorPortReplacesItsSession() throws IOException, InterruptedException {
        try (TestInitiator old = initiator();
                TestInitiator again = new TestInitiator(served.address())) {
            served.device.hold();
            old.command(write10(0, 1), WRITE, BLOCK, bytes(BLOCK, 1));
            served.device.awaitHeld(1);
            again.sendLogin(0x87, 0, TestInitiator.text("InitiatorName=" + TestInitiator.NAME, "TargetName=" + IQN));
            old.awaitClosed();
            served.device.letGo();
            assertThat(again.receive().loginStatus()).isZero();
            assertThat(served.device.at(0)).isEqualTo((byte) 1);
            served.device.letAllGo();
            assertThat(again.becomeReady().status()).isZero();
        }
    }

    @Test
    void secondConnectionOfASessionIsRefused() throws IOException {
        try (TestInitiator first = new TestInitiator(served.address())) {
            first.sendLogin(0x87, 0, TestInitiator.text("InitiatorName=" + TestInitiator.NAME, "TargetName=" + IQN));
            int tsih = first.receive().header().getShort(14) & 0xffff;
            assertThat(tsih).isNotZero();
            for (int[] attempt : new int[][] {{tsih, 2, 0x206}, {tsih + 1, 1, 0x20a}, {tsih, 1, 0}}) {
                try (TestInitiator second = new TestInitiator(served.address())) {
                    second.cid = attempt[1];
                    second.sendLogin(
                            0x87,
                            attempt[0],
                            TestInitiator.text("InitiatorName=" + TestInitiator.NAME, "TargetName=" + IQN));
                    assertThat(second.receive().loginStatus()).isEqualTo(attempt[2]);
                }
            }
            first.awaitClosed();
        }
    }

    @Test
    void oddRequestsAreRejectedWithTheirHeader() throws IOException {
        try (TestInitiator initiator = initiator()) {
            ByteBuffer snack = TestInitiator.header(0x10, 0x80);
            snack.putInt(16, 0x77);
            assertReject(initiator, snack, 3);
            assertReject(initiator, TestInitiator.header(0x1e, 0x80), 5);
            served.device.hold();
            int itt = initiator.command(read10(0, 1), READ, BLOCK, NO_DATA);
            served.device.awaitHeld(1);
            assertReject(initiator, TestInitiator.commandHeader(read10(0, 1), READ, BLOCK, itt, initiator.cmdSn++), 7);
            served.device.letAllGo();
            assertThat(initiator.receive().at(16)).isEqualTo(itt);
            assertReject(initiator, TestInitiator.commandHeader(read10(0, 1), READ, BLOCK, -1, initiator.cmdSn++), 9);
            initiator.command(read10(0, 1), 0xe0, BLOCK, NO_DATA);
            assertThat(initiator.receive().sense()).as("bidirectional").isEqualTo("5/0e/03");
            // Late data of nothing is of no interest.
            initiator.dataOut(4711, 1, 0, 0, true, bytes(8, 8));
            assertThat(initiator.ping("there").data()).hasSize(5);
            assertReject(initiator, TestInitiator.header(0x43, 0x87), 4);
            initiator.awaitClosed();
        }
    }

    private static void assertReject(TestInitiator initiator, ByteBuffer header, int reason) throws IOException {
        initiator.send(header, NO_DATA);
        Received reject = initiator.receive();
        assertThat(reject.opcode()).isEqualTo(0x3f);
        assertThat(reject.response()).isEqualTo(reason);
        assertThat(reject.data()).isEqualTo(TestInitiator.bytesOf(header));
    }

    @Test
    void tooLongSegmentEndsTheConnectionBeforeMemoryIsTaken() throws IOException {
        try (TestInitiator initiator = initiator()) {
            ByteBuffer header = TestInitiator.header(0x40, 0x80);
            header.put(5, (byte) 0x7f);
            initiator.sendRaw(TestInitiator.bytesOf(header));
            initiator.awaitClosed();
        }
    }

    @Test
    void logoutIsAnsweredAndEndsTheConnection() throws IOException {
        try (TestInitiator initiator = initiator()) {
            assertThat(logOut(initiator, 2, 1).response()).as("recovery").isEqualTo(2);
            assertThat(logOut(initiator, 1, 9).response())
                    .as("another connection")
                    .isEqualTo(1);
            assertThat(logOut(initiator, 0, 1).response()).isZero();
            initiator.awaitClosed();
        }
    }

    private static Received logOut(TestInitiator initiator, int reason, int cid) throws IOException {
        ByteBuffer header = TestInitiator.header(0x06, 0x80 | reason);
        header.putInt(16, initiator.nextItt++);
        header.putShort(20, (short) cid);
        header.putInt(24, initiator.cmdSn++);
        initiator.send(header, NO_DATA);
        Received answer = initiator.receive();
        assertThat(answer.opcode()).isEqualTo(0x26);
        return answer;
    }

    @Test
    void silentInitiatorIsAsked() throws IOException {
        try (ServedPortal asking = new ServedPortal(
                        settings -> settings.ping(Duration.ofMillis(20), Duration.ofMillis(500)), target -> {});
                TestInitiator initiator = TestInitiator.loggedIn(asking.address(), IQN)) {
            Received ping = initiator.receive();
            assertThat(ping.opcode()).isEqualTo(0x20);
            assertThat(ping.at(16)).isEqualTo(-1);
            assertThat(ping.at(20)).isNotEqualTo(-1);
            ByteBuffer answer = TestInitiator.header(0x40, 0x80);
            answer.putInt(16, -1);
            answer.putInt(20, ping.at(20));
            answer.putInt(24, initiator.cmdSn);
            initiator.send(answer, NO_DATA);
            assertThat(initiator.receive().opcode()).as("asked again").isEqualTo(0x20);
        }
    }

    @Test
    void whoDoesNotAnswerIsDisconnected() throws IOException {
        try (ServedPortal strict = new ServedPortal(
                        settings -> settings.ping(Duration.ofMillis(20), Duration.ofMillis(20)), target -> {});
                TestInitiator initiator = TestInitiator.loggedIn(strict.address(), IQN)) {
            initiator.awaitClosed();
        }
    }

    @Test
    void withdrawAsksForLogoutAndWaitsForCommands() throws Exception {
        try (TestInitiator initiator = initiator()) {
            served.device.hold();
            initiator.command(write10(0, 1), WRITE, BLOCK, bytes(BLOCK, 1));
            served.device.awaitHeld(1);
            CompletableFuture<Boolean> withdrawn = CompletableFuture.supplyAsync(() -> served.portal.withdraw(IQN));
            Received message = initiator.receive();
            assertThat(message.opcode()).isEqualTo(0x32);
            assertThat(message.header().get(36)).isEqualTo((byte) 1);
            initiator.disconnect();
            assertThat(withdrawn).isNotDone();
            served.device.letGo();
            assertThat(withdrawn.get()).isTrue();
            assertThat(served.portal.serves(IQN)).isFalse();
        }
    }

    @Test
    void initiatorThatTakesNothingIsNotServedFurtherAndOthersAre() throws IOException {
        try (TestInitiator greedy = initiator();
                TestInitiator other = new TestInitiator(served.address())) {
            int length = 4 << 20;
            for (int i = 0; i < 8; i++) {
                greedy.command(read10(0, length / BLOCK), READ, length, NO_DATA);
            }
            other.isid = 0x3d0002;
            other.logIn(IQN);
            assertThat(other.becomeReady().status()).isZero();
            long read = 0;
            while (read < 8L * length) {
                read += greedy.receive().data().length;
            }
            assertThat(greedy.ping("there").data()).hasSize(5);
        }
    }
}
