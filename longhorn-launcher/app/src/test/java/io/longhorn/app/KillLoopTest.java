package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.replica.DiskCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills replica servers and the writing process with SIGKILL under load, again and again. Nothing confirmed is ever
 * missing, and no block ever holds something else than one of its versions. {@code -Dlonghorn.seed=} repeats the choices
 * of a run, though not its timing.
 */
class KillLoopTest {

    private static final int SERVERS = 3;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int ROUNDS_PER_REPORT = 10;
    private static final Duration LOAD_WHILE_AWAY_LIMIT = Duration.ofSeconds(3);
    /** A round is worth something only when the load ran in it. */
    private static final long LOG_BYTES_PER_ROUND = 16 * 100;

    @TempDir
    private Path directory;

    private @Nullable ReplicaServers servers;
    private @Nullable Process writer;
    private int volumeFailures;

    @AfterEach
    void killWhatIsLeft() throws InterruptedException {
        if (writer != null) {
            writer.destroyForcibly().waitFor();
        }
        if (servers != null) {
            servers.close();
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void nothingConfirmedIsLostInAFewRounds() throws Exception {
        run(6);
    }

    @Test
    @Tag("campaign")
    @Timeout(value = 2, unit = TimeUnit.HOURS)
    void nothingConfirmedIsLostInTwoHundredRounds() throws Exception {
        run(200);
    }

    private void run(int rounds) throws Exception {
        long seed = Long.getLong("longhorn.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        ReplicaServers running = ReplicaServers.start(directory, SERVERS);
        servers = running;
        try (Longhorn longhorn = connect(running)) {
            longhorn.create(VolumeSpec.named(KillLoopWriter.VOLUME)
                    .sizeBytes((long) KillLoopWriter.BLOCKS * Volume.BLOCK_BYTES)
                    .build());
        }
        startWriter(running);
        for (int round = 0; round < rounds; round++) {
            playRound(running, random, "round " + round + " of seed " + seed);
            if ((round + 1) % ROUNDS_PER_REPORT == 0) {
                System.out.printf(
                        "kill loop of seed %d: round %d of %d, %d bytes of confirmations logged, the volume failed under the writer %d times%n",
                        seed, round + 1, rounds, KillLoopWriter.logBytes(directory), volumeFailures);
            }
        }
        killWriter();
        verifyAtTheEnd(running, seed);
    }

    private void playRound(ReplicaServers running, SplittableRandom random, String where) throws Exception {
        awaitLoad(running, where);
        List<Integer> victims = victims(random);
        for (int victim : victims) {
            running.kill(victim);
        }
        boolean killWriter = random.nextInt(4) == 0;
        if (killWriter) {
            killWriter();
        }
        // Gives those that are away something to catch up with. None may come: the servers left may still be
        // catching up themselves, and then the volume waits for the others, as it must.
        if (!killWriter && victims.size() < SERVERS && random.nextBoolean()) {
            long wanted = KillLoopWriter.logBytes(directory) + LOG_BYTES_PER_ROUND;
            Waiting.until(LOAD_WHILE_AWAY_LIMIT, () -> KillLoopWriter.logBytes(directory) >= wanted);
        }
        for (int victim : victims) {
            running.restart(victim);
        }
        if (killWriter) {
            startWriter(running);
        }
        if (random.nextInt(3) == 0) {
            awaitHealthy(running, where);
        }
    }

    /** Mostly one, sometimes two, now and then all. */
    private static List<Integer> victims(SplittableRandom random) {
        int count = List.of(1, 1, 1, 1, 1, 2, 2, 3).get(random.nextInt(8));
        List<Integer> all = new ArrayList<>(List.of(0, 1, 2));
        Collections.shuffle(all, new Random(random.nextLong()));
        return all.subList(0, count);
    }

    /** Waits until the writer has got on; starts it again where the volume failed under it. */
    private void awaitLoad(ReplicaServers running, String where) throws Exception {
        long wanted = KillLoopWriter.logBytes(directory) + LOG_BYTES_PER_ROUND;
        boolean loaded = Waiting.until(LIMIT, () -> {
            restartFailedWriter(running, where);
            return KillLoopWriter.logBytes(directory) >= wanted;
        });
        assertThat(loaded)
                .as("the writer gets on in " + where + "; its log: " + writerLog())
                .isTrue();
    }

    /** Catches up without hurry: the next kill then meets a volume with all its replicas. */
    private void awaitHealthy(ReplicaServers running, String where) throws Exception {
        killWriter();
        try (Longhorn longhorn = connect(running)) {
            Volume volume = longhorn.open(KillLoopWriter.VOLUME);
            assertThat(volume.awaitHealthy(LIMIT)).as("healthy after " + where).isTrue();
        }
        startWriter(running);
    }

    private void verifyAtTheEnd(ReplicaServers running, long seed) throws Exception {
        try (Longhorn longhorn = connect(running)) {
            Volume volume = longhorn.open(KillLoopWriter.VOLUME);
            assertThat(volume.awaitHealthy(LIMIT))
                    .as("healthy after seed " + seed)
                    .isTrue();
            KillLoopWriter.verify(volume, directory);
            assertThat(volume.statistics().checksumMismatches()).isZero();
        }
        running.stop();
        for (int server = 0; server < SERVERS; server++) {
            assertThat(DiskCheck.of(running.disk(server)).damages())
                    .as("damages on " + running.disk(server) + " after seed " + seed)
                    .isEmpty();
        }
    }

    private Longhorn connect(ReplicaServers running) {
        return KillLoopWriter.connect(directory, addresses(running));
    }

    private static List<String> addresses(ReplicaServers running) {
        return running.addresses().stream().map(HostPort::toString).toList();
    }

    private void startWriter(ReplicaServers running) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(directory.toString()));
        arguments.addAll(addresses(running));
        writer = OwnProcess.builder(List.of(), KillLoopWriter.class, arguments)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("writer.log").toFile()))
                .start();
    }

    private void restartFailedWriter(ReplicaServers running, String where) throws IOException {
        if (writer == null || writer.isAlive()) {
            return;
        }
        assertThat(writer.exitValue())
                .as("the writer's end in " + where + "; its log: " + writerLog())
                .isEqualTo(KillLoopWriter.VOLUME_FAILED);
        volumeFailures++;
        // It may fail where all servers were killed at once; not every time.
        assertThat(volumeFailures)
                .as("failures of the volume; the writer's log: " + writerLog())
                .isLessThan(50);
        startWriter(running);
    }

    private void killWriter() throws InterruptedException {
        if (writer != null) {
            writer.destroyForcibly().waitFor();
            assertThat(writer.exitValue())
                    .as("the writer was killed, or the volume failed; its log: " + writerLog())
                    .isIn(128 + 9, KillLoopWriter.VOLUME_FAILED);
        }
    }

    private String writerLog() {
        try {
            return Files.readString(directory.resolve("writer.log"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
