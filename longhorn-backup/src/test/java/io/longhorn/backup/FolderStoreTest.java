package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderStoreTest extends ObjectStoreContract {

    @TempDir
    private Path directory;

    @Override
    protected ObjectStore open() {
        return new FolderStore(directory.resolve("not/made/yet"));
    }

    @Test
    void nothingIsMadeBeforeTheFirstWrite() throws IOException {
        try (FolderStore store = new FolderStore(directory.resolve("target"))) {
            assertThat(store.names("a")).isEmpty();
            assertThat(store.read("a/b", 1)).isEmpty();
            assertThat(store.describe()).isEqualTo(directory.resolve("target").toString());
        }
        assertThat(directory.resolve("target")).doesNotExist();
    }

    @Test
    void whatADeadWriterLeftIsInNoListing() throws IOException {
        try (FolderStore store = new FolderStore(directory)) {
            store.write("a/b", bytes("1"));
            Files.writeString(directory.resolve("a/b.tmp.1234"), "half");
            List<String> keys = new ArrayList<>();
            store.list("a", entry -> keys.add(entry.key()));
            assertThat(keys).containsExactly("a/b");
            assertThat(store.names("a")).containsExactly("b");
        }
    }

    @Test
    void aGroupThatIsClosedUnsettledLeavesNothing() throws IOException {
        try (FolderStore store = new FolderStore(directory)) {
            store.write("a/b", bytes("1"));
            try (WriteGroup group = store.group()) {
                group.write("a/b", bytes("2"));
                group.write("a/c", bytes("3"));
                assertThat(store.names("a")).containsExactly("b");
            }
            assertThat(store.read("a/b", 1)).contains(bytes("1"));
            try (Stream<Path> left = Files.list(directory.resolve("a"))) {
                assertThat(left).containsExactly(directory.resolve("a/b"));
            }
        }
    }

    @Test
    void aWriteThatFailsLeavesNothing() throws IOException {
        try (FolderStore store = new FolderStore(directory)) {
            store.write("a/b/c", bytes("1"));
            assertThatThrownBy(() -> store.write("a/b", bytes("2"))).isInstanceOf(IOException.class);
            assertThat(store.read("a/b/c", 1)).contains(bytes("1"));
            try (Stream<Path> left = Files.list(directory.resolve("a"))) {
                assertThat(left).containsExactly(directory.resolve("a/b"));
            }
        }
    }
}
