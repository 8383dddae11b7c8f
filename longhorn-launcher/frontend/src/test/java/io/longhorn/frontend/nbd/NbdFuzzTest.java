package io.longhorn.frontend.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.frontend.MemoryDevice;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a broken or hostile client sends: the server answers or disconnects, keeps no buffer (checked when it is closed), and serves another client meanwhile. */
class NbdFuzzTest {

    private static final int SIZE = 1 << 20;
    private static final long SEED = Long.getLong("longhorn.seed", 20260115);

    @Test
    void randomBytesInsteadOfAHandshake() throws Exception {
        attack(150, random -> {
            byte[] bytes = new byte[random.nextInt(2000)];
            random.nextBytes(bytes);
            return bytes;
        });
    }

    @Test
    void mutatedHandshakes() throws Exception {
        attack(250, random -> mutated(random, handshake()));
    }

    @Test
    void randomBytesInsteadOfRequests() throws Exception {
        attack(150, random -> {
            byte[] bytes = new byte[random.nextInt(5000)];
            random.nextBytes(bytes);
            return joined(handshake(), bytes);
        });
    }

    @Test
    void mutatedRequests() throws Exception {
        attack(250, random -> joined(handshake(), mutated(random, requests(random))));
    }

    @Test
    void wellFormedRequestsOfRandomFields() throws Exception {
        attack(150, random -> {
            ByteArrayOutputStream stream = new ByteArrayOutputStream();
            stream.write(handshake());
            for (int i = 0; i < 30; i++) {
                int type = random.nextInt(10);
                byte[] payload = new byte[type == 1 ? random.nextInt(3000) : 0];
                int length = type == 1 ? payload.length : random.nextInt(2 * SIZE);
                long offset = random.nextInt(10) == 0 ? random.nextLong() : random.nextInt(SIZE);
                int flags = random.nextBoolean() ? 0 : 1 << random.nextInt(16);
                stream.write(NbdClient.request(flags, type, random.nextLong(), offset, length, payload));
            }
            return stream.toByteArray();
        });
    }

    private interface Attack {
        byte[] stream(Random random) throws IOException;
    }

    private static void attack(int rounds, Attack attack) throws Exception {
        MemoryDevice target = new MemoryDevice("target", SIZE);
        MemoryDevice other = new MemoryDevice("other", SIZE);
        byte[] kept = new byte[8192];
        Arrays.fill(kept, (byte) 0x5a);
        try (ServedDevices served =
                        ServedDevices.of(settings -> settings.handshakeLimit(Duration.ofSeconds(5)), target, other);
                NbdClient calm = served.structured("other")) {
            calm.write(4096, kept);
            for (int round = 0; round < rounds; round++) {
                Random random = new Random(SEED + round);
                try (NbdClient hostile = NbdClient.raw(served.address())) {
                    send(hostile, attack.stream(random), random);
                }
                assertThat(calm.read(4096, kept.length))
                        .as("seed %d, round %d", SEED, round)
                        .isEqualTo(kept);
            }
            while (served.server().connections("target") > 0) {
                Thread.onSpinWait();
            }
        }
    }

    /** In pieces; the server may have hung up before the end. Sometimes reads what comes back, sometimes not. */
    private static void send(NbdClient hostile, byte[] stream, Random random) {
        try {
            for (int at = 0; at < stream.length; ) {
                int count = Math.min(stream.length - at, 1 + random.nextInt(1500));
                hostile.send(Arrays.copyOfRange(stream, at, at + count));
                at += count;
            }
            if (random.nextBoolean()) {
                hostile.endOutput();
                hostile.in().readNBytes(18 + random.nextInt(100));
            }
        } catch (IOException e) {
            assertThat(e).as("hung up").isInstanceOfAny(java.net.SocketException.class, java.io.EOFException.class);
        }
    }

    private static byte[] handshake() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream stream = new DataOutputStream(bytes);
        stream.writeInt(3);
        option(stream, 3, new byte[0]);
        option(stream, 8, new byte[0]);
        option(stream, 9, NbdClient.metaQuery("target"));
        option(stream, 10, NbdClient.metaQuery("target", "base:allocation"));
        option(stream, 6, NbdClient.infoQuery("target", 0, 1, 2, 3));
        option(stream, 7, NbdClient.infoQuery("target"));
        return bytes.toByteArray();
    }

    private static void option(DataOutputStream stream, int option, byte[] data) throws IOException {
        stream.write("IHAVEOPT".getBytes(StandardCharsets.US_ASCII));
        stream.writeInt(option);
        stream.writeInt(data.length);
        stream.write(data);
    }

    private static byte[] requests(Random random) throws IOException {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        for (int i = 0; i < 20; i++) {
            int type = i % 8;
            byte[] payload = new byte[type == 1 ? 700 : 0];
            // A disconnect would end the round early.
            stream.write(NbdClient.request(
                    0, type == 2 ? 0 : type, i, random.nextInt(SIZE / 2), type == 3 ? 0 : 700, payload));
        }
        return stream.toByteArray();
    }

    private static byte[] mutated(Random random, byte[] stream) {
        byte[] changed = stream.clone();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            int at = random.nextInt(changed.length);
            switch (random.nextInt(3)) {
                case 0 -> changed[at] = (byte) random.nextInt();
                case 1 -> changed[at] ^= (byte) (1 << random.nextInt(8));
                default -> changed = Arrays.copyOf(changed, Math.max(1, at));
            }
        }
        return changed;
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
