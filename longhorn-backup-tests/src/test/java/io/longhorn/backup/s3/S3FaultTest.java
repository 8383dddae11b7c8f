package io.longhorn.backup.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupTarget;
import io.longhorn.backup.s3.FaultyProxy.Fault;
import io.longhorn.backup.s3.FaultyProxy.Faults;
import io.longhorn.replica.transport.UnansweredPort;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the network and the server may do to a request. */
class S3FaultTest {
    private static final int BLOCK = 2 << 20;
    private static final Duration LONG = Duration.ofSeconds(50);

    @TempDir
    private Path directory;

    private S3Server server;
    private S3Store straight;

    @BeforeEach
    void start() throws Exception {
        server = S3Server.start(directory);
        straight = store(server.endpoint(), limits(1, LONG, LONG));
    }

    @AfterEach
    void stop() {
        straight.close();
        server.close();
    }

    private static S3Limits limits(int attempts, Duration silence, Duration call) {
        return new S3Limits(
                attempts, Duration.ofMillis(2), Duration.ofMillis(20), Duration.ofSeconds(10), silence, call, 1000);
    }

    private S3Store store(String endpoint, S3Limits limits) {
        Map<String, String> credentials = server.credentials();
        credentials.put("AWS_ENDPOINTS", endpoint);
        BackupTarget target = BackupTarget.at(URI.create("s3://" + S3Server.BUCKET + "/x/"), credentials);
        S3Location location = S3Location.of(target.uri());
        return new S3Store(location, S3Access.of(location, target.credentials()), limits);
    }

    private FaultyProxy proxy(Faults faults) throws IOException {
        return new FaultyProxy(server.port(), faults);
    }

    private static Faults first(int requests, Fault fault) {
        return (number, line) -> number <= requests ? fault : Fault.none();
    }

    private static Faults always(Fault fault) {
        return (number, line) -> fault;
    }

    private static ByteBuffer block(int seed) {
        byte[] bytes = new byte[BLOCK];
        new Random(seed).nextBytes(bytes);
        return ByteBuffer.wrap(bytes);
    }

    @Test
    void anUploadThatBreaksOffIsRepeated() throws IOException {
        try (FaultyProxy proxy = proxy(first(2, Fault.cutUpload(BLOCK / 2)));
                S3Store store = store(proxy.endpoint(), limits(5, LONG, LONG))) {
            store.write("a/b", block(1));
            assertThat(proxy.requests()).isEqualTo(3);
        }
        assertThat(straight.read("a/b", BLOCK)).contains(block(1));
    }

    @Test
    void aDownloadThatBreaksOffIsRepeated() throws IOException {
        straight.write("a/b", block(1));
        try (FaultyProxy proxy = proxy(first(2, Fault.cutDownload(BLOCK / 2)));
                S3Store store = store(proxy.endpoint(), limits(5, LONG, LONG))) {
            assertThat(store.read("a/b", BLOCK)).contains(block(1));
            assertThat(proxy.requests()).isEqualTo(3);
        }
    }

    @Test
    void aListThatBreaksOffIsAskedForAgain() throws IOException {
        straight.write("a/b", ByteBuffer.allocate(1));
        for (int bytes : new int[] {0, 1, 10, 100}) {
            try (FaultyProxy proxy = proxy(first(2, Fault.cutDownload(bytes)));
                    S3Store store = store(proxy.endpoint(), limits(5, LONG, LONG))) {
                assertThat(store.names("a")).as("after %s bytes", bytes).containsExactly("b");
                assertThat(proxy.requests()).isEqualTo(3);
            }
        }
    }

    @Test
    void anAnswerWithoutAListIsNotTakenForAnEmptyOne() throws IOException {
        Fault nothing = request -> {
            request.skipBody();
            request.answer(200, "");
        };
        try (FaultyProxy proxy = proxy(always(nothing));
                S3Store store = store(proxy.endpoint(), limits(3, LONG, LONG))) {
            assertThatThrownBy(() -> store.list("a", entry -> {}))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot list a")
                    .hasMessageContaining("the answer has no list in it")
                    .hasMessageContaining("gave up after 3 attempts");
            assertThat(proxy.requests()).isEqualTo(3);
        }
        assertThat(straight.names("nothing")).isEmpty();
    }

