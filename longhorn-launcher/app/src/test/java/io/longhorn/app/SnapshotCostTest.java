package io.longhorn.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.LonghornException;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What snapshots and returning replicas cost, with replica servers that are processes, counted in bytes and not in time. */
class SnapshotCostTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int BLOCK = Volume.BLOCK_BYTES;
    private static final int SNAPSHOTS = 250;
    /** So often in a row servers have to be found to have written nothing. */
    private static final int QUIET_LOOKS = 100;

    private static final int DEPTH = 32;

    @TempDir
    private Path directory;

    private ReplicaServers servers;
    private Longhorn longhorn;

    @BeforeEach
    void start() throws Exception {
        servers = ReplicaServers.start(directory, 3);
        LonghornConfig.Builder config =
                LonghornConfig.builder().registry(directory.resolve("registry")).readCacheBytes(0);
        servers.addresses().stream().map(HostPort::toString).forEach(config::replicaServer);
        longhorn = Longhorn.connect(config.build());
    }

    @AfterEach
    void stop() {
        longhorn.close();
        servers.close();
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void chainOfTwoHundredAndFiftySnapshotsIsWrittenReadListedAndThinnedOut() {
        int blocks = 64;
        Volume volume = create("chain", blocks);
        List<Snapshot> snapshots = new ArrayList<>();
        for (int number = 0; number < SNAPSHOTS; number++) {
            write(volume, number % blocks, number);
            write(volume, blocks - 1, number);
            snapshots.add(volume.snapshot(name(number)));
        }
        assertThat(volume.snapshots()).extracting(Snapshot::name).containsExactlyElementsOf(names(0, SNAPSHOTS));
        assertThatThrownBy(() -> volume.snapshot("one-too-many")).isInstanceOf(LonghornException.class);
        for (int number = 0; number < SNAPSHOTS; number++) {
            verify(snapshots.get(number), number, blocks);
        }

        for (int number = 50; number < 200; number++) {
            snapshots.get(number).delete();
        }
        List<String> left = names(0, 50);
        left.addAll(names(200, SNAPSHOTS));
        assertThat(volume.snapshots()).extracting(Snapshot::name).containsExactlyElementsOf(left);
        for (int number = 0; number < SNAPSHOTS; number++) {
            if (number < 50 || number >= 200) {
                verify(snapshots.get(number), number, blocks);
            }
        }
        write(volume, 0, 1000);
        volume.snapshot("one-more");
        volume.revertTo(snapshots.get(49));
        assertThat(read(volume, blocks - 1)).isEqualTo(content(49));
        assertThat(read(volume, 48)).isEqualTo(content(48));
        assertThat(read(volume, 50)).isEqualTo(ByteBuffer.allocate(BLOCK));
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void replicaThatWasAwayReceivesLittleMoreThanTheBlocksThatChanged() throws Exception {
        int blocks = 16384;
        int writes = 12000;
        Volume volume = create("away", blocks);
        fill(volume, blocks, 1);
        volume.flush();
        StringWriter story = new StringWriter();
        try (RebuildWatch watch =
                new RebuildWatch(volume, new Narrator(new Console(new PrintWriter(story), new PrintWriter(story))))) {
            servers.kill(1);
            watch.awaitLost(servers.address(1), LIMIT);
            BitSet changed = new BitSet(blocks);
            SplittableRandom random = new SplittableRandom(7);
            CompletableFuture<?>[] flights = new CompletableFuture<?>[DEPTH];
            for (int write = 0; write < writes; write++) {
                // Uneven, as real loads are: half of the writes go to a twentieth of the blocks.
                int block = random.nextInt(random.nextBoolean() ? blocks / 20 : blocks);
                changed.set(block);
                await(flights[write % DEPTH]);
                flights[write % DEPTH] =
                        volume.writeAsync((long) block * BLOCK, content(write)).toCompletableFuture();
            }
            for (CompletableFuture<?> flight : flights) {
                await(flight);
            }
            watch.clear();
            servers.restart(1);
            VolumeEvent.RebuildEnded ended = watch.awaitInSync(servers.address(1), LIMIT);

            long changedBytes = (long) changed.cardinality() * BLOCK;
            assertThat(ended.transferredBytes())
                    .as("%d writes to %d blocks", writes, changed.cardinality())
                    .isBetween(changedBytes, changedBytes * 13 / 10);
        }
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void makingAndDeletingASnapshotCopiesNothing() throws Exception {
        assumeTrue(Files.isReadable(Path.of("/proc/self/io")), "the kernel tells what processes write");
        int blocks = 8192;
        long dataBytes = (long) blocks * BLOCK;
        Volume volume = create("copied", blocks);
        fill(volume, blocks, 1);
        awaitInLayers(volume, dataBytes);

        long before = writtenBytes();
        Snapshot snapshot = volume.snapshot("first");
        assertThat(writtenBytes() - before).as("bytes written for a snapshot").isLessThan(dataBytes / 100);

        fill(volume, blocks, 2);
        awaitInLayers(volume, 2 * dataBytes);
        long used = volume.spaceUsage().actualBytes();
        before = writtenBytes();
        snapshot.delete();
        assertThat(Waiting.until(LIMIT, () -> volume.spaceUsage().actualBytes() <= used - dataBytes))
                .as("the snapshot's space comes back")
                .isTrue();
        assertThat(writtenBytes() - before)
                .as("bytes written to delete a snapshot of " + dataBytes)
                .isLessThan(3 * dataBytes / 20);
    }

    /** Until so much is in layers, and nothing waits in a journal any more, whose way to the layers would be counted too. */
    private void awaitInLayers(Volume volume, long layerBytes) throws Exception {
        assertThat(Waiting.until(LIMIT, () -> volume.spaceUsage().actualBytes() >= layerBytes))
                .isTrue();
        long[] last = {-1};
        int[] quiet = {0};
        assertThat(Waiting.until(LIMIT, () -> {
                    long now = writtenBytes();
                    quiet[0] = now == last[0] ? quiet[0] + 1 : 0;
                    last[0] = now;
                    return quiet[0] >= QUIET_LOOKS;
                }))
                .isTrue();
    }

    /** What all servers gave to the kernel to write since they started, to files and sockets. */
    private long writtenBytes() throws IOException {
        long bytes = 0;
        for (long pid : servers.pids()) {
            for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "io"))) {
                if (line.startsWith("wchar:")) {
                    bytes += Long.parseLong(line.substring("wchar:".length()).strip());
                }
            }
        }
        return bytes;
    }

    private Volume create(String name, int blocks) {
        return longhorn.create(
                VolumeSpec.named(name).sizeBytes((long) blocks * BLOCK).build());
    }

    private static void fill(Volume volume, int blocks, int version) {
        int chunk = 64;
        for (int block = 0; block < blocks; block += chunk) {
            ByteBuffer buffer = ByteBuffer.allocate(chunk * BLOCK);
            for (int i = 0; i < chunk; i++) {
                buffer.put(content(version * 1_000_000 + block + i));
            }
            volume.write((long) block * BLOCK, buffer.flip());
        }
    }

    private static void await(CompletableFuture<?> flight) throws Exception {
        if (flight != null) {
            flight.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private static void write(Volume volume, int block, int number) {
        volume.write((long) block * BLOCK, content(number));
    }

    private static ByteBuffer read(Volume volume, int block) {
        ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
        volume.read((long) block * BLOCK, buffer);
        return buffer.flip();
    }

    /** Each snapshot holds the writes up to its own number. */
    private static void verify(Snapshot snapshot, int number, int blocks) {
        assertThat(read(snapshot, blocks - 1)).isEqualTo(content(number));
        for (int at = number; at > number - 3 && at >= 0; at--) {
            if (at % blocks != blocks - 1) {
                assertThat(read(snapshot, at % blocks)).as(snapshot.name()).isEqualTo(content(at));
            }
        }
    }

    private static ByteBuffer read(Snapshot snapshot, int block) {
        ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
        snapshot.read((long) block * BLOCK, buffer);
        return buffer.flip();
    }

    private static String name(int number) {
        return "snapshot-" + number;
    }

    private static List<String> names(int from, int to) {
        List<String> names = new ArrayList<>();
        for (int number = from; number < to; number++) {
            names.add(name(number));
        }
        return names;
    }

    private static ByteBuffer content(int number) {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        while (block.hasRemaining()) {
            block.putLong((number + 1) * 0x9E3779B97F4A7C15L + block.position());
        }
        return block.flip();
    }
}
