package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupTargetBusyException;
import io.longhorn.BackupTargetException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class StoreLockTest {
    private static final String VOLUME = "orders";

    private final TurnedTime time = new TurnedTime();
    private final MemoryStore objects = new MemoryStore(time);

    private StoreLock acquire(StoreLock.Kind kind) throws IOException, InterruptedException {
        return StoreLock.acquire(objects, VOLUME, kind, time);
    }

    private List<String> files() {
        return objects.names(StoreLayout.locks(VOLUME));
    }

    private String document(String name) throws IOException {
        return StandardCharsets.UTF_8
                .decode(objects.read(StoreLayout.lock(VOLUME, name), 1000).orElseThrow())
                .toString();
    }

    /** A lock of Longhorn's. */
    private void write(String name, int kind, boolean acquired) throws IOException {
        String document = "{\"Name\":\"" + name + "\",\"Type\":" + kind + ",\"Acquired\":" + acquired + "}";
        objects.write(StoreLayout.lock(VOLUME, name), ByteBuffer.wrap(document.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void whoAcquiresWritesTwiceAndWaitsBetween() throws Exception {
        long before = time.nanoTime();
        StoreLock lock = acquire(StoreLock.Kind.BACKUP_OR_RESTORE);
        assertThat(time.nanoTime() - before).isEqualTo(Duration.ofSeconds(2).toNanos());
        assertThat(lock.name()).matches("lock-[0-9a-f]{16}");
        assertThat(document(lock.name())).isEqualTo("{\"Name\":\"" + lock.name() + "\",\"Type\":1,\"Acquired\":true}");
        lock.close();
        lock.close();
        assertThat(files()).isEmpty();
    }

    @Test
    void locksOfOneKindGoTogether() throws Exception {
        try (StoreLock one = acquire(StoreLock.Kind.BACKUP_OR_RESTORE);
                StoreLock other = acquire(StoreLock.Kind.BACKUP_OR_RESTORE)) {
            assertThat(files()).hasSize(2);
            one.keep();
            other.keep();
        }
    }

    @Test
    void oneOfTheOtherKindIsRefusedAndLeavesNothing() throws Exception {
        try (StoreLock held = acquire(StoreLock.Kind.BACKUP_OR_RESTORE)) {
            assertThatThrownBy(() -> acquire(StoreLock.Kind.DELETION))
                    .isInstanceOfSatisfying(BackupTargetBusyException.class, e -> {
                        assertThat(e.lock()).isEqualTo(held.name());
                        assertThat(e.volume()).isEqualTo(VOLUME);
                        assertThat(e.target()).isEqualTo("memory");
                    });
            assertThat(files()).containsExactly(held.name() + ".lck");
        }
        acquire(StoreLock.Kind.DELETION).close();
    }

    @Test
    void aLockThatIsKeptOutlivesItsExpiryAndOneThatIsNotDoesNot() throws Exception {
        StoreLock held = acquire(StoreLock.Kind.BACKUP_OR_RESTORE);
        for (int i = 0; i < 10; i++) {
            time.pass(Duration.ofSeconds(65));
            held.keep();
        }
        assertThatThrownBy(() -> acquire(StoreLock.Kind.DELETION)).isInstanceOf(BackupTargetBusyException.class);

        time.pass(Duration.ofSeconds(150));
        acquire(StoreLock.Kind.DELETION).close();
        assertThatThrownBy(held::keep)
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining(held.name())
                .hasMessageContaining("lost");
        held.close();
    }

    @Test
    void whoCannotWriteGoesOnUntilTheLockMayExpire() throws Exception {
        StoreLock held = acquire(StoreLock.Kind.BACKUP_OR_RESTORE);
        objects.failing = true;
        time.pass(Duration.ofSeconds(80));
        assertThatCode(held::keep).doesNotThrowAnyException();
        time.pass(Duration.ofSeconds(20));
        assertThatThrownBy(held::keep).isInstanceOf(BackupTargetException.class).hasCauseInstanceOf(IOException.class);
        held.close();
        assertThat(files()).as("stays until it expires").hasSize(1);
    }

    @Test
    void ofTwoThatWriteAtOnceTheFirstWins() throws Exception {
        time.whileAsleep = () -> {
            // Written within the other's two seconds, and later.
            assertThatCode(() -> write("lock-0000000000000000", 2, false)).doesNotThrowAnyException();
        };
        acquire(StoreLock.Kind.BACKUP_OR_RESTORE).close();

        write("lock-ffffffffffffffff", 2, false);
        time.pass(Duration.ofMillis(1));
        assertThatThrownBy(() -> acquire(StoreLock.Kind.BACKUP_OR_RESTORE))
                .as("Longhorn's was first, acquired or not")
                .isInstanceOf(BackupTargetBusyException.class);
    }

    @Test
    void anAcquiredOneComesBeforeAnOlderThatIsNot() throws Exception {
        time.whileAsleep = () ->
                assertThatCode(() -> write("lock-0000000000000000", 2, true)).doesNotThrowAnyException();
        assertThatThrownBy(() -> acquire(StoreLock.Kind.BACKUP_OR_RESTORE))
                .isInstanceOf(BackupTargetBusyException.class);
    }

    @Test
    void whatCannotBeUnderstoodStandsInTheWayUntilItExpires() throws Exception {
        objects.write(StoreLayout.lock(VOLUME, "lock-1"), ByteBuffer.wrap(new byte[] {'{'}));
        assertThatThrownBy(() -> acquire(StoreLock.Kind.DELETION))
                .isInstanceOf(BackupTargetBusyException.class)
                .hasMessageContaining("lock-1");
        time.pass(Duration.ofSeconds(151));
        acquire(StoreLock.Kind.DELETION).close();
    }

    @Test
    void anInterruptionLeavesNothing() {
        time.whileAsleep = () -> Thread.currentThread().interrupt();
        assertThatThrownBy(() -> acquire(StoreLock.Kind.DELETION)).isInstanceOf(InterruptedException.class);
        assertThat(files()).isEmpty();
    }

    private StoreLock acquire(LaggingStore late, StoreLock.Kind kind) throws IOException, InterruptedException {
        return StoreLock.acquire(late, VOLUME, kind, time);
    }

    @Test
    void aLockIsAcquiredWhenTheListingShowsIt() throws Exception {
        LaggingStore late = new LaggingStore(objects, time, Duration.ofSeconds(5));
        long before = time.nanoTime();
        try (StoreLock held = acquire(late, StoreLock.Kind.BACKUP_OR_RESTORE)) {
            assertThat(time.nanoTime() - before).isEqualTo(Duration.ofSeconds(6).toNanos());
            assertThatThrownBy(() -> acquire(late, StoreLock.Kind.DELETION))
                    .isInstanceOf(BackupTargetBusyException.class)
                    .hasMessageContaining(held.name());
            acquire(late, StoreLock.Kind.BACKUP_OR_RESTORE).close();
        }
        acquire(late, StoreLock.Kind.DELETION).close();
    }

    @Test
    void whoIsSecondWaitsUntilItSeesTheFirstHoweverLateListingsAre() throws Exception {
        LaggingStore late = new LaggingStore(objects, time, Duration.ofSeconds(20));
        try (StoreLock first = StoreLock.announce(late, VOLUME, StoreLock.Kind.BACKUP_OR_RESTORE, time)) {
            time.pass(Duration.ofSeconds(1));
            assertThat(first.settle()).isFalse();
            assertThatThrownBy(() -> acquire(late, StoreLock.Kind.DELETION))
                    .isInstanceOf(BackupTargetBusyException.class)
                    .hasMessageContaining(first.name());
            assertThat(first.settle()).isTrue();
        }
    }

    @Test
    void aListingThatDoesNotShowALockInHalfAMinuteIsSaidAndNothingIsLeft() {
        LaggingStore late = new LaggingStore(objects, time, Duration.ofHours(1));
        assertThatThrownBy(() -> acquire(late, StoreLock.Kind.DELETION))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("was written 30 s ago and is in no listing of")
                .hasMessageContaining("try again");
        assertThat(files()).isEmpty();
    }

    @Test
    void whoseLockIsRemovedDoesNotGoOn() {
        time.whileAsleep =
                () -> assertThatCode(() -> objects.delete(List.of(StoreLayout.locks(VOLUME) + "/" + files().get(0))))
                        .doesNotThrowAnyException();
        assertThatThrownBy(() -> acquire(StoreLock.Kind.DELETION))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is not there any more");
    }
}