    @Test
    void aRefusalThatBreaksOffIsAskedForAgain() throws IOException {
        try (FaultyProxy proxy = proxy(first(1, Fault.cutDownload(10)));
                S3Store store = store(proxy.endpoint(), limits(5, LONG, LONG))) {
            assertThat(store.read("a/b", 1)).isEmpty();
            assertThat(proxy.requests()).isEqualTo(2);
        }
    }

    @Test
    void aDownloadThatAlwaysBreaksOffFails() throws IOException {
        straight.write("a/b", block(1));
        try (FaultyProxy proxy = proxy(always(Fault.cutDownload(BLOCK / 2)));
                S3Store store = store(proxy.endpoint(), limits(3, LONG, LONG))) {
            assertThatThrownBy(() -> store.read("a/b", BLOCK))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot read a/b: the connection to " + proxy.endpoint() + " failed")
                    .hasMessageContaining("gave up after 3 attempts");
            assertThat(proxy.requests()).isEqualTo(3);
        }
    }

    @Test
    void whatTheServerCannotDoForAWhileIsRepeated() throws IOException {
        Faults faults = (number, line) -> switch (number) {
            case 1 -> Fault.answer(503, "SlowDown");
            case 2 -> Fault.answer(500, "InternalError");
            case 3 -> Fault.answer(409, "ConditionalRequestConflict");
            default -> Fault.none();
        };
        try (FaultyProxy proxy = proxy(faults);
                S3Store store = store(proxy.endpoint(), limits(5, LONG, LONG))) {
            store.write("a/b", block(1));
            assertThat(proxy.requests()).isEqualTo(4);
        }
        assertThat(straight.read("a/b", BLOCK)).contains(block(1));
    }

