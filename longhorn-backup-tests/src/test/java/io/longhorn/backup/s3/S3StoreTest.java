package io.longhorn.backup.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupTarget;
import io.longhorn.backup.ObjectStore;
import io.longhorn.backup.ObjectStoreContract;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class S3StoreTest extends ObjectStoreContract {
    @TempDir
    private static Path directory;

    private static final AtomicInteger TESTS = new AtomicInteger();
    private static S3Server server;

    @BeforeAll
    static void startServer() throws Exception {
        server = S3Server.start(directory);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @Override
    protected ObjectStore open() {
        return open(freshPath());
    }

    /** No test sees the objects of another. */
    private static String freshPath() {
        return "test/" + TESTS.incrementAndGet() + "/";
    }

    private static ObjectStore open(String path) {
        return new S3StoreProvider().open(server.target(path));
    }

    private static S3Store openWithPages(String path, int objects) {
        BackupTarget target = server.target(path);
        S3Location location = S3Location.of(target.uri());
        S3Limits usual = S3Limits.DEFAULT;
        return new S3Store(
                location,
                S3Access.of(location, target.credentials()),
                new S3Limits(
                        usual.attemptsMax(),
                        usual.backOff(),
                        usual.backOffMax(),
                        usual.connecting(),
                        usual.silence(),
                        usual.call(),
                        objects));
    }

    private static List<String> listed(ObjectStore store, String folder) throws IOException {
        List<String> keys = new ArrayList<>();
        store.list(folder, entry -> keys.add(entry.key()));
        return keys;
    }

    @Test
    void blocksComeBackAsTheyWere() throws IOException {
        byte[] bytes = new byte[2 << 20];
        new Random(1).nextBytes(bytes);
        try (ObjectStore store = open(freshPath())) {
            store.write("blocks/a.blk", ByteBuffer.wrap(bytes).asReadOnlyBuffer());
            assertThat(store.read("blocks/a.blk", bytes.length)).contains(ByteBuffer.wrap(bytes));
            ByteBuffer direct =
                    ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
            store.write("blocks/b.blk", direct);
            assertThat(direct.remaining()).isEqualTo(bytes.length);
            assertThat(store.read("blocks/b.blk", bytes.length)).contains(ByteBuffer.wrap(bytes));
            assertThat(store.find("blocks/b.blk").orElseThrow().sizeBytes()).isEqualTo(bytes.length);
        }
    }

    @Test
    void listingsAndDeletionsGoByPages() throws IOException {
        try (S3Store store = openWithPages(freshPath(), 3)) {
            for (int i = 0; i < 10; i++) {
                store.write("v/a/" + i, bytes("x"));
                store.write("v/b" + i + "/x", bytes("x"));
            }
            assertThat(listed(store, "v")).hasSize(20).doesNotHaveDuplicates();
            assertThat(store.names("v"))
                    .containsExactly("a/", "b0/", "b1/", "b2/", "b3/", "b4/", "b5/", "b6/", "b7/", "b8/", "b9/");
            assertThat(store.names("v/a")).containsExactly("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
            store.delete(listed(store, "v/a"));
            assertThat(store.names("v/a")).isEmpty();
            assertThat(listed(store, "v")).hasSize(10);
        }
    }

    @Test
    void moreObjectsThanFitAPageOfTheProtocol() throws IOException {
        String path = freshPath();
        Path folder = Files.createDirectories(directory.resolve(S3Server.BUCKET).resolve(path + "many"));
        for (int i = 0; i < 1003; i++) {
            Files.writeString(folder.resolve("object-" + i), "x");
        }
        try (ObjectStore store = open(path)) {
            List<String> keys = listed(store, "many");
            assertThat(keys).hasSize(1003).doesNotHaveDuplicates();
            assertThat(store.names("many")).hasSize(1003).isSorted();
            store.delete(keys);
            assertThat(listed(store, "many")).isEmpty();
        }
    }

    @Test
    void deletionMayMeetAListing() throws IOException {
        try (S3Store store = openWithPages(freshPath(), 2)) {
            for (int i = 0; i < 7; i++) {
                store.write("v/" + i, bytes("x"));
            }
            store.list("v", entry -> store.delete(List.of(entry.key())));
            assertThat(listed(store, "v")).isEmpty();
        }
    }

    @Test
    void storesOfOneBucketDoNotSeeEachOther() throws IOException {
        String path = freshPath();
        try (ObjectStore one = open(path + "one/");
                ObjectStore other = open(path + "one-more");
                ObjectStore both = open(path)) {
            one.write("a/b", bytes("1"));
            other.write("a/b", bytes("2"));
            one.delete(List.of("a/c"));
            assertThat(one.read("a/b", 1)).contains(bytes("1"));
            assertThat(other.read("a/b", 1)).contains(bytes("2"));
            assertThat(listed(both, "one")).containsExactly("one/a/b");
            other.delete(List.of("a/b"));
            assertThat(listed(one, "a")).containsExactly("a/b");
        }
    }

    @Test
    void aTargetMayBeAWholeBucket() throws IOException {
        try (ObjectStore store = open("")) {
            store.write("whole/a", bytes("1"));
            assertThat(store.names("whole")).containsExactly("a");
            assertThat(directory.resolve(S3Server.BUCKET).resolve("whole/a")).exists();
        }
    }

    @Test
    void namesWithStrangeCharactersAreKept() throws IOException {
        try (ObjectStore store = open(freshPath())) {
            List<String> keys = List.of("f/a b+c%20d", "f/ä&?=#:@", "f/~'()*!,;$");
            for (String key : keys) {
                store.write(key, bytes(key));
            }
            for (String key : keys) {
                assertThat(store.read(key, 100)).contains(bytes(key));
            }
            assertThat(listed(store, "f")).containsExactlyInAnyOrderElementsOf(keys);
            store.delete(keys);
            assertThat(listed(store, "f")).isEmpty();
        }
    }

    @Test
    void aWrongSecretIsSaidAndNotShown() {
        Map<String, String> credentials = server.credentials();
        credentials.put("AWS_SECRET_ACCESS_KEY", "wrong-and-hidden");
        try (ObjectStore store =
                new S3StoreProvider().open(BackupTarget.at(URI.create("s3://" + S3Server.BUCKET + "/"), credentials))) {
            assertThatThrownBy(() -> store.read("a/b", 1))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot read a/b")
                    .hasMessageContaining("correct AWS_SECRET_ACCESS_KEY")
                    .hasMessageContaining(server.endpoint())
                    .hasMessageNotContaining("attempts")
                    .satisfies(failure -> assertThat(stackTrace(failure)).doesNotContain("wrong-and-hidden"));
            assertThatThrownBy(() -> store.find("a/b"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("denies access");
            assertThat(store.describe()).doesNotContain("hidden", S3Server.KEY_ID);
        }
    }

    private static String stackTrace(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            text.append(cause).append('\n');
        }
        return text.toString();
    }

    @Test
    void anUnknownKeyIsSaid() {
        Map<String, String> credentials = server.credentials();
        credentials.put("AWS_ACCESS_KEY_ID", "nobody");
        try (ObjectStore store =
                new S3StoreProvider().open(BackupTarget.at(URI.create("s3://" + S3Server.BUCKET + "/"), credentials))) {
            assertThatThrownBy(() -> store.names("a"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("correct AWS_ACCESS_KEY_ID");
        }
    }

    @Test
    void aMissingBucketIsSaid() {
        try (ObjectStore store =
                new S3StoreProvider().open(BackupTarget.at(URI.create("s3://no-such-bucket/"), server.credentials()))) {
            assertThatThrownBy(() -> store.names("a"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("there is no bucket no-such-bucket at " + server.endpoint());
            assertThatThrownBy(() -> store.read("a", 1)).hasMessageContaining("there is no bucket");
            assertThatThrownBy(() -> store.write("a", bytes("1"))).hasMessageContaining("there is no bucket");
        }
    }

    @Test
    void aClosedStoreIsClosed() {
        ObjectStore store = open(freshPath());
        store.close();
        store.close();
        assertThatThrownBy(() -> store.names("a")).isInstanceOf(IllegalStateException.class);
    }
}
