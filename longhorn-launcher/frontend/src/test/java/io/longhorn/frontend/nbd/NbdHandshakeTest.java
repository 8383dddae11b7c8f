package io.longhorn.frontend.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.frontend.MemoryDevice;
import io.longhorn.frontend.nbd.NbdClient.OptionAnswer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NbdHandshakeTest {

    private static final int SIZE = 1 << 20;
    private static final int ACK = 1;
    private static final int UNSUPPORTED = 1;
    private static final int POLICY = 2;
    private static final int INVALID = 3;
    private static final int UNKNOWN = 6;
    private static final int TOO_BIG = 9;
    private static final byte[] NOTHING = {};

    private final MemoryDevice disk = new MemoryDevice("disk", SIZE);
    private final MemoryDevice snapshot = MemoryDevice.readOnly("disk@monday", SIZE / 2);
    private final ServedDevices served = ServedDevices.of(disk, snapshot);

    @AfterEach
    void close() {
        served.close();
    }

    @Test
    void listNamesAndDescribesAllExports() throws Exception {
        try (NbdClient client = served.greeted()) {
            List<OptionAnswer> answers = client.option(3, NOTHING);
            assertThat(answers).extracting(OptionAnswer::type).containsExactly(2, 2, ACK);
            assertThat(answers.get(0).text(4)).isEqualTo("diskabout disk");
            assertThat(answers.get(1).text(4)).isEqualTo("disk@mondayabout disk@monday");
            assertThat(answers.get(0).data()).startsWith(0, 0, 0, 4);
            assertThat(client.option(3, new byte[1]).get(0).error()).isEqualTo(INVALID);
        }
    }

    @Test
    void infoTellsWhatIsAskedForAndHandshakeGoesOn() throws Exception {
        try (NbdClient client = served.greeted()) {
            List<OptionAnswer> answers = client.option(6, NbdClient.infoQuery("disk", 1, 2, 3, 99));
            assertThat(answers).extracting(OptionAnswer::type).containsExactly(3, 3, 3, 3, ACK);
            assertThat(answers.get(0).data()).startsWith(0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0);
            assertThat(answers.get(1).text(2)).isEqualTo("disk");
            assertThat(answers.get(2).text(2)).isEqualTo("about disk");
            assertThat(answers.get(3).data()).containsExactly(0, 3, 0, 0, 0, 1, 0, 0, 0x10, 0, 2, 0, 0, 0);
            assertThat(client.option(6, NbdClient.infoQuery("disk"))).hasSize(2);
            assertThat(client.go("disk@monday")).isNotZero();
        }
    }

    @Test
    void flagsSayWhatAnExportCan() throws Exception {
        try (NbdClient simple = served.greeted();
                NbdClient structured = served.greeted();
                NbdClient readOnly = served.greeted()) {
            assertThat(simple.go("disk")).isEqualTo(0b1101_0110_1101);
            structured.option(8, NOTHING);
            assertThat(structured.go("disk")).isEqualTo(0b1101_1110_1101);
            assertThat(readOnly.go("disk@monday")).isEqualTo(0b0101_0000_0111);
        }
    }

    @Test
    void exportNameOptionEntersTransmission() throws Exception {
        try (NbdClient client = served.greeted()) {
            client.sendOption(1, "disk".getBytes(StandardCharsets.UTF_8));
            assertThat(client.in().readLong()).isEqualTo(SIZE);
            assertThat(client.in().readUnsignedShort()).isEqualTo(0b1101_0110_1101);
            assertThat(client.write(0, new byte[512])).isZero();
        }
    }

    @Test
    void clientOfOldNewstyleGetsItsZeroes() throws Exception {
        try (NbdClient client = NbdClient.raw(served.address())) {
            client.greet(0);
            client.sendOption(1, "disk".getBytes(StandardCharsets.UTF_8));
            assertThat(client.in().readNBytes(10 + 124)).hasSize(134).endsWith(new byte[124]);
            assertThat(client.read(0, 16)).isEqualTo(new byte[16]);
        }
        try (NbdClient client = NbdClient.raw(served.address())) {
            client.greet(0);
            client.sendOption(3, NOTHING);
            assertThat(client.isEnded()).isTrue();
        }
    }

    @Test
    void emptyNameStandsForTheOnlyExport() throws Exception {
        try (NbdClient client = served.greeted()) {
            assertThat(client.option(7, NbdClient.infoQuery("")).get(0).error()).isEqualTo(UNKNOWN);
            served.server().withdraw("disk@monday");
            assertThat(client.option(6, NbdClient.infoQuery("", 1)).get(1).text(2))
                    .isEqualTo("disk");
        }
    }

    @Test
    void unknownExportIsAnErrorOrTheEnd() throws Exception {
        try (NbdClient client = served.greeted()) {
            assertThat(client.option(7, NbdClient.infoQuery("other")).get(0).error())
                    .isEqualTo(UNKNOWN);
            assertThat(client.option(6, NbdClient.infoQuery("other")).get(0).error())
                    .isEqualTo(UNKNOWN);
            client.sendOption(1, "other".getBytes(StandardCharsets.UTF_8));
            assertThat(client.isEnded()).isTrue();
        }
    }

    @Test
    void abortIsAnsweredAndEndsTheConnection() throws Exception {
        try (NbdClient client = served.greeted()) {
            assertThat(client.option(2, NOTHING).get(0).type()).isEqualTo(ACK);
            assertThat(client.isEnded()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 11, 12, 4711, -1})
    void unknownOptionsAreRefusedAndSkipped(int option) throws Exception {
        try (NbdClient client = served.greeted()) {
            assertThat(client.option(option, new byte[300]).get(0))
                    .matches(answer -> answer.error() == UNSUPPORTED && answer.option() == option);
            assertThat(client.go("disk")).isNotZero();
        }
    }

    @Test
    void tlsIsRefusedWhereItIsOff() throws Exception {
        try (NbdClient client = served.greeted()) {
            assertThat(client.option(5, NOTHING).get(0).error()).isEqualTo(POLICY);
            assertThat(client.go("disk")).isNotZero();
        }
    }

    @Test
    void tooLongOptionIsSkippedAndRefused() throws Exception {
        try (NbdClient client = served.greeted()) {
            assertThat(client.option(6, new byte[1 << 20]).get(0).error()).isEqualTo(TOO_BIG);
            assertThat(client.go("disk")).isNotZero();
        }
    }

    @Test
    void contradictingLengthsAreRefused() throws Exception {
        try (NbdClient client = served.greeted()) {
            byte[][] wrong = {
                {},
                {0, 0, 0},
                {0, 0, 0, 9, 'd'},
                {-1, -1, -1, -1, 0, 0},
                {0, 0, 0, 0},
                {0, 0, 0, 0, 0, 2, 0, 1},
                {0, 0, 0, 0, 0, 0, 1}
            };
            for (byte[] data : wrong) {
                assertThat(client.option(6, data).get(0).error()).isEqualTo(INVALID);
                assertThat(client.option(7, data).get(0).error()).isEqualTo(INVALID);
            }
            assertThat(client.option(8, new byte[1]).get(0).error()).isEqualTo(INVALID);
            assertThat(client.go("disk")).isNotZero();
        }
    }

    @Test
    void metaContextsAreListedAndChosen() throws Exception {
        try (NbdClient client = served.greeted()) {
            byte[] all = NbdClient.metaQuery("disk");
            assertThat(client.option(9, all).get(0).error())
                    .as("before structured replies")
                    .isEqualTo(INVALID);
            client.option(8, NOTHING);
            for (byte[] query : List.of(
                    all, NbdClient.metaQuery("disk", "base:"), NbdClient.metaQuery("disk", "x:y", "base:allocation"))) {
                List<OptionAnswer> answers = client.option(9, query);
                assertThat(answers).extracting(OptionAnswer::type).containsExactly(4, ACK);
                assertThat(answers.get(0).text(4)).isEqualTo("base:allocation");
            }
            assertThat(client.option(9, NbdClient.metaQuery("disk", "qemu:"))).hasSize(1);
            assertThat(client.option(10, NbdClient.metaQuery("disk", "base:allocation")))
                    .extracting(OptionAnswer::type)
                    .containsExactly(4, ACK);
            assertThat(client.option(10, NbdClient.metaQuery("disk", "base:"))).hasSize(1);
            assertThat(client.option(10, NbdClient.metaQuery("disk"))).hasSize(1);
            assertThat(client.option(10, NbdClient.metaQuery("disk", "nocolon"))
                            .get(0)
                            .error())
                    .isEqualTo(INVALID);
            assertThat(client.option(9, NbdClient.metaQuery("other")).get(0).error())
                    .isEqualTo(UNKNOWN);
            byte[] tooMany = NbdClient.metaQuery("disk", "base:allocation");
            tooMany[11] = 2;
            assertThat(client.option(10, tooMany).get(0).error()).isEqualTo(INVALID);
        }
    }

    @Test
    void blockStatusNeedsTheExportForWhichItWasChosen() throws Exception {
        try (NbdClient client = served.greeted()) {
            client.option(8, NOTHING);
            client.option(10, NbdClient.metaQuery("disk", "base:allocation"));
            client.go("disk@monday");
            assertThat(client.request(0, 7, 0, 4096).error()).isEqualTo(22);
        }
    }

    @Test
    void wrongMagicAndUnknownClientFlagsEndTheConnection() throws Exception {
        try (NbdClient client = served.greeted()) {
            client.send(new byte[16]);
            assertThat(client.isEnded()).isTrue();
        }
        try (NbdClient client = NbdClient.raw(served.address())) {
            client.greet(1 | 1 << 7);
            assertThat(client.isEnded()).isTrue();
        }
    }

    @Test
    void clientThatTakesTooLongIsDisconnected() throws Exception {
        try (ServedDevices hasty = ServedDevices.of(settings -> settings.handshakeLimit(Duration.ofMillis(100)), disk);
                NbdClient silent = NbdClient.raw(hasty.address());
                NbdClient slow = hasty.greeted();
                NbdClient quick = hasty.simple("disk")) {
            slow.send(new byte[] {0x49});
            assertThat(silent.isEnded()).isTrue();
            assertThat(slow.isEnded()).isTrue();
            assertThat(quick.read(0, 4096)).hasSize(4096);
        }
    }

    @Test
    void connectionsBeyondTheLimitAreClosedUntilOthersEnd() throws Exception {
        try (ServedDevices small = ServedDevices.of(settings -> settings.connectionsMax(2), disk)) {
            try (NbdClient first = small.simple("disk");
                    NbdClient second = small.simple("disk");
                    NbdClient third = NbdClient.raw(small.address())) {
                assertThat(third.isEnded()).isTrue();
                assertThat(small.server().connections("disk")).isEqualTo(2);
                assertThat(first.read(0, 1)).hasSize(1);
                assertThat(second.read(0, 1)).hasSize(1);
                first.sendRequest(0, 2, 0, 0, 0);
                assertThat(first.isEnded()).isTrue();
            }
            assertThatThrownBy(() -> small.simple("other")).isInstanceOf(IOException.class);
        }
    }

    @Test
    void optionsOfAClientThatDoesNotReadAreNotPiledUp() throws Exception {
        MemoryDevice wordy = new MemoryDevice("x".repeat(4000), 4096);
        served.server().serve(wordy, "y".repeat(4000));
        try (NbdClient greedy = served.greeted();
                NbdClient other = served.simple("disk")) {
            int count = 2000;
            Thread writer = new Thread(() -> {
                try {
                    for (int i = 0; i < count; i++) {
                        greedy.sendOption(3, NOTHING);
                    }
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            writer.start();
            assertThat(other.read(0, 4096)).hasSize(4096);
            for (int i = 0; i < count; i++) {
                assertThat(greedy.answers()).hasSize(4);
            }
            writer.join();
        }
    }
}
