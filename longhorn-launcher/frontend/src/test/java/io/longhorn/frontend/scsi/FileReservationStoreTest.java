package io.longhorn.frontend.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileReservationStoreTest {

    private static final String NAME = "iqn.2026-01.io.longhorn:disk";

    @TempDir
    Path directory;

    private FileReservationStore store;

    @BeforeEach
    void open() {
        store = new FileReservationStore(directory.resolve("reservations"));
    }

    @Test
    void whatIsSavedIsLoadedUntilItIsReplaced() throws IOException {
        assertThat(store.load(NAME)).isEmpty();
        assertThat(store.save(NAME, 0, new byte[] {1})).isTrue();
        assertThat(store.save(NAME, 1, new byte[] {2, 3})).isTrue();
        ReservationStore.Kept kept = new FileReservationStore(directory.resolve("reservations")).load(NAME).orElseThrow();
        assertThat(kept.version()).isEqualTo(2);
        assertThat(kept.content()).containsExactly(2, 3);
        try (Stream<Path> files = Files.list(directory.resolve("reservations"))) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void anOldVersionReplacesNothing() throws IOException {
        store.save(NAME, 0, new byte[] {1});
        assertThat(store.save(NAME, 0, new byte[] {9})).isFalse();
        assertThat(store.save(NAME, 2, new byte[] {9})).isFalse();
        assertThat(store.load(NAME).orElseThrow().content()).containsExactly(1);
    }

    @Test
    void ofManyWhoReplaceOneVersionOneDoes() throws IOException {
        for (int round = 0; round < 20; round++) {
            int version = round;
            List<CompletableFuture<Boolean>> saves = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                saves.add(CompletableFuture.supplyAsync(() -> {
                    try {
                        return new FileReservationStore(directory.resolve("reservations")).save(NAME, version, new byte[1]);
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                }));
            }
            assertThat(saves.stream().filter(CompletableFuture::join)).as("round %d", round).hasSize(1);
        }
    }

    @Test
    void targetsDoNotMeet() throws IOException {
        List<String> names = List.of("iqn.a", "iqn.A", "iqn.a.reservations.1", "..", "iqn:a/b", "iqn_3aa_2fb", ".hidden");
        for (String name : names) {
            assertThat(store.save(name, 0, name.getBytes(StandardCharsets.UTF_8))).as(name).isTrue();
        }
        for (String name : names) {
            assertThat(new String(store.load(name).orElseThrow().content(), StandardCharsets.UTF_8)).isEqualTo(name);
        }
        try (Stream<Path> files = Files.list(directory.resolve("reservations"))) {
            assertThat(files).hasSize(names.size());
        }
    }

    @Test
    void aFileThatIsTooLongIsNotRead() throws IOException {
        store.save(NAME, 0, new byte[1]);
        Path file;
        try (Stream<Path> files = Files.list(directory.resolve("reservations"))) {
            file = files.findFirst().orElseThrow();
        }
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(1L << 32);
        }
        assertThatThrownBy(() -> store.load(NAME)).isInstanceOf(IOException.class);
    }
}
