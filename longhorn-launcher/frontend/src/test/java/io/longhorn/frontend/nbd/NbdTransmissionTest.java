package io.longhorn.frontend.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.DamagedBlockException;
import io.longhorn.DiskFullException;
import io.longhorn.VolumeClosedException;
import io.longhorn.frontend.MemoryDevice;
import io.longhorn.frontend.nbd.NbdClient.Reply;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NbdTransmissionTest {

    private static final int SIZE = 48 << 20;
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int DISCONNECT = 2;
    private static final int FLUSH = 3;
    private static final int TRIM = 4;
    private static final int CACHE = 5;
    private static final int ZEROES = 6;
    private static final int STATUS = 7;
    private static final int FUA = 1;
    private static final int NO_HOLE = 2;
    private static final int DF = 4;
    private static final int REQ_ONE = 8;
    private static final int FAST_ZERO = 16;
    private static final int EPERM = 1;
    private static final int EIO = 5;
    private static final int EINVAL = 22;
    private static final int ENOSPC = 28;
    private static final int EOVERFLOW = 75;
    private static final int ESHUTDOWN = 108;

    private final MemoryDevice disk = new MemoryDevice("disk", SIZE);
    private final ServedDevices served = ServedDevices.of(disk, MemoryDevice.readOnly("disk@monday", 1 << 20));

    @AfterEach
    void close() {
        disk.letAllGo();
        served.close();
    }

    private NbdClient client(boolean structured) throws Exception {
        return structured ? served.structured("disk") : served.simple("disk");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsWrittenIsRead(boolean structured) throws Exception {
        try (NbdClient client = client(structured)) {
            Random random = new Random(1);
            for (int length : new int[] {1, 511, 512, 4096, 4097, 65536, 300_001, 32 << 20}) {
                byte[] data = new byte[length];
                random.nextBytes(data);
                assertThat(client.write(777, data)).isZero();
                assertThat(Arrays.equals(client.read(777, length), data))
                        .as("length %d", length)
                        .isTrue();
            }
        }
    }

    @Test
    void structuredReadIsOneChunkWithItsOffset() throws Exception {
        try (NbdClient client = client(true)) {
            for (int flags : new int[] {0, DF, FUA}) {
                Reply reply = client.request(flags, READ, 8192, 512);
                assertThat(reply.type()).isEqualTo(1);
                assertThat(reply.number(0, 8)).isEqualTo(8192);
                assertThat(reply.data()).hasSize(8 + 512);
                assertThat(reply.cookie()).isEqualTo(77);
            }
            assertThat(client.request(0, READ, 0, 0).type()).as("nothing").isZero();
        }
        try (NbdClient client = client(false)) {
            assertThat(client.request(0, READ, 0, 0))
                    .matches(reply -> !reply.structured() && reply.error() == 0 && reply.data().length == 0);
        }
    }

    @Test
    void everyChangeReachesTheDeviceAsItWasMeant() throws Exception {
        try (NbdClient client = client(true)) {
            client.write(0, new byte[10]);
            client.sendWrite(FUA, 1, 4096, new byte[20]);
            assertThat(client.reply(0).error()).isZero();
            assertThat(client.request(0, FLUSH, 0, 0).error()).isZero();
            assertThat(client.request(0, TRIM, 4096, 8192).error()).isZero();
            assertThat(client.request(FUA, TRIM, 0, 4096).error()).isZero();
            assertThat(client.request(0, ZEROES, 1, 2).error()).isZero();
            assertThat(client.request(NO_HOLE, ZEROES, 3, 4).error()).isZero();
            assertThat(client.request(FAST_ZERO, ZEROES, 5, 6).error()).isZero();
            assertThat(client.request(FUA | NO_HOLE | FAST_ZERO, ZEROES, 7, 8).error())
                    .isZero();
            assertThat(client.request(FUA, FLUSH, 0, 0).error()).isZero();
            assertThat(client.write(4, new byte[0])).isZero();
        }
        assertThat(disk.asked())
                .containsExactly(
                        "write 0 10",
                        "write 4096 20 [FORCED]",
                        "flush",
                        "discard 4096 8192",
                        "discard 0 4096",
                        "flush",
                        "zero 1 2",
                        "zero 3 4 [ALLOCATE]",
                        "zero 5 6",
                        "zero 7 8 [ALLOCATE]",
                        "flush",
                        "flush");
    }

    @Test
    void cacheReadsWhatItIsAskedFor() throws Exception {
        try (NbdClient client = client(false)) {
            assertThat(client.request(0, CACHE, 0, 3 << 20).error()).isZero();
            assertThat(client.request(0, CACHE, 100, 0).error()).isZero();
            disk.hold();
            client.sendRequest(0, CACHE, 9, 0, (2 << 20) + 1);
            disk.letGo();
            disk.letGo();
            disk.letGo();
            assertThat(client.reply(0).error()).isZero();
            disk.letAllGo();
            disk.failNext(new DamagedBlockException("disk", 1));
            assertThat(client.request(0, CACHE, 0, 10).error()).isEqualTo(EIO);
            assertThat(client.request(0, CACHE, SIZE, 1).error()).isEqualTo(EINVAL);
        }
    }

    @Test
    void blockStatusTellsHolesAndData() throws Exception {
        try (NbdClient client = client(true)) {
            client.write(4096, new byte[4096]);
            client.request(0, TRIM, 8192, 4096);
            Reply all = client.request(0, STATUS, 100, 65536);
            assertThat(all.type()).isEqualTo(5);
            assertThat(all.data()).hasSize(4 + 3 * 8);
            assertThat(all.number(0, 4)).as("context").isEqualTo(1);
            assertThat(new long[] {all.number(4, 4), all.number(8, 4)}).containsExactly(3996, 3);
            assertThat(new long[] {all.number(12, 4), all.number(16, 4)}).containsExactly(4096, 0);
            assertThat(new long[] {all.number(20, 4), all.number(24, 4)}).containsExactly(65636 - 8192, 3);
            Reply one = client.request(REQ_ONE, STATUS, 100, 65536);
            assertThat(one.data()).hasSize(4 + 8);
            assertThat(client.request(0, STATUS, 0, 0).error()).isEqualTo(EINVAL);
            assertThat(client.request(0, STATUS, 0, SIZE + 1).error()).isEqualTo(EINVAL);
        }
        try (NbdClient client = client(false)) {
            assertThat(client.request(0, STATUS, 0, 4096).error()).isEqualTo(EINVAL);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void wrongRequestsGetTheErrorOfTheSpecification(boolean structured) throws Exception {
        try (NbdClient client = client(structured)) {
            assertThat(client.request(0, 8, 0, 0).error()).as("unknown command").isEqualTo(EINVAL);
            assertThat(client.request(0, 65535, 0, 0).error())
                    .as("unknown command")
                    .isEqualTo(EINVAL);
            assertThat(client.request(1 << 15, READ, 0, 1).error())
                    .as("unknown flag")
                    .isEqualTo(EINVAL);
            assertThat(client.request(NO_HOLE, TRIM, 0, 1).error())
                    .as("flag of another command")
                    .isEqualTo(EINVAL);
            assertThat(client.request(0, FLUSH, 1, 0).error())
                    .as("flush of a range")
                    .isEqualTo(EINVAL);
            assertThat(client.request(0, READ, SIZE, 1).error()).isEqualTo(EINVAL);
            assertThat(client.request(0, READ, -1L, 1).error()).isEqualTo(EINVAL);
            assertThat(client.request(0, READ, Long.MIN_VALUE, 1).error()).isEqualTo(EINVAL);
            assertThat(client.request(0, TRIM, SIZE - 1, 2).error()).isEqualTo(EINVAL);
            assertThat(client.request(0, ZEROES, SIZE - 1, 2).error()).isEqualTo(ENOSPC);
            assertThat(client.write(SIZE - 1, new byte[2])).isEqualTo(ENOSPC);
            assertThat(client.request(0, READ, 0, (32 << 20) + 1).error()).isEqualTo(EINVAL);
            assertThat(client.write(0, new byte[(32 << 20) + 1])).isEqualTo(EINVAL);
            client.sendWrite(DF, 1, 0, new byte[5000]);
            assertThat(client.reply(0).error()).isEqualTo(EINVAL);
            assertThat(client.request(structured ? DF : 0, READ, 0, (32 << 20) + 1)
                            .error())
                    .isEqualTo(structured ? EOVERFLOW : EINVAL);
            assertThat(client.write(0, new byte[] {7})).isZero();
            assertThat(client.read(0, 1)).containsExactly(7);
        }
        assertThat(disk.asked()).containsExactly("write 0 1", "read 0 1");
    }

    @Test
    void readOnlyExportRefusesChanges() throws Exception {
        try (NbdClient client = served.simple("disk@monday")) {
            assertThat(client.write(0, new byte[4096])).isEqualTo(EPERM);
            assertThat(client.request(0, TRIM, 0, 1).error()).isEqualTo(EPERM);
            assertThat(client.request(0, ZEROES, 0, 1).error()).isEqualTo(EPERM);
            assertThat(client.request(0, FLUSH, 0, 0).error()).isZero();
            assertThat(client.read(0, 5)).hasSize(5);
        }
    }

    @Test
    void failuresOfTheDeviceBecomeErrorsWithReasonAndPlace() throws Exception {
        try (NbdClient client = client(true)) {
            disk.failNext(new DamagedBlockException("disk", 3));
            Reply damaged = client.request(0, READ, 4096, 16384);
            assertThat(damaged.type()).isEqualTo(0x8002);
            assertThat(damaged.error()).isEqualTo(EIO);
            int length = (int) damaged.number(4, 2);
            assertThat(new String(damaged.data(), 6, length, StandardCharsets.UTF_8))
                    .contains("disk");
            assertThat(damaged.number(6 + length, 8)).isEqualTo(3 * 4096);
            disk.failNext(new IllegalStateException("x".repeat(5000)));
            assertThat(client.request(0, READ, 512, 512))
                    .matches(reply -> reply.error() == EIO && reply.number(reply.data().length - 8, 8) == 512);
            disk.failNext(new DiskFullException("disk1", 1, 0));
            assertThat(client.write(0, new byte[1])).isEqualTo(ENOSPC);
            disk.failNext(new VolumeClosedException("disk"));
            Reply closed = client.request(0, FLUSH, 0, 0);
            assertThat(closed.type()).isEqualTo(0x8001);
            assertThat(closed.error()).isEqualTo(ESHUTDOWN);
        }
        try (NbdClient client = client(false)) {
            disk.failNext(new DamagedBlockException("disk", 3));
            assertThat(client.request(0, READ, 4096, 16384))
                    .matches(reply -> !reply.structured() && reply.error() == EIO);
            assertThat(client.read(0, 4096)).hasSize(4096);
        }
    }

    @Test
    void requestsThatArriveInPiecesAreServed() throws Exception {
        try (NbdClient client = client(false)) {
            ByteArrayOutputStream stream = new ByteArrayOutputStream();
            Random random = new Random(3);
            byte[] data = new byte[20_000];
            random.nextBytes(data);
            for (int i = 0; i < 20; i++) {
                stream.write(NbdClient.request(
                        0, WRITE, i, i * 1000L, 1000, Arrays.copyOfRange(data, i * 1000, (i + 1) * 1000)));
            }
            byte[] bytes = stream.toByteArray();
            for (int at = 0; at < bytes.length; ) {
                int count = Math.min(bytes.length - at, 1 + random.nextInt(60));
                client.send(Arrays.copyOfRange(bytes, at, at + count));
                at += count;
            }
            for (int i = 0; i < 20; i++) {
                assertThat(client.reply(0)).matches(reply -> reply.error() == 0);
            }
            assertThat(client.read(0, data.length)).isEqualTo(data);
        }
    }

    @Test
    void requestsCompleteInAnyOrderAndMoreThanTheLimitWait() throws Exception {
        disk.hold();
        int depth = 8;
        try (ServedDevices shallow = ServedDevices.of(settings -> settings.requestsInFlightMax(depth), disk);
                NbdClient client = shallow.simple("disk")) {
            for (int i = 0; i < 50; i++) {
                client.sendWrite(0, i, i * 4096L, new byte[4096]);
            }
            Set<Long> answered = new HashSet<>();
            for (int i = 0; i < 50; i++) {
                disk.letGo();
                assertThat(disk.heldCount()).isLessThan(depth + 1);
                answered.add(client.reply(0).cookie());
            }
            assertThat(answered).hasSize(50);
        }
    }

    @Test
    void requestsThatCompleteTogetherWakeTheLoopOnce() throws Exception {
        try (NbdClient client = served.simple("disk")) {
            disk.hold();
            disk.gatherAfterCompletions();
            for (int i = 0; i < 8; i++) {
                client.sendWrite(0, i, i * 4096L, new byte[4096]);
            }
            disk.awaitHeld(8);

            disk.letAllGo();

            assertThat(disk.completionsEnd()).isEqualTo(1);
            Set<Long> answered = new HashSet<>();
            for (int i = 0; i < 8; i++) {
                answered.add(client.reply(0).cookie());
            }
            assertThat(answered).hasSize(8);
        }
    }

    @Test
    void bytesInFlightAreLimited() throws Exception {
        disk.hold();
        try (ServedDevices small = ServedDevices.of(
                        settings -> settings.requestBytesMax(1 << 20).bytesInFlightMax(1 << 20), disk);
                NbdClient client = small.simple("disk")) {
            for (int i = 0; i < 8; i++) {
                client.sendRequest(0, READ, i, 0, 512 << 10);
            }
            for (int i = 0; i < 8; i++) {
                disk.letGo();
                assertThat(disk.heldCount()).isLessThanOrEqualTo(2);
                assertThat(client.reply(512 << 10).error()).isZero();
            }
        }
    }

    @Test
    void clientThatDoesNotReadItsRepliesIsNotReadFromAndDisturbsNobody() throws Exception {
        try (NbdClient slow = client(true);
                NbdClient other = client(true)) {
            int count = 400;
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread writer = new Thread(() -> {
                try {
                    for (int i = 0; i < count; i++) {
                        slow.sendRequest(0, READ, i, 0, 1 << 20);
                    }
                } catch (Exception e) {
                    failure.set(e);
                }
            });
            writer.start();
            for (int i = 0; i < 100; i++) {
                assertThat(other.read(0, 4096)).hasSize(4096);
            }
            for (int i = 0; i < count; i++) {
                assertThat(slow.reply(0).data()).hasSize(8 + (1 << 20));
            }
            writer.join();
            assertThat(failure).hasNullValue();
        }
    }

    @Test
    void disconnectLetsRequestsInFlightEnd() throws Exception {
        disk.hold();
        try (NbdClient client = client(false)) {
            client.sendWrite(0, 1, 0, new byte[] {1});
            client.sendWrite(0, 2, 1, new byte[] {2});
            client.sendRequest(0, DISCONNECT, 3, 0, 0);
            client.sendRequest(0, FLUSH, 4, 0, 0);
            disk.letGo();
            disk.letGo();
            assertThat(client.reply(0).cookie()).isEqualTo(1);
            assertThat(client.reply(0).cookie()).isEqualTo(2);
            assertThat(client.isEnded()).isTrue();
        }
        assertThat(disk.asked()).containsExactly("write 0 1", "write 1 1");
        assertThat(disk.at(1)).isEqualTo((byte) 2);
    }

    @Test
    void clientThatVanishesLeavesNothingBehind() throws Exception {
        disk.hold();
        try (NbdClient gone = client(true)) {
            gone.sendRequest(0, READ, 1, 0, 1 << 20);
            gone.sendWrite(0, 2, 0, new byte[1 << 20]);
            gone.send(Arrays.copyOf(NbdClient.request(0, WRITE, 3, 0, 1 << 20, new byte[100]), 128));
            disk.awaitHeld(2);
        }
        while (served.server().connections("disk") > 0 && disk.heldCount() > 0) {
            disk.letGo();
        }
        disk.letAllGo();
        try (NbdClient next = client(false)) {
            assertThat(next.read(0, 1)).hasSize(1);
        }
    }

    @Test
    void wrongMagicEndsTheConnection() throws Exception {
        try (NbdClient client = client(false);
                NbdClient other = client(false)) {
            client.send(new byte[28]);
            assertThat(client.isEnded()).isTrue();
            assertThat(other.read(0, 1)).hasSize(1);
        }
    }

    @Test
    void grownDeviceTakesRequestsBeyondItsOldSize() throws Exception {
        try (NbdClient before = client(false)) {
            assertThat(before.request(0, READ, SIZE, 1).error()).isEqualTo(EINVAL);
            disk.grow(SIZE + 4096);
            assertThat(before.write(SIZE, new byte[] {9})).isZero();
            assertThat(before.read(SIZE, 1)).containsExactly(9);
            try (NbdClient asking = served.greeted()) {
                byte[] info =
                        asking.option(6, NbdClient.infoQuery("disk")).get(0).data();
                assertThat(Arrays.copyOfRange(info, 2, 10)).containsExactly(0, 0, 0, 0, 3, 0, 0x10, 0);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theOnlyRequestIsAnsweredWhereItEndsThoughAllLoopsAreBusy(boolean structured) throws Exception {
        MemoryDevice gate = new MemoryDevice("gate", 4096);
        CountDownLatch busy = new CountDownLatch(2);
        CountDownLatch over = new CountDownLatch(1);
        gate.beforeFlush(() -> {
            busy.countDown();
            awaitUninterruptibly(over);
        });
        served.server().serve(gate, "");
        try (NbdClient client = client(structured);
                NbdClient one = served.simple("gate");
                NbdClient other = served.simple("gate")) {
            client.write(0, new byte[] {1, 2, 3});
            disk.hold();
            client.sendRequest(0, READ, 7, 0, 3);
            disk.awaitHeld(1);
            // Connections take the two loops by turns.
            one.sendRequest(0, FLUSH, 1, 0, 0);
            other.sendRequest(0, FLUSH, 1, 0, 0);
            busy.await();

            disk.letGo();
            Reply reply = client.reply(3);

            assertThat(reply.cookie()).isEqualTo(7);
            assertThat(reply.error()).isZero();
            assertThat(reply.data()).endsWith(1, 2, 3);
            over.countDown();
            assertThat(one.reply(0).error()).isZero();
            assertThat(other.reply(0).error()).isZero();
            disk.letAllGo();
            assertThat(client.write(1, new byte[] {9})).isZero();
            assertThat(client.read(0, 3)).containsExactly(1, 9, 3);
        } finally {
            over.countDown();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void requestsThatAreAloneAndSuchThatAreNotFollowEachOther(boolean structured) throws Exception {
        Random random = new Random(42);
        disk.hold();
        Thread ender = new Thread(() -> {
            Random order = new Random(43);
            try {
                while (!Thread.currentThread().isInterrupted()) {
                    if (order.nextBoolean()) {
                        disk.letGo();
                    } else {
                        disk.letNewestGo();
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        ender.start();
        try (NbdClient client = client(structured)) {
            byte[] mirror = new byte[1 << 20];
            for (int round = 0; round < 2_000; round++) {
                int depth = random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 1;
                int[] lengths = new int[depth];
                int[] offsets = new int[depth];
                for (int i = 0; i < depth; i++) {
                    // Ranges that do not overlap, since replies come in any order.
                    offsets[i] = (i << 18) + random.nextInt(1 << 16);
                    lengths[i] = 1 + random.nextInt(random.nextInt(8) == 0 ? 100_000 : 5_000);
                    byte[] data = new byte[lengths[i]];
                    random.nextBytes(data);
                    System.arraycopy(data, 0, mirror, offsets[i], lengths[i]);
                    client.sendWrite(0, i, offsets[i], data);
                }
                Set<Long> answered = new HashSet<>();
                for (int i = 0; i < depth; i++) {
                    Reply reply = client.reply(0);
                    assertThat(reply.error()).isZero();
                    answered.add(reply.cookie());
                }
                assertThat(answered).hasSize(depth);
                int at = random.nextInt(depth);
                assertThat(client.read(offsets[at], lengths[at]))
                        .isEqualTo(Arrays.copyOfRange(mirror, offsets[at], offsets[at] + lengths[at]));
            }
        } finally {
            ender.interrupt();
            ender.join();
        }
    }
}
