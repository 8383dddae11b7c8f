package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Backup;
import io.longhorn.BackupCompression;
import io.longhorn.BackupKeyException;
import io.longhorn.BackupKeyException.Problem;
import io.longhorn.BackupKeys;
import io.longhorn.BackupMode;
import io.longhorn.BackupSpec;
import io.longhorn.BackupTarget;
import io.longhorn.Longhorn;
import io.longhorn.ProgressListener;
import io.longhorn.Snapshot;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups of a real volume to encrypted stores in memory, looked at from outside. */
class StoreEncryptionTest {
    private static final int MIB = 1 << 20;
    private static final int BLOCK = BackupSpec.BLOCK_BYTES_SMALL;
    private static final URI SOMEWHERE = URI.create("file:///somewhere/");
    private static final String TEXT = "what nobody else shall read; ";

    @TempDir
    private Path directory;

    private final TurnedTime time = new TurnedTime();
    private final MemoryStore objects = new MemoryStore(time);
    private final BackupStore store = encrypted("key-1");
    private Longhorn longhorn;
    private Volume volume;

    @BeforeEach
    void createVolume() {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(
                VolumeSpec.named("orders").sizeBytes(8 * MIB).replicas(1).build());
    }

    @AfterEach
    void close() {
        longhorn.close();
    }

    /** Keys by their ids, the first of which is the current one; what a key is depends on its id alone. */
    private record Keys(List<String> ids) implements BackupKeys {
        @Override
        public String currentKeyId() {
            return ids.get(0);
        }

        @Override
        public Optional<byte[]> key(String keyId) {
            if (!ids.contains(keyId)) {
                return Optional.empty();
            }
            byte[] key = new byte[KEY_BYTES];
            new Random(keyId.hashCode()).nextBytes(key);
            return Optional.of(key);
        }
    }

    private BackupStore encrypted(String... keyIds) {
        return encrypted(new Keys(List.of(keyIds)));
    }

    private BackupStore encrypted(BackupKeys keys) {
        return BackupStore.on(objects, BackupTarget.at(SOMEWHERE).encryptedWith(keys), time);
    }

    private BackupStore plain() {
        return BackupStore.on(objects, time);
    }

    private void writeText(long offset, int bytes, String text) {
        volume.write(
                offset,
                ByteBuffer.wrap(text.repeat(bytes / text.length() + 1).getBytes(StandardCharsets.US_ASCII), 0, bytes));
    }

    private Backup backUp(BackupStore to, Snapshot snapshot) throws Exception {
        return backUp(to, snapshot, BackupSpec.defaults());
    }

    private Backup backUp(BackupStore to, Snapshot snapshot, BackupSpec spec) throws Exception {
        return new BackupRun(
                        to,
                        BackupTarget.at(SOMEWHERE),
                        snapshot,
                        spec,
                        spec.name().orElseGet(BackupSpec::randomName),
                        new Throttle(0),
                        new BackupProgress())
                .run();
    }

    private void assertRestores(BackupStore from, Backup backup, Snapshot snapshot) throws IOException {
        Path image = directory.resolve("image");
        new BackupExport(from, "orders", backup.name()).to(image, true, ProgressListener.none());
        ByteBuffer content = ByteBuffer.allocate((int) snapshot.sizeBytes());
        snapshot.read(0, content);
        assertThat(Files.readAllBytes(image)).isEqualTo(content.array());
    }

    private static List<BackupVerification.Damage> damages(BackupStore of) {
        return new BackupVerification(of).all(ProgressListener.none()).damages();
    }

    /** All objects as they are. */
    private Map<String, byte[]> raw() throws IOException {
        Map<String, byte[]> all = new TreeMap<>();
        List<String> keys = new ArrayList<>();
        objects.list(StoreLayout.ROOT, entry -> keys.add(entry.key()));
        for (String key : keys) {
            all.put(key, objects.read(key, 16 * MIB).orElseThrow().array());
        }
        return all;
    }

    // ------------------------------------------------------------------ what is seen from outside

    @Test
    void nothingOfTheContentIsInTheStoreNorAreNamesThatTellIt() throws Exception {
        writeText(0, BLOCK, TEXT);
        Snapshot snapshot = volume.snapshot("before-audit");
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        snapshot.read(0, block);
        Backup backup = backUp(
                store,
                snapshot,
                BackupSpec.builder()
                        .compression(BackupCompression.NONE)
                        .labels(Map.of("secret-label", "x"))
                        .build());

        String guessed = BlockChecksum.of(block.flip());
        String name = store.backup("orders", backup.name()).blocks().get(0).checksum();
        assertThat(name).isNotEqualTo(guessed).isEqualTo(store.checksum(block));
        Map<String, byte[]> raw = raw();
        assertThat(raw.keySet())
                .containsExactlyInAnyOrder(
                        StoreLayout.ENCRYPTION,
                        StoreLayout.volumeConfig("orders"),
                        StoreLayout.backupConfig("orders", backup.name()),
                        StoreLayout.block("orders", name));
        raw.forEach((key, bytes) -> assertThat(key + new String(bytes, StandardCharsets.ISO_8859_1))
                .as(key)
                .doesNotContain("what nobody else", "before-audit", "secret-label", name.substring(1) + "\"", guessed)
                .doesNotContain("BlockChecksum"));
        assertThat(raw.get(StoreLayout.block("orders", name))).hasSize(BLOCK + SealedObject.OVERHEAD);
        assertRestores(store, backup, snapshot);
    }

