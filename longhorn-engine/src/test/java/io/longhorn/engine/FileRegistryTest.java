package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.DamagedFileException;
import io.longhorn.FileTooNewException;
import io.longhorn.ForeignFileException;
import io.longhorn.LonghornException;
import io.longhorn.RegistryUnavailableException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileRegistryTest {
    private static final HostIdentity HERE = new HostIdentity("host", "boot");

    @TempDir
    Path directory;

    private FileRegistry registry;

    @BeforeEach
    void open() {
        registry = FileRegistry.open(directory.resolve("registry"), HERE);
    }

    @AfterEach
    void close() {
        registry.close();
    }

    private static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof LonghornException ours) {
                throw ours;
            }
            throw e;
        }
    }

    private static VolumeRecord record(String name, long version) {
        return RegistryRacer.record(name, version, version);
    }

    private boolean swap(VolumeRecord next) {
        return get(registry.compareAndSet(next)).swapped();
    }

    private Path file(String name, long number) {
        return directory.resolve("registry/volumes").resolve(name).resolve("record." + number);
    }

    @Test
    void aRecordChangesOnlyFromTheVersionBefore() {
        assertThat(get(registry.read("orders"))).isEmpty();
        assertThat(swap(record("orders", 2))).isFalse();
        assertThat(swap(record("orders", 1))).isTrue();
        assertThat(swap(record("orders", 1))).isFalse();
        assertThat(get(registry.compareAndSet(record("orders", 3))).current()).contains(record("orders", 1));
        assertThat(swap(record("orders", 2))).isTrue();
        assertThat(get(registry.read("orders"))).contains(record("orders", 2));
        assertThat(get(registry.list())).containsExactly("orders");
    }

    @Test
    void everythingIsThereInAnotherProcessLater() {
        VolumeRecord full =
                record("orders", 1).withHolder(new LeaseHolder(3, new UUID(4, 5), 6, "host 7=8", "boot\n9", true));
        assertThat(swap(full.withView(List.of()))).isFalse();
        VolumeRecord first = record("orders", 1);
        assertThat(swap(first)).isTrue();
        VolumeRecord second = first.withHolder(new LeaseHolder(3, new UUID(4, 5), 6, "host 7=8", "boot\n9", true));
        assertThat(swap(second)).isTrue();

        try (FileRegistry other = FileRegistry.open(directory.resolve("registry"), HERE)) {
            assertThat(get(other.read("orders"))).contains(second);
            assertThat(other.clusterId()).isEqualTo(registry.clusterId());
        }
    }

    @Test
    void aNameCanBeUsedAgainAndAnOldChangeDoesNotComeBack() throws IOException {
        assertThat(swap(record("orders", 1))).isTrue();
        assertThat(get(registry.remove("orders", 2)).swapped()).isFalse();
        assertThat(get(registry.remove("orders", 1)).swapped()).isTrue();
        assertThat(get(registry.read("orders"))).isEmpty();
        assertThat(get(registry.list())).isEmpty();
        assertThat(get(registry.remove("orders", 1)).swapped()).isFalse();

        assertThat(swap(record("orders", 1))).isTrue();
        assertThat(get(registry.list())).containsExactly("orders");
        assertThat(file("orders", 3)).exists();
        for (long version = 2; version <= 40; version++) {
            assertThat(swap(record("orders", version))).isTrue();
        }
        try (Stream<Path> files = Files.list(file("orders", 1).getParent())) {
            assertThat(files.map(f -> f.getFileName().toString()))
                    .hasSize(FileRegistry.FILES_KEPT)
                    .contains("record.42")
                    .doesNotContain("record." + (42 - FileRegistry.FILES_KEPT));
        }
    }

    /** Found by chance: a change that the next one was made upon already was called refused. */
    @Test
    void changeStandsAlthoughTheNextOneIsThereAlready() throws IOException {
        assertThat(swap(record("orders", 1))).isTrue();
        Files.copy(file("orders", 1), file("orders", 3));

        assertThat(FileRegistry.changed(file("orders", 1).getParent(), 2, new byte[0]))
                .isTrue();

        assertThat(file("orders", 2)).exists();
    }

    @Test
    void changeThatOthersLeftFarBehindIsOfUnknownOutcome() throws IOException {
        assertThat(swap(record("orders", 1))).isTrue();
        Files.copy(file("orders", 1), file("orders", 2 + FileRegistry.FILES_KEPT));

        assertThatThrownBy(() -> FileRegistry.changed(file("orders", 1).getParent(), 2, new byte[0]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not known");
    }

    @Test
    void ofManyProcessesOneMakesEachChange() throws Exception {
        assertThat(swap(record("race", 1))).isTrue();

        long made = race("count", 60).stream().mapToLong(Long::longValue).sum();

        VolumeRecord last = get(registry.read("race")).orElseThrow();
        assertThat(last.version()).isEqualTo(made + 1);
        assertThat(last.epoch()).isEqualTo(made + 1);
        assertThat(made).isPositive();
    }

    @Test
    void manyProcessesCreateAndRemoveOneAfterAnother() throws Exception {
        long created = race("toggle", 60).stream().mapToLong(Long::longValue).sum();

        long files = newestNumber();
        boolean present = get(registry.read("race")).isPresent();
        assertThat(files).isEqualTo(2 * created - (present ? 1 : 0));
    }

    private long newestNumber() throws IOException {
        try (Stream<Path> files = Files.list(file("race", 1).getParent())) {
            return files.map(f -> f.getFileName().toString())
                    .filter(name -> name.startsWith("record."))
                    .mapToLong(name -> Long.parseLong(name.substring("record.".length())))
                    .max()
                    .orElse(0);
        }
    }

    private List<Long> race(String what, int rounds) throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            RegistryRacer.class.getName(),
                            directory.resolve("registry").toString(),
                            what,
                            String.valueOf(rounds))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
        }
        List<Long> made = new ArrayList<>();
        for (Process process : processes) {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).isZero();
            made.add(Long.parseLong(said.trim()));
        }
        return made;
    }

    @Test
    void anEngineIsDeadWhenItsProcessOrItsBootIs() {
        UUID engine = UUID.randomUUID();
        LeaseHolder here = new LeaseHolder(1, engine, 1, "host", "boot", false);
        Registry.Liveness life = get(registry.announce(engine));

        assertThat(get(registry.provedDead(here))).isFalse();
        try (FileRegistry other = FileRegistry.open(directory.resolve("registry/../registry"), HERE)) {
            assertThat(get(other.provedDead(here))).isFalse();
        }
        assertThat(get(registry.provedDead(new LeaseHolder(1, engine, 1, "host", "earlier boot", false))))
                .isTrue();
        assertThat(get(registry.provedDead(new LeaseHolder(1, engine, 1, "other host", "boot", false))))
                .isFalse();
        life.close();
        assertThat(get(registry.provedDead(here))).isTrue();
    }

    private void assertRefused(byte[] content, Class<? extends LonghornException> reason, String hint)
            throws IOException {
        Files.write(file("orders", 1), content);
        assertThatThrownBy(() -> get(registry.read("orders")))
                .isInstanceOf(reason)
                .hasMessageContaining(file("orders", 1).toRealPath().toString())
                .hasMessageContaining(hint);
        assertThat(get(registry.list())).containsExactly("orders");
    }

    @Test
    void damageIsNamed() throws IOException {
        assertThat(swap(record("orders", 1))).isTrue();
        byte[] good = Files.readAllBytes(file("orders", 1));
        String text = new String(good, StandardCharsets.UTF_8);

        assertRefused(new byte[0], ForeignFileException.class, "");
        assertRefused("[volume]\n".getBytes(StandardCharsets.UTF_8), ForeignFileException.class, "record");
        assertRefused(Arrays.copyOf(good, good.length / 2), DamagedFileException.class, "checksum");
        assertRefused(
                text.replace("size=1048576", "size=2097152").getBytes(StandardCharsets.UTF_8),
                DamagedFileException.class,
                "checksum");
        byte[] flipped = good.clone();
        flipped[good.length / 3] ^= 4;
        assertRefused(flipped, DamagedFileException.class, "");
        assertRefused(
                text.replace("record 1\n", "record 3\n").getBytes(StandardCharsets.UTF_8),
                FileTooNewException.class,
                "3");
        assertRefused(
                text.replace("record 1\n", "record one\n").getBytes(StandardCharsets.UTF_8),
                DamagedFileException.class,
                "one");
        Files.write(file("orders", 1), good);
        assertThat(get(registry.read("orders"))).contains(record("orders", 1));
    }

    @Test
    void closingWaitsForWhatWasAskedFor() {
        FileRegistry own = FileRegistry.open(directory.resolve("own"), HERE);
        Path lock = directory.resolve("own/engines/" + new UUID(7, 7) + ".lock");
        Registry.Liveness alive = get(own.announce(new UUID(7, 7)));
        assertThat(lock).exists();
        alive.close();
        own.close();
        assertThat(lock).doesNotExist();
    }

    @Test
    void aRecordReadsAsTheDocumentShowsIt() throws IOException {
        VolumeRecord record = RegistryRacer.record("orders", 2, 3)
                .withHolder(new LeaseHolder(3, new UUID(4, 5), 3_000_000_000L, "host 7", "boot", true));
        assertGolden("volume-record.txt", record);
        assertGolden(
                "volume-record-filling.txt",
                record.filledFrom(Optional.of("restore:file:///b/?backup=backup-1&volume=orders")));
    }

    private static void assertGolden(String name, VolumeRecord expected) throws IOException {
        try (var golden = FileRegistryTest.class.getResourceAsStream("/golden/" + name)) {
            byte[] bytes = golden.readAllBytes();
            assertThat(VolumeRecordText.decode(bytes, Path.of("golden"))).isEqualTo(expected);
            assertThat(new String(VolumeRecordText.encode(expected), StandardCharsets.UTF_8))
                    .isEqualTo(new String(bytes, StandardCharsets.UTF_8));
        }
    }

    @Test
    void aDirectoryThatCannotBeUsedIsNamed() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "");
        assertThatThrownBy(() -> FileRegistry.open(file, HERE))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessageContaining(file.toString());
        Path cluster = directory.resolve("registry/cluster");
        Files.writeString(cluster, "nonsense\n");
        assertThatThrownBy(() -> FileRegistry.open(directory.resolve("registry"), HERE))
                .isInstanceOf(DamagedFileException.class)
                .hasMessageContaining("cluster")
                .hasMessageContaining("nonsense");
    }

    @Test
    void theClusterIsMadeOnce() {
        Optional<FileRegistry> again = Optional.of(FileRegistry.open(directory.resolve("registry"), HERE));
        assertThat(again.get().clusterId()).isEqualTo(registry.clusterId());
        again.get().close();
    }
}
