package io.longhorn.frontend.iscsi;

import static io.longhorn.frontend.iscsi.ServedPortal.IQN;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random, mutated and cut streams: each is answered or disconnected, no memory is lost, and another initiator notices nothing. */
class IscsiFuzzTest {

    private static final long SEED = Long.getLong("longhorn.seed", 20_261_128L);
    private static final int STREAMS = 400;
    private static final int PDUS_MAX = 12;
    private static final int[] OPCODES = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x1c, 0x40, 0x41, 0x42, 0x44};

    @Test
    void malformedStreamsDisturbNobody() throws IOException {
        Random random = new Random(SEED);
        try (ServedPortal served = new ServedPortal(settings -> settings.commandsInFlightMax(8), target -> {});
                TestInitiator honest = new TestInitiator(served.address())) {
            honest.isid = 0x3d00ff;
            honest.logIn(IQN);
            honest.becomeReady();
            for (int i = 0; i < STREAMS; i++) {
                try (TestInitiator wild = new TestInitiator(served.address())) {
                    wild.isid = random.nextInt(4);
                    if (random.nextBoolean()) {
                        fuzzSession(wild, random);
                    } else {
                        fuzzLogin(wild, random);
                    }
                }
                if (i % 20 == 0) {
                    checkHonest(honest, i);
                }
            }
            checkHonest(honest, STREAMS);
        } catch (AssertionError | IOException e) {
            throw new AssertionError("seed " + SEED, e);
        }
    }

    /** Blocks nobody else touches: the wild ones may write as well, but only below. */
    private static void checkHonest(TestInitiator honest, int round) throws IOException {
        int block = ServedPortal.SIZE / 512 - 1;
        honest.command(TestInitiator.write10(block, 1), 0xa0, 512, TestInitiator.bytes(512, round));
        TestInitiator.Received written = honest.receive();
        assertThat(written.opcode()).isEqualTo(0x21);
        assertThat(written.status()).isZero();
        honest.command(TestInitiator.read10(block, 1), 0xc0, 512, new byte[0]);
        assertThat(honest.receive().data()).isEqualTo(TestInitiator.bytes(512, round));
    }

    private static void fuzzLogin(TestInitiator wild, Random random) throws IOException {
        byte[] text = TestInitiator.text(
                "InitiatorName=" + TestInitiator.NAME, "TargetName=" + IQN, "HeaderDigest=CRC32C", "MaxBurstLength=1");
        ByteBuffer header = TestInitiator.header(0x43, random.nextInt(256));
        header.put(5, (byte) 0).putShort(6, (short) text.length);
        byte[] stream = ByteBuffer.allocate(48 + text.length + (-text.length & 3))
                .put(TestInitiator.bytesOf(header))
                .put(text)
                .array();
        send(wild, mutated(stream, random), random);
    }

    private static void fuzzSession(TestInitiator wild, Random random) throws IOException {
        wild.logIn(IQN, "InitialR2T=No", "ImmediateData=Yes", "MaxOutstandingR2T=4", "MaxBurstLength=1024");
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        int pdus = 1 + random.nextInt(PDUS_MAX);
        for (int i = 0; i < pdus; i++) {
            byte[] data = TestInitiator.bytes(random.nextInt(2000), random.nextInt());
            ByteBuffer header = TestInitiator.header(OPCODES[random.nextInt(OPCODES.length)], random.nextInt(256));
            if ((header.get(0) & 0x3f) == 0x02) {
                header.put(1, (byte) (0x80 | random.nextInt(4)));
            }
            header.put(4, (byte) (random.nextInt(8) == 0 ? random.nextInt(4) : 0));
            header.put(5, (byte) 0).putShort(6, (short) data.length);
            header.putLong(8, random.nextInt(4) == 0 ? random.nextLong() : TestInitiator.LUN_1);
            header.putInt(16, random.nextInt(6) - 1);
            header.putInt(20, random.nextInt(8192) - 1);
            header.putInt(24, wild.cmdSn + random.nextInt(3));
            byte[] cdb = random.nextBoolean()
                    ? TestInitiator.write10(random.nextInt(64), random.nextInt(9))
                    : TestInitiator.read10(random.nextInt(64), random.nextInt(9));
            if ((header.get(0) & 0x3f) == 0x01) {
                header.put(32, cdb);
            } else {
                header.putInt(36, random.nextInt(3)).putInt(40, 512 * random.nextInt(5));
            }
            stream.write(TestInitiator.bytesOf(header));
            stream.write(new byte[4 * header.get(4)]);
            stream.write(data);
            stream.write(new byte[-data.length & 3]);
            wild.cmdSn++;
        }
        byte[] bytes = stream.toByteArray();
        send(wild, random.nextInt(3) == 0 ? mutated(bytes, random) : bytes, random);
    }

    /** With some bits turned; not those of opcodes and functions, which are random anyway, so that no reset comes of it: that would rightly end the commands of others. */
    private static byte[] mutated(byte[] bytes, Random random) {
        byte[] result = bytes.clone();
        for (int i = random.nextInt(6); i > 0; i--) {
            int at = random.nextInt(result.length);
            if (at % 4 > 1) {
                result[at] ^= (byte) (1 << random.nextInt(8));
            }
        }
        return result;
    }

    /** In pieces, and perhaps not all; then the connection is left. */
    private static void send(TestInitiator wild, byte[] stream, Random random) throws IOException {
        int length = random.nextInt(4) == 0 ? random.nextInt(stream.length) : stream.length;
        int at = 0;
        try {
            while (at < length) {
                int piece = Math.min(length - at, 1 + random.nextInt(1500));
                wild.sendRaw(Arrays.copyOfRange(stream, at, at + piece));
                at += piece;
            }
        } catch (IOException e) {
            assertThat(e.getMessage()).as("disconnected meanwhile").containsAnyOf("reset", "pipe", "abort");
        }
    }
}