    @Test
    void anotherStoreWithTheSameKeyHasOtherNames() throws Exception {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        MemoryStore others = new MemoryStore(time);
        BackupStore other =
                BackupStore.on(others, BackupTarget.at(SOMEWHERE).encryptedWith(new Keys(List.of("key-1"))), time);
        assertThat(store.checksum(block))
                .isEqualTo(encrypted("key-1").checksum(block))
                .isNotEqualTo(other.checksum(block));
    }

    @Test
    void anyChangedByteIsFound() throws Exception {
        writeText(0, 3 * BLOCK, TEXT);
        Backup backup = backUp(store, volume.snapshot("one"));
        Map<String, byte[]> raw = raw();
        assertThat(raw).hasSizeGreaterThanOrEqualTo(4);
        BackupStore open = encrypted("key-1");
        for (Map.Entry<String, byte[]> object : raw.entrySet()) {
            String key = object.getKey();
            boolean isBlock = key.endsWith(".blk");
            for (int at = 0; at < object.getValue().length; at += isBlock && at > 200 ? 97 : 1) {
                byte[] changed = object.getValue().clone();
                changed[at] ^= 0x10;
                objects.write(key, ByteBuffer.wrap(changed));
                if (key.equals(StoreLayout.ENCRYPTION)) {
                    assertThatThrownBy(() -> encrypted("key-1").volume("orders"))
                            .as("byte %d of %s", at, key)
                            .isInstanceOf(io.longhorn.BackupException.class);
                } else {
                    assertThatThrownBy(() -> open.objects().read(key, 16 * MIB))
                            .as("byte %d of %s", at, key)
                            .isInstanceOf(DamagedObjectException.class);
                }
            }
            objects.write(key, ByteBuffer.wrap(object.getValue()));
        }
        assertThat(damages(open)).isEmpty();

        byte[] document = raw.get(StoreLayout.backupConfig("orders", backup.name()));
        document[60] ^= 1;
        objects.write(StoreLayout.backupConfig("orders", backup.name()), ByteBuffer.wrap(document));
        assertThat(damages(open))
                .singleElement()
                .satisfies(damage -> assertThat(damage.backups()).containsExactly(backup.name()));
    }

    @Test
    void objectsThatTookEachOthersPlaceAreFound() throws Exception {
        writeText(0, BLOCK, TEXT);
        writeText(BLOCK, BLOCK, "other text of the same length");
        Backup backup = backUp(store, volume.snapshot("one"));
        BlockList blocks = store.backup("orders", backup.name()).blocks();
        String first = StoreLayout.block("orders", blocks.get(0).checksum());
        String second = StoreLayout.block("orders", blocks.get(1).checksum());
        Map<String, byte[]> raw = raw();
        objects.write(first, ByteBuffer.wrap(raw.get(second)));
        objects.write(second, ByteBuffer.wrap(raw.get(first)));

        for (String key : List.of(first, second)) {
            assertThatThrownBy(() -> store.objects().read(key, 4 * MIB))
                    .isInstanceOf(DamagedObjectException.class)
                    .hasMessageContaining("key-1");
        }
        assertThat(damages(store)).hasSize(2);
    }

    @Test
    void aDamagedBlockIsWrittenAgainByTheNextBackup() throws Exception {
        writeText(0, 2 * BLOCK, TEXT);
        Backup first = backUp(store, volume.snapshot("one"));
        BlockList blocks = store.backup("orders", first.name()).blocks();
        for (int at : new int[] {0, 5, 8, 90, 500}) {
            String key = StoreLayout.block("orders", blocks.get(0).checksum());
            ByteBuffer bytes = objects.read(key, 4 * MIB).orElseThrow();
            bytes.put(at, (byte) (bytes.get(at) ^ 1));
            objects.write(key, bytes);
            assertThat(damages(store)).as("byte " + at).hasSize(1);
            volume.snapshots().forEach(Snapshot::delete);

            Backup next = backUp(store, volume.snapshot("next"));

            assertThat(store.backup("orders", next.name()).reuploadedBytes()).isPositive();
            assertThat(next.newBytes()).isZero();
            assertThat(damages(store)).isEmpty();
        }
    }