    @Test
    void whatTheServerCanNeverDoFailsAfterSomeAttempts() throws IOException {
        try (FaultyProxy proxy = proxy(always(Fault.answer(503, "SlowDown")));
                S3Store store = store(proxy.endpoint(), limits(4, LONG, LONG))) {
            assertThatThrownBy(() -> store.write("a/b", block(1)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(
                            "cannot write a/b: " + proxy.endpoint() + " answers 503 SlowDown: by the test")
                    .hasMessageContaining("gave up after 4 attempts");
            assertThat(proxy.requests()).isEqualTo(4);
        }
    }

    @Test
    void aRefusalIsNotRepeated() throws IOException {
        for (String code : List.of("AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId")) {
            try (FaultyProxy proxy = proxy(always(Fault.answer(403, code)));
                    S3Store store = store(proxy.endpoint(), limits(5, LONG, LONG))) {
                assertThatThrownBy(() -> store.write("a/b", block(1)))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("correct ");
                assertThat(proxy.requests()).as(code).isEqualTo(1);
            }
        }
    }

    @Test
    void aServerThatIsSilentIsAskedAgain() throws IOException {
        straight.write("a/b", block(1));
        CountDownLatch there = new CountDownLatch(1);
        try (FaultyProxy proxy = proxy(first(1, Fault.silence(there)));
                S3Store store = store(proxy.endpoint(), limits(5, Duration.ofSeconds(1), LONG))) {
            assertThat(store.read("a/b", BLOCK)).contains(block(1));
        }
        try (FaultyProxy proxy = proxy(first(1, Fault.pause(BLOCK / 2, there)));
                S3Store store = store(proxy.endpoint(), limits(5, Duration.ofSeconds(1), LONG))) {
            assertThat(store.read("a/b", BLOCK)).contains(block(1));
        }
    }

    @Test
    void aServerThatStaysSilentFailsTheCall() throws IOException {
        CountDownLatch there = new CountDownLatch(1);
        try (FaultyProxy proxy = proxy(always(Fault.silence(there)));
                S3Store store = store(proxy.endpoint(), limits(3, Duration.ofMillis(100), LONG))) {
            assertThatThrownBy(() -> store.write("a/b", ByteBuffer.allocate(10)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("does not answer in time")
                    .hasMessageContaining("gave up after 3 attempts");
        }
    }

    @Test
    void allAttemptsTogetherHaveALimit() throws IOException {
        CountDownLatch there = new CountDownLatch(1);
        try (FaultyProxy proxy = proxy(always(Fault.silence(there)));
                S3Store store = store(proxy.endpoint(), limits(1000, LONG, Duration.ofMillis(1500)))) {
            long start = System.nanoTime();
            assertThatThrownBy(() -> store.find("a/b"))
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(InterruptedIOException.class)
                    .hasMessageContaining("no success at " + proxy.endpoint() + " within the time limit");
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }

    @Test
    void aServerThatIsNotThereIsSaid() throws IOException {
        try (UnansweredPort port = new UnansweredPort();
                S3Store store = store("http://" + port.endpoint(), limits(2, LONG, LONG))) {
            assertThatThrownBy(() -> store.names("a"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot list a: cannot connect to http://" + port.endpoint())
                    .hasMessageContaining("AWS_ENDPOINTS");
        }
    }

    @Test
    void aServerThatDiesInMidUploadHasNoHalfOfAnObject() throws Exception {
        straight.write("a/old", block(1));
        CountDownLatch there = new CountDownLatch(1);
        Fault death = request -> {
            request.forwardUpload(BLOCK / 2, server::close);
            there.countDown();
        };
        // The two attempts at the new object, and those at the old one while there is no server.
        Faults faults = (number, line) -> number == 1 ? Fault.cutUpload(BLOCK / 2) : number == 2 ? death : Fault.none();
        try (FaultyProxy proxy = proxy(faults);
                S3Store store = store(proxy.endpoint(), limits(2, LONG, LONG))) {
            assertThatThrownBy(() -> store.write("a/new", block(2))).isInstanceOf(IOException.class);
            assertThat(there.getCount()).isZero();
            assertThatThrownBy(() -> store.write("a/old", block(3))).isInstanceOf(IOException.class);
            assertThat(proxy.requests()).isEqualTo(4);
        }
        server = S3Server.start(directory);
        try (S3Store after = store(server.endpoint(), limits(1, LONG, LONG))) {
            List<String> keys = new ArrayList<>();
            after.list("a", entry -> keys.add(entry.key()));
            assertThat(keys).containsExactly("a/old");
            assertThat(after.names("a")).containsExactly("old");
            assertThat(after.find("a/new")).isEmpty();
            assertThat(after.read("a/new", BLOCK)).isEmpty();
            assertThat(after.read("a/old", BLOCK)).contains(block(1));
        }
    }

    @Test
    void anInterruptEndsAnyCall() throws Exception {
        straight.write("a/b", block(1));
        interrupted(Fault::silence, store -> store.read("a/b", BLOCK));
        interrupted(there -> Fault.pause(BLOCK / 2, there), store -> store.read("a/b", BLOCK));
        interrupted(Fault::silence, store -> {
            store.write("a/c", block(1));
            return Optional.empty();
        });
        // The server takes a little of the body and then nothing, so that the sender is stuck in sending.
        interrupted(
                there -> request -> {
                    there.countDown();
                    new CountDownLatch(1).await(50, TimeUnit.SECONDS);
                },
                store -> {
                    store.write("a/c", ByteBuffer.allocate(64 << 20));
                    return Optional.empty();
                });
        // Between two attempts.
        interrupted(
                there -> request -> {
                    Fault.answer(503, "SlowDown").on(request);
                    there.countDown();
                },
                store -> store.read("a/b", BLOCK));
    }

    private interface Spoiling {
        Fault with(CountDownLatch there);
    }

    private interface Use {
        Optional<?> of(S3Store store) throws IOException;
    }

    private void interrupted(Spoiling spoiling, Use use) throws Exception {
        CountDownLatch there = new CountDownLatch(1);
        S3Limits limits = new S3Limits(1000, LONG, LONG, LONG, LONG, LONG, 1000);
        try (FaultyProxy proxy = proxy(always(spoiling.with(there)));
                S3Store store = store(proxy.endpoint(), limits)) {
            AtomicBoolean flag = new AtomicBoolean();
            Callable<Optional<?>> call = () -> {
                try {
                    return use.of(store);
                } finally {
                    flag.set(Thread.currentThread().isInterrupted());
                }
            };
            FutureTask<Optional<?>> task = new FutureTask<>(call);
            Thread caller = new Thread(task);
            caller.start();
            assertThat(there.await(30, TimeUnit.SECONDS)).isTrue();
            caller.interrupt();
            assertThatThrownBy(() -> task.get(20, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(InterruptedIOException.class);
            assertThat(flag).isTrue();
            caller.join();
        }
    }

    @Test
    void batchesThatAServerDoesNotKnowBecomeSingleDeletions() throws IOException {
        List<String> keys = List.of("a/1", "a/2", "a/3");
        AtomicReference<String> lines = new AtomicReference<>("");
        Faults faults = (number, line) -> {
            lines.accumulateAndGet(line.substring(0, line.indexOf(' ')), (all, one) -> all + one + " ");
            return line.startsWith("POST") ? Fault.answer(501, "NotImplemented") : Fault.none();
        };
        try (FaultyProxy proxy = proxy(faults);
                S3Store store = store(proxy.endpoint(), limits(5, LONG, LONG))) {
            for (int i = 0; i < 2; i++) {
                for (String key : keys) {
                    straight.write(key, ByteBuffer.allocate(1));
                }
                store.delete(keys);
                assertThat(straight.names("a")).isEmpty();
            }
        }
        // It is asked for once only.
        assertThat(lines).hasValue("POST DELETE DELETE DELETE DELETE DELETE DELETE ");
    }

    @Test
    void objectsThatCannotBeDeletedAreNamed() throws IOException {
        straight.write("a/1", ByteBuffer.allocate(1));
        straight.write("a/4", ByteBuffer.allocate(1));
        String answer = "<?xml version=\"1.0\"?><DeleteResult>"
                + "<Error><Key>x/a/1</Key><Code>InternalError</Code></Error>"
                + "<Error><Key>x/a/2</Key><Code>AccessDenied</Code></Error>"
                + "<Error><Key>x/a/3</Key><Code>NoSuchKey</Code></Error></DeleteResult>";
        Faults faults = (number, line) -> line.startsWith("POST")
                ? request -> {
                    request.skipBody();
                    request.answer(200, answer);
                }
                : Fault.none();
        try (FaultyProxy proxy = proxy(faults);
                S3Store store = store(proxy.endpoint(), limits(5, LONG, LONG))) {
            assertThatThrownBy(() -> store.delete(List.of("a/1", "a/2", "a/3")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("1 of 3 objects")
                    .hasMessageContaining("a/2 (AccessDenied)")
                    .hasMessageNotContaining("a/3");
            // The one that failed for a while was tried again.
            assertThat(straight.names("a")).containsExactly("4");
        }
    }

    @Test
    void anObjectTooLargeIsNotDownloaded() throws IOException {
        straight.write("a/b", block(1));
        CountDownLatch there = new CountDownLatch(1);
        // The answer pauses for longer than the test may take, right after it has begun.
        try (FaultyProxy proxy = proxy(always(Fault.pause(1, there)));
                S3Store store = store(proxy.endpoint(), limits(1, LONG, LONG))) {
            assertThatThrownBy(() -> store.read("a/b", BLOCK - 1))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(BLOCK + " bytes, more than the " + (BLOCK - 1));
        }
    }
}
