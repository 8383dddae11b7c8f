package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupNotFoundException;
import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import io.longhorn.ProgressListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Verification of stores whose documents and blocks are made by hand. */
class BackupVerificationTest {
    private static final String VOLUME = "orders";
    private static final int BLOCK = BackupConfig.BLOCK_BYTES_DEFAULT;

    private final TurnedTime time = new TurnedTime();
    private final MemoryStore memory = new MemoryStore(time);
    private final WatchedStore objects = new WatchedStore(memory);
    private final BackupStore store = BackupStore.on(objects, time);

    private static ByteBuffer block(int number) {
        return ByteBuffer.allocate(BLOCK).putInt(0, number);
    }

    private static String keyOf(int number) {
        return StoreLayout.block(VOLUME, BlockChecksum.of(block(number)));
    }

    /** A backup whose blocks are called by numbers; they are written where they are missing. */
    private void backUp(String name, int... numbers) throws IOException {
        List<BlockReference> blocks = new ArrayList<>();
        for (int number : numbers) {
            blocks.add(new BlockReference(blocks.size() * (long) BLOCK, BlockChecksum.of(block(number))));
            if (memory.find(keyOf(number)).isEmpty()) {
                memory.write(keyOf(number), Compression.LZ4.compress(block(number)));
            }
        }
        memory.write(
                StoreLayout.backupConfig(VOLUME, name),
                ConfigJson.document(new BackupConfig(
                        name,
                        VOLUME,
                        "one",
                        "2026-01-01T00:00:00Z",
                        "2026-01-01T00:00:01Z",
                        blocks.size() * (long) BLOCK,
                        Map.of(),
                        Map.of(),
                        false,
                        "lz4",
                        0,
                        0,
                        blocks)));
        memory.write(
                StoreLayout.volumeConfig(VOLUME),
                ConfigJson.document(new VolumeConfig(
                        VOLUME, 64L * BLOCK, Map.of(), "2026-01-01T00:00:00Z", "", "", 0, "", "", "lz4", "", "")));
    }

    private BackupVerification verified() {
        return new BackupVerification(store).all(ProgressListener.none());
    }