    @Test
    void aBlockOfTheRightLengthMayBeTrusted() throws Exception {
        writeText(0, BLOCK, TEXT);
        backUp(store, volume.snapshot("one"));
        volume.snapshots().forEach(Snapshot::delete);

        Backup second = backUp(
                store,
                volume.snapshot("two"),
                BackupSpec.builder().trustPresentBlocks(true).build());

        assertThat(store.backup("orders", second.name()).reuploadedBytes()).isZero();
    }

    // ------------------------------------------------------------------ keys that do not fit

    private static void assertRefused(ThrowingCallable call, Problem problem, String keyId, String word) {
        assertThatThrownBy(call).isInstanceOfSatisfying(BackupKeyException.class, e -> {
            assertThat(e.problem()).isEqualTo(problem);
            assertThat(e.keyId()).isEqualTo(keyId);
            assertThat(e.target()).isEqualTo("memory");
            assertThat(e).hasMessageContaining(word);
        });
    }

    @Test
    void keysThatDoNotFitAreToldApartAndNothingIsWritten() throws Exception {
        writeText(0, BLOCK, TEXT);
        Snapshot snapshot = volume.snapshot("one");
        backUp(store, snapshot);
        Map<String, byte[]> before = raw();

        BackupKeys wrong = BackupKeys.of("key-1", new byte[BackupKeys.KEY_BYTES]);
        BackupKeys tooShort = new BackupKeys() {
            @Override
            public String currentKeyId() {
                return "key-1";
            }

            @Override
            public Optional<byte[]> key(String keyId) {
                return Optional.of(new byte[16]);
            }
        };
        assertRefused(() -> plain().volumes(), Problem.KEYS_MISSING, "", "encryptedWith");
        assertRefused(() -> encrypted("key-2").volumes(), Problem.KEY_UNKNOWN, "key-2", "[key-1]");
        assertRefused(() -> encrypted(wrong).volumes(), Problem.KEY_WRONG, "key-1", "not the one");
        assertRefused(() -> encrypted(tooShort).volumes(), Problem.KEY_WRONG, "key-1", "16 bytes");
        for (BackupStore of : List.of(plain(), encrypted("key-2"), encrypted(wrong), encrypted(tooShort))) {
            assertThatThrownBy(() -> backUp(of, snapshot)).isInstanceOf(BackupKeyException.class);
            assertThatThrownBy(() -> of.delete("orders", "backup-1")).isInstanceOf(BackupKeyException.class);
        }
        assertThat(raw()).usingRecursiveComparison().isEqualTo(before);
    }

    @Test
    void aStoreThatIsNotEncryptedIsRefusedWithKeys() throws Exception {
        writeText(0, BLOCK, TEXT);
        Snapshot snapshot = volume.snapshot("one");
        backUp(plain(), snapshot);
        Map<String, byte[]> before = raw();

        assertRefused(() -> encrypted("key-1").volumes(), Problem.NOT_ENCRYPTED, "", "without keys");
        assertRefused(() -> backUp(encrypted("key-1"), snapshot), Problem.NOT_ENCRYPTED, "", "empty target");
        assertThat(raw()).usingRecursiveComparison().isEqualTo(before);
    }

    @Test
    void anEmptyStoreIsReadWithKeysAndStaysEmpty() throws Exception {
        assertThat(store.volumes()).isEmpty();
        assertThat(store.volume("orders")).isEmpty();
        assertThat(store.backups("orders")).isEmpty();
        assertThat(raw()).isEmpty();
    }

    @Test
    void whoFoundItEmptyReadsWhatSomebodyWritesMeanwhile() throws Exception {
        String key = StoreLayout.volumeConfig("orders");
        ByteBuffer content = ByteBuffer.wrap(new byte[] {1, 2, 3});
        WatchedStore watched = new WatchedStore(objects);
        watched.reading = read -> {
            if (read.equals(key)) {
                store.objects().write(key, content);
            }
        };
        BackupStore early =
                BackupStore.on(watched, BackupTarget.at(SOMEWHERE).encryptedWith(new Keys(List.of("key-1"))), time);

        assertThat(early.objects().read(key, MIB)).contains(content);

        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        assertThat(early.checksum(block)).isEqualTo(store.checksum(block));
    }

    @Test
    void keysWithoutTheirOwnCurrentOneAreRefused() {
        BackupKeys none = new BackupKeys() {
            @Override
            public String currentKeyId() {
                return "key-9";
            }

            @Override
            public Optional<byte[]> key(String keyId) {
                return Optional.empty();
            }
        };
        assertRefused(() -> backUp(encrypted(none), volume.snapshot("one")), Problem.KEY_UNKNOWN, "key-9", "current");
    }

