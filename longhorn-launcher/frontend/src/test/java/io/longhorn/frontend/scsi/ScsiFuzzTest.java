package io.longhorn.frontend.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.frontend.FrontendMemory;
import io.longhorn.frontend.MemoryDevice;
import io.longhorn.frontend.scsi.Initiator.Answer;
import io.netty.buffer.ByteBufUtil;
import io.netty.util.ResourceLeakDetector;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Random descriptor blocks and data: every command is answered exactly once, no buffer is lost, and the target goes on. {@code -Dlonghorn.seed=} repeats a run. */
class ScsiFuzzTest {

    private static final int COMMANDS = 6_000;

    private final ConcurrentLinkedQueue<String> leaks = new ConcurrentLinkedQueue<>();
    private ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();

    @BeforeEach
    void watch() {
        level = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        ByteBufUtil.setLeakListener((resource, records) -> leaks.add(records));
    }

    @AfterEach
    void unwatch() {
        ResourceLeakDetector.setLevel(level);
        ByteBufUtil.setLeakListener(null);
    }

    @Test
    void randomCommandsAreAnsweredOnceEach() throws Exception {
        long seed = Long.getLong("longhorn.seed", System.nanoTime());
        Random random = new Random(seed);
        MemoryDevice device = new MemoryDevice(1 << 20);
        try (ScsiTarget target = new ScsiTarget(ScsiTargetSpec.of("iqn.test:fuzz", device, ReservationStore.NONE))) {
            List<Initiator> initiators = List.of(new Initiator(target, "a"), new Initiator(target, "b"));
            for (int i = 0; i < COMMANDS; i++) {
                byte[] cdb = cdb(random);
                byte[] dataOut = dataOut(random, cdb);
                long lun = random.nextInt(20) == 0 ? random.nextLong() : Initiator.LUN_1;
                long expected = random.nextInt(10) == 0 ? random.nextInt(5000) : dataOut.length;
                disturb(random, target, device, initiators.get(0));
                Answer answer = initiators
                        .get(random.nextInt(2))
                        .start(lun, cdb, dataOut, expected)
                        .get(20, TimeUnit.SECONDS);
                assertThat(answer.status()).as("seed %d, command %d", seed, i).isBetween(0, 0x40);
                assertThat(answer.data().length).isLessThanOrEqualTo(ScsiTarget.TRANSFER_BYTES_MAX);
                if (answer.status() == ScsiStatus.CHECK_CONDITION) {
                    assertThat(answer.sense()[0] & 0x7f).as("seed %d", seed).isIn(0x70, 0x72);
                }
            }
            Initiator last = Initiator.settled(target, "last");
            last.send("a0 00 00 000000 00000100 00 00").isGood();
        }
        collectLeaks();
        assertThat(leaks).as("seed %d", seed).isEmpty();
    }

    /** Operation codes that exist, mostly, with small numbers in their fields, mostly. */
    private static byte[] cdb(Random random) {
        byte[] cdb = new byte[random.nextInt(10) == 0 ? 32 : 16];
        for (int i = 0; i < cdb.length; i++) {
            cdb[i] = (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : 0);
        }
        if (random.nextInt(20) != 0) {
            List<SupportedCommand> all = CommandTable.all();
            SupportedCommand some = all.get(random.nextInt(all.size()));
            byte[] usage = some.usage();
            boolean onlyUsed = random.nextInt(4) != 0;
            for (int i = 0; i < usage.length; i++) {
                cdb[i] = (byte) (onlyUsed ? cdb[i] & usage[i] : cdb[i]);
            }
            cdb[0] = usage[0];
            cdb[1] = some.hasServiceAction() ? usage[1] : cdb[1];
        }
        return cdb;
    }

    private static byte[] dataOut(Random random, byte[] cdb) {
        int wanted = ScsiTarget.dataOutWanted(cdb);
        int length = random.nextInt(8) == 0 ? random.nextInt(2000) : Math.min(wanted, 1 << 20);
        byte[] data = new byte[length];
        if (random.nextBoolean()) {
            random.nextBytes(data);
        } else {
            for (int i = 0; i < length; i += 1 + random.nextInt(20)) {
                data[i] = (byte) random.nextInt(32);
            }
        }
        return data;
    }

    private static void disturb(Random random, ScsiTarget target, MemoryDevice device, Initiator initiator) {
        switch (random.nextInt(200)) {
            case 0 -> target.logicalUnitReset(Initiator.LUN_1);
            case 1 -> target.nexusLost(initiator.port());
            case 2 -> device.grow((1 << 20) + 4096 * random.nextInt(256));
            case 3 -> device.failWith(new IllegalStateException("injected"));
            case 4, 5, 6, 7 -> device.failWith(null);
            default -> {
                // Mostly nothing.
            }
        }
    }

    /** Leaks are found when buffers are allocated after a collection. */
    private static void collectLeaks() {
        for (int i = 0; i < 3; i++) {
            System.gc();
            FrontendMemory.pool().directBuffer(16).release();
        }
    }
}