    @Test
    void eachBlockIsReadOnceAndDamageNamesAllWhoNeedIt() throws IOException {
        backUp("backup-1", 1, 2, 3, 2);
        backUp("backup-2", 1, 4, 3);
        backUp("backup-3", 5);
        memory.delete(List.of(keyOf(3)));
        memory.write(keyOf(4), Compression.LZ4.compress(block(99)));
        AtomicInteger reads = new AtomicInteger();
        objects.reading = key -> reads.addAndGet(key.endsWith(".blk") ? 1 : 0);

        BackupVerification verification = verified();

        assertThat(reads.get()).isEqualTo(5);
        assertThat(verification.blocks()).isEqualTo(3);
        assertThat(verification.backups()).isEqualTo(3);
        assertThat(verification.damages())
                .extracting(BackupVerification.Damage::key, BackupVerification.Damage::backups)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple(keyOf(3), List.of("backup-1", "backup-2")),
                        org.assertj.core.groups.Tuple.tuple(keyOf(4), List.of("backup-2")));
        assertThat(verification.damages())
                .filteredOn(damage -> damage.key().equals(keyOf(3)))
                .singleElement()
                .satisfies(damage -> assertThat(damage.toString()).contains("it is missing", "backup-1, backup-2"));
    }

    @Test
    void verificationOfOneReadsItsBlocksAndNamesOthersToo() throws IOException {
        backUp("backup-1", 1, 2);
        backUp("backup-2", 2, 3);
        memory.delete(List.of(keyOf(2), keyOf(3)));

        BackupVerification verification =
                new BackupVerification(store).one(VOLUME, "backup-1", ProgressListener.none());

        assertThat(verification.damages()).singleElement().satisfies(damage -> {
            assertThat(damage.key()).isEqualTo(keyOf(2));
            assertThat(damage.backups()).containsExactly("backup-1", "backup-2");
        });
        assertThatThrownBy(() -> new BackupVerification(store).one(VOLUME, "backup-9", ProgressListener.none()))
                .isInstanceOf(BackupNotFoundException.class);
    }

    @Test
    void progressIsToldAtTheEndAndNeverGoesBack() throws IOException {
        backUp("backup-1", 1, 2);
        backUp("backup-2", 2, 3);
        List<Long> done = new ArrayList<>();
        new BackupVerification(store).all((doneBytes, totalBytes) -> {
            assertThat(totalBytes).isEqualTo(3L * BLOCK);
            done.add(doneBytes);
        });
        assertThat(done).isSorted().endsWith(3L * BLOCK);
    }

    @Test
    void nobodyDeletesBackupsThatAreBeingRead() throws Exception {
        backUp("backup-1", 1, 2, 3);
        AtomicReference<Throwable> refused = new AtomicReference<>();
        AtomicInteger reads = new AtomicInteger();
        objects.reading = key -> {
            if (key.endsWith(".blk") && reads.getAndIncrement() == 0) {
                // Later than the verification, by the clock of the objects.
                time.pass(Duration.ofMillis(1));
                try {
                    store.delete(VOLUME, "backup-1");
                } catch (Exception e) {
                    refused.set(e);
                }
            }
        };

        assertThat(verified().damages()).isEmpty();

        assertThat(refused.get()).isInstanceOf(BackupTargetBusyException.class);
        assertThat(objects.names(StoreLayout.locks(VOLUME))).isEmpty();
        store.delete(VOLUME, "backup-1");
    }

    @Test
    void withoutTheLockItGoesOnAndWhatIsDeletedWithItsBackupIsNoDamage() throws Exception {
        backUp("backup-1", 1, 2, 3);
        backUp("backup-2", 3, 4);
        memory.delete(List.of(keyOf(4)));
        objects.writing = key -> {
            throw new IOException("read only");
        };
        AtomicInteger reads = new AtomicInteger();
        objects.reading = key -> {
            if (key.endsWith(".blk") && reads.getAndIncrement() == 0) {
                memory.delete(List.of(StoreLayout.backupConfig(VOLUME, "backup-1"), keyOf(1), keyOf(2)));
            }
        };

        BackupVerification verification = verified();

        assertThat(verification.damages()).singleElement().satisfies(damage -> {
            assertThat(damage.key()).isEqualTo(keyOf(4));
            assertThat(damage.backups()).containsExactly("backup-2");
        });
    }

    @Test
    void aDeletionThatRunsDoesNotHinder() throws Exception {
        backUp("backup-1", 1, 2);
        try (StoreLock deletion = StoreLock.acquire(memory, VOLUME, StoreLock.Kind.DELETION, time)) {
            time.pass(StoreLock.SETTLING);
            assertThat(verified().blocks()).as("beside " + deletion.name()).isEqualTo(2);
        }
    }

    @Test
    void aBlockThatCannotBeReadIsDamagedAndATargetThatIsGoneIsNot() throws IOException {
        int[] numbers = java.util.stream.IntStream.range(0, 64).toArray();
        backUp("backup-1", numbers);
        String sick = keyOf(7);
        objects.reading = key -> {
            if (key.equals(sick)) {
                throw new IOException("a sector cannot be read");
            }
        };
        assertThat(verified().damages()).singleElement().satisfies(damage -> {
            assertThat(damage.key()).isEqualTo(sick);
            assertThat(damage.reason()).contains("sector");
        });

        objects.reading = key -> {
            if (key.endsWith(".blk")) {
                throw new IOException("no route");
            }
        };
        assertThatThrownBy(this::verified)
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("no route");
        assertThat(objects.names(StoreLayout.locks(VOLUME))).isEmpty();
    }

    @Test
    void anInterruptEndsIt() throws Exception {
        backUp("backup-1", 1, 2, 3, 4, 5, 6);
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        objects.reading = key -> {
            if (key.endsWith(".blk")) {
                reading.countDown();
                try {
                    never.await();
                } catch (InterruptedException e) {
                    throw new java.io.InterruptedIOException("interrupted");
                }
            }
        };
        AtomicReference<Throwable> end = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                verified();
            } catch (CancellationException e) {
                end.set(Thread.currentThread().isInterrupted() ? e : null);
            }
        });
        thread.start();
        reading.await();
        thread.interrupt();
        thread.join();
        assertThat(end.get()).isInstanceOf(CancellationException.class);
        assertThat(objects.names(StoreLayout.locks(VOLUME))).isEmpty();
    }
}