    @Test
    void anIdThatDoesNotFitIntoAHeaderIsRefused() {
        for (String id : List.of("", "k", "key 1", "k".repeat(64))) {
            assertThatThrownBy(() -> encrypted(id))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'" + id + "'");
        }
    }

    // ------------------------------------------------------------------ another key

    @Test
    void afterTheKeyIsChangedNamesStayAndBothAreRead() throws Exception {
        writeText(0, 2 * BLOCK, TEXT);
        Snapshot one = volume.snapshot("one");
        Backup first = backUp(store, one);
        writeText(0, 100, "new");
        Snapshot two = volume.snapshot("two");

        BackupStore changed = encrypted("key-2", "key-1");
        Backup second =
                backUp(changed, two, BackupSpec.builder().name("backup-2").build());

        assertThat(changed.backup("orders", second.name()).blocks().get(1))
                .isEqualTo(changed.backup("orders", first.name()).blocks().get(1));
        assertThat(raw().keySet()).filteredOn(key -> key.endsWith(".blk")).hasSize(3);
        assertThat(damages(changed)).isEmpty();
        assertRestores(changed, first, one);
        assertRestores(changed, second, two);

        BackupStore newOnly = encrypted("key-2");
        assertThat(newOnly.backups("orders")).containsExactlyInAnyOrder(first.name(), second.name());
        assertRefused(() -> newOnly.backup("orders", first.name()), Problem.KEY_UNKNOWN, "key-1", "add it");
        assertRefused(() -> encrypted("key-1").backup("orders", second.name()), Problem.KEY_UNKNOWN, "key-2", "add it");

        Backup third = backUp(
                changed,
                two,
                BackupSpec.builder().name("backup-3").mode(BackupMode.FULL).build());
        changed.delete("orders", first.name());
        assertThat(new BackupExport(newOnly, "orders", third.name())
                        .to(directory.resolve("image"), true, ProgressListener.none()))
                .as("nothing needs the old key any more")
                .isEqualTo(two.sizeBytes());
    }

    // ------------------------------------------------------------------ two at once

    @Test
    void twoFirstWritersAgreeOnOneSecret() throws Exception {
        ByteBuffer block = ByteBuffer.allocate(BLOCK).put(0, (byte) 1);
        BackupStore second = encrypted("key-1");
        List<String> names = new ArrayList<>();
        time.whileAsleep = () -> names.add(second.checksum(block));

        names.add(store.checksum(block));

        assertThat(names).hasSize(2);
        assertThat(names.get(0))
                .isEqualTo(names.get(1))
                .isEqualTo(encrypted("key-1").checksum(block));
        assertThat(raw().keySet()).containsExactly(StoreLayout.ENCRYPTION);
    }

    @Test
    void whoWaitsTakesTheDocumentThatAppearsMeanwhile() throws Exception {
        ByteBuffer block = ByteBuffer.allocate(BLOCK).put(0, (byte) 1);
        BackupStore second = encrypted("key-1");
        List<String> names = new ArrayList<>();
        // Both have proposed; whose proposal it becomes, they agree.
        time.whileAsleep = () -> {
            time.whileAsleep = () -> write(StoreLayout.ENCRYPTION, claims().get(0));
            names.add(second.checksum(block));
        };
        names.add(store.checksum(block));
        assertThat(names.get(0))
                .isEqualTo(names.get(1))
                .isEqualTo(encrypted("key-1").checksum(block));
        assertThat(claims()).isEmpty();
    }

    private List<byte[]> claims() {
        try {
            List<byte[]> claims = new ArrayList<>();
            raw().forEach((key, bytes) -> {
                if (key.startsWith(StoreLayout.ENCRYPTION_CLAIMS + "/")) {
                    claims.add(bytes);
                }
            });
            return claims;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private void write(String key, byte[] bytes) {
        try {
            objects.write(key, ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void whatADeadWriterProposedDoesNotCount() throws Exception {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        time.whileAsleep = () -> objects.failing = true;
        assertThatThrownBy(() -> encrypted("key-0").checksum(block)).hasMessageContaining("told to fail");
        objects.failing = false;
        assertThat(claims()).hasSize(1);
        time.pass(Duration.ofMinutes(5));

        assertThat(store.checksum(block)).isEqualTo(encrypted("key-1").checksum(block));
        backUp(store, volume.snapshot("one"));
        assertThat(store.volumes()).containsExactly("orders");
    }

    @Test
    void aNewKeyThatIsOverwrittenByAnotherOneIsNotedAgain() throws Exception {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        String name = store.checksum(block);
        byte[] before = raw().get(StoreLayout.ENCRYPTION);
        BackupStore changed = encrypted("key-2", "key-1");
        time.whileAsleep = () -> write(StoreLayout.ENCRYPTION, before);

        backUp(changed, volume.snapshot("one"));

        assertThat(encrypted("key-2").checksum(block)).isEqualTo(name);
    }
}
