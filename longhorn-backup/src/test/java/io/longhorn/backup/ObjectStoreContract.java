package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every object store does. */
public abstract class ObjectStoreContract {

    private ObjectStore store;

    /** A store without objects. */
    protected abstract ObjectStore open() throws IOException;

    @BeforeEach
    void start() throws IOException {
        store = open();
    }

    @AfterEach
    void stop() {
        store.close();
    }

    protected static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private List<String> listed(String folder) throws IOException {
        List<String> keys = new ArrayList<>();
        store.list(folder, entry -> keys.add(entry.key()));
        keys.sort(null);
        return keys;
    }

    @Test
    void whatWasWrittenIsRead() throws IOException {
        ByteBuffer content = bytes("xhellox").position(1).limit(6);
        store.write("a/b/c.cfg", content);
        assertThat(content.position()).isEqualTo(1);
        assertThat(store.read("a/b/c.cfg", 5)).contains(bytes("hello"));

        store.write("a/b/c.cfg", bytes("again"));
        assertThat(store.read("a/b/c.cfg", 100)).contains(bytes("again"));
        store.write("a/b/c.cfg", bytes(""));
        assertThat(store.read("a/b/c.cfg", 0)).contains(bytes(""));
    }

    @Test
    void whatAGroupWroteIsThereWhenItIsSettled() throws IOException {
        store.write("g/a/1", bytes("old"));
        ByteBuffer content = bytes("one");
        try (WriteGroup group = store.group()) {
            group.write("g/a/1", content);
            content.put(0, (byte) 'x');
            group.write("g/b/2", bytes("two"));
            group.settle();
            assertThat(store.read("g/a/1", 10)).contains(bytes("one"));
            assertThat(store.read("g/b/2", 10)).contains(bytes("two"));
            group.write("g/a/1", bytes("new"));
            group.settle();
        }
        assertThat(store.read("g/a/1", 10)).contains(bytes("new"));
        assertThat(listed("g")).containsExactly("g/a/1", "g/b/2");
    }

    @Test
    void whatIsNotThereIsEmpty() throws IOException {
        store.write("a/b", bytes("x"));
        assertThat(store.read("a/c", 10)).isEmpty();
        assertThat(store.read("z/c", 10)).isEmpty();
        assertThat(store.find("a/c")).isEmpty();
        assertThat(store.find("a")).isEmpty();
        assertThat(store.names("z")).isEmpty();
        assertThat(listed("z")).isEmpty();
    }

    @Test
    void largerThanExpectedIsRefused() throws IOException {
        store.write("a/b", bytes("four"));
        assertThatThrownBy(() -> store.read("a/b", 3))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("4 bytes")
                .hasMessageContaining("3");
    }

    @Test
    void sizeAndTimeAreTold() throws IOException {
        store.write("a/b", bytes("four"));
        ObjectStore.Entry found = store.find("a/b").orElseThrow();
        assertThat(found.key()).isEqualTo("a/b");
        assertThat(found.sizeBytes()).isEqualTo(4);
        assertThat(Duration.between(found.modifiedAt(), Instant.now()).abs()).isLessThan(Duration.ofMinutes(1));
    }

    @Test
    void listingGoesThroughAllFolders() throws IOException {
        store.write("v/1/a", bytes("1"));
        store.write("v/1/deep/er/b", bytes("2"));
        store.write("v/10/c", bytes("3"));
        assertThat(listed("v/1")).containsExactly("v/1/a", "v/1/deep/er/b");
        assertThat(listed("v")).containsExactly("v/1/a", "v/1/deep/er/b", "v/10/c");
    }

    @Test
    void namesAreThoseOfOneFolder() throws IOException {
        store.write("v/b", bytes("1"));
        store.write("v/a/deep/x", bytes("2"));
        store.write("va/c", bytes("3"));
        assertThat(store.names("v")).containsExactly("a/", "b");
    }

    @Test
    void whatWasDeletedIsGone() throws IOException {
        store.write("a/b", bytes("1"));
        store.write("a/c", bytes("2"));
        store.delete(List.of("a/b", "a/never", "z/never"));
        assertThat(store.read("a/b", 10)).isEmpty();
        assertThat(listed("a")).containsExactly("a/c");
    }

    @Test
    void keysOutsideTheStoreAreRefused() {
        for (String key : List.of("", "/a", "a/", "a//b", "../a", "a/../../b", "./a")) {
            assertThatThrownBy(() -> store.read(key, 1))
                    .as(key)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'" + key + "'");
        }
    }

    @Test
    void writersOfOneKeyLeaveOneOfTheirObjectsWhole() throws Exception {
        List<String> contents = List.of("1".repeat(100_000), "2".repeat(200_000), "3".repeat(50_000));
        ExecutorService threads = Executors.newFixedThreadPool(contents.size());
        try {
            CountDownLatch go = new CountDownLatch(1);
            List<Future<?>> writers = new ArrayList<>();
            for (String content : contents) {
                writers.add(threads.submit(() -> {
                    go.await();
                    for (int i = 0; i < 20; i++) {
                        store.write("a/b", bytes(content));
                        ByteBuffer found = store.read("a/b", 1 << 20).orElseThrow();
                        assertThat(StandardCharsets.UTF_8.decode(found).toString())
                                .isIn(contents);
                    }
                    return null;
                }));
            }
            go.countDown();
            for (Future<?> writer : writers) {
                writer.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(listed("a")).containsExactly("a/b");
    }
}
