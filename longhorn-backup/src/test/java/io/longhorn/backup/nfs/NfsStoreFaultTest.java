package io.longhorn.backup.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.backup.nfs.FakeNfsServer.Kind;
import io.longhorn.replica.transport.UnansweredPort;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ProtocolException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Faults in the middle of what the store does, at a server that has them on demand. */
class NfsStoreFaultTest {
    private FakeNfsServer server;
    private NfsStore store;

    @BeforeEach
    void start() throws IOException {
        server = new FakeNfsServer();
        store = store("timeo=50");
    }

    private NfsStore store(String options) {
        return new NfsStore(NfsTarget.parse(server.url("s", options)));
    }

    @AfterEach
    void stop() throws IOException {
        store.close();
        server.close();
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Content of several pieces. */
    private static ByteBuffer large() {
        byte[] content = new byte[5 * FakeNfsServer.WRITE_BYTES_MAX + 1234];
        new Random(1).nextBytes(content);
        return ByteBuffer.wrap(content);
    }

    private List<String> listed() throws IOException {
        List<String> keys = new ArrayList<>();
        store.list("a", entry -> keys.add(entry.key()));
        return keys;
    }

    private void assertOnlyObject(ByteBuffer content) throws IOException {
        assertThat(store.read("a/b", 1 << 20)).contains(content);
        assertThat(server.names("s", "a")).containsExactly("b");
        assertThat(server.openFiles()).isZero();
        assertThat(server.isCalm()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(
            value = NfsOp.class,
            names = {"SEQUENCE", "OPEN", "WRITE", "CLOSE", "RENAME", "CREATE", "LOOKUP", "EXCHANGE_ID", "CREATE_SESSION"
            })
    void aWriteSurvivesTheLossOfTheConnectionBeforeAndAfterEveryStep(NfsOp op) throws IOException {
        server.next(op, Kind.DROP_BEFORE).next(op, Kind.DROP_AFTER);
        store.write("a/b", bytes("1"));
        assertOnlyObject(bytes("1"));
    }

    @Test
    void anAnswerThatIsLostIsAskedForAgainAndTheChangeMadeOnce() throws IOException {
        store.write("a/b", bytes("1"));
        server.next(NfsOp.RENAME, Kind.DROP_AFTER).next(NfsOp.OPEN, Kind.DROP_AFTER);
        store.write("a/b", bytes("2"));
        assertThat(server.executed(NfsOp.RENAME)).isEqualTo(2);
        assertThat(server.executed(NfsOp.OPEN)).isEqualTo(2);
        assertThat(server.connections()).isEqualTo(3);
        assertOnlyObject(bytes("2"));
    }

    @Test
    void anAnswerThatTheServerDidNotKeepIsAskedForAnew() throws IOException {
        store.write("a/b", large());
        server.next(NfsOp.READ, Kind.DROP_AFTER)
                .next(NfsOp.READ, Kind.SHORT, 1000)
                .next(NfsOp.READ, Kind.DROP_AFTER);
        server.next(NfsOp.READDIR, Kind.DROP_AFTER);
        assertThat(store.names("a")).containsExactly("b");
        assertOnlyObject(large());
        assertThat(server.executed(NfsOp.CREATE_SESSION)).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(
            value = NfsOp.class,
            names = {"OPEN", "WRITE", "COMMIT", "CLOSE", "RENAME", "CREATE"})
    void aWriteSurvivesARestartOfTheServerAfterEveryStep(NfsOp op) throws IOException {
        server.next(op, Kind.CRASH_AFTER);
        store.write("a/b", large());
        assertOnlyObject(large());
    }

    @Test
    void aRenameThatWasDoneBeforeARestartIsNotDoneAgain() throws IOException {
        server.next(NfsOp.RENAME, Kind.CRASH_AFTER);
        store.write("a/b", bytes("1"));
        assertThat(server.executed(NfsOp.RENAME)).isEqualTo(1);
        assertThat(server.executed(NfsOp.OPEN)).isEqualTo(1);
    }

    @Test
    void aSessionThatTheServerForgotIsReplaced() throws IOException {
        store.write("a/b", bytes("1"));
        server.next(NfsOp.SEQUENCE, Kind.FORGET);
        assertThat(store.read("a/b", 10)).contains(bytes("1"));
        server.next(NfsOp.SEQUENCE, Kind.FORGET);
        assertThat(store.names("a")).containsExactly("b");
        server.next(NfsOp.SEQUENCE, Kind.FORGET);
        store.delete(List.of("a/b"));
        assertThat(listed()).isEmpty();
        assertThat(server.executed(NfsOp.CREATE_SESSION)).isEqualTo(4);
    }

    @ParameterizedTest
    @CsvSource({"SEQUENCE", "OPEN", "WRITE", "CLOSE", "RENAME", "LOOKUP", "EXCHANGE_ID", "RECLAIM_COMPLETE"})
    void aServerThatAsksForPatienceGetsIt(NfsOp op) throws IOException {
        server.next(op, Kind.STATUS, NfsStatus.DELAY).next(op, Kind.STATUS, NfsStatus.DELAY);
        if (op != NfsOp.SEQUENCE) {
            server.next(op, Kind.STATUS, NfsStatus.GRACE);
        }
        store.write("a/b", bytes("1"));
        assertOnlyObject(bytes("1"));
    }

    @Test
    void whatTheServerLostBeforeTheCommitIsWrittenAgain() throws IOException {
        server.next(NfsOp.COMMIT, Kind.LOSE_UNCOMMITTED);
        store.write("a/b", large());
        assertThat(server.executed(NfsOp.COMMIT)).isEqualTo(2);
        assertOnlyObject(large());
    }

    @Test
    void piecesThatAreDoneHalfAreCompleted() throws IOException {
        server.next(NfsOp.WRITE, Kind.SHORT, 1000).next(NfsOp.WRITE, Kind.SHORT, 1);
        store.write("a/b", large());
        server.next(NfsOp.READ, Kind.SHORT, 5).next(NfsOp.READ, Kind.SHORT, 1000);
        assertOnlyObject(large());
    }

    @Test
    void anObjectReplacedWhileItIsReadIsReadAnew() throws IOException {
        store.write("a/b", large());
        server.next(NfsOp.READ, Kind.SHORT, 100).next(NfsOp.READ, Kind.STATUS, NfsStatus.STALE);
        assertThat(store.read("a/b", 1 << 20)).contains(large());
        assertThat(server.isCalm()).isTrue();
    }

    @Test
    void aRootThatIsAnotherDirectoryNowIsLookedUpAgain() throws IOException {
        store.write("a/b", bytes("1"));
        for (NfsOp op : List.of(NfsOp.READ, NfsOp.OPEN, NfsOp.READDIR, NfsOp.GETATTR, NfsOp.REMOVE)) {
            server.next(op, Kind.STATUS, NfsStatus.STALE);
        }
        store.write("a/b", bytes("2"));
        assertThat(store.find("a/b").orElseThrow().sizeBytes()).isEqualTo(1);
        assertThat(listed()).containsExactly("a/b");
        assertThat(store.read("a/b", 1)).contains(bytes("2"));
        store.delete(List.of("a/b"));
        assertThat(listed()).isEmpty();
        assertThat(server.isCalm()).isTrue();
    }

    @Test
    void aListingWhosePlaceIsLostTellsEveryEntryOnce() throws IOException {
        List<String> expected = new ArrayList<>();
        for (int i = 10; i < 45; i++) {
            store.write("a/" + i, bytes("x"));
            expected.add("a/" + i);
        }
        store.read("a/10", 1);
        int before = server.executed(NfsOp.READDIR);
        List<String> keys = new ArrayList<>();
        store.list("a", entry -> {
            keys.add(entry.key());
            if (keys.size() == 15) {
                server.next(NfsOp.READDIR, Kind.STATUS, NfsStatus.BAD_COOKIE);
                server.next(NfsOp.READDIR, Kind.STATUS, NfsStatus.NOT_SAME);
            }
        });
        assertThat(keys).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(server.executed(NfsOp.READDIR) - before).isEqualTo(2 + 4);
    }

    @ParameterizedTest
    @CsvSource({"NOSPC, full", "DQUOT, quota of uid 5", "ROFS, read-only", "ACCESS, uid 5", "PERM, insecure", "IO, disk"
    })
    void aRefusalSaysWhatToDoAndLeavesNothing(String status, String advice) throws Exception {
        int code = NfsStatus.class.getDeclaredField(status).getInt(null);
        store.write("a/b", bytes("old"));
        try (NfsStore other = store("uid=5,gid=6")) {
            server.next(NfsOp.WRITE, Kind.STATUS, code);
            assertThatThrownBy(() -> other.write("a/b", bytes("new")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("writing a/b at nfs://127.0.0.1")
                    .hasMessageContaining("NFS4ERR_" + status)
                    .hasMessageContaining(advice);
        }
        assertOnlyObject(bytes("old"));
    }

    @Test
    void whatCannotBeReplacedLeavesNoTemporaryFile() throws IOException {
        store.write("a/b/c", bytes("1"));
        assertThatThrownBy(() -> store.write("a/b", bytes("2"))).isInstanceOf(IOException.class);
        assertThat(store.read("a/b/c", 1)).contains(bytes("1"));
        assertThat(server.names("s", "a")).containsExactly("b");
    }

    @Test
    void whatADeadWriterLeftIsInNoListing() throws IOException {
        server.put("s.tmp.1", "x");
        try (NfsStore top = new NfsStore(NfsTarget.parse(server.url("", "")))) {
            top.write("a/b.tmp.123", bytes("half"));
            top.write("a/b", bytes("1"));
            List<String> keys = new ArrayList<>();
            top.list("a", entry -> keys.add(entry.key()));
            assertThat(keys).containsExactly("a/b");
            assertThat(top.names("a")).containsExactly("b");
        }
    }

    @ParameterizedTest
    @CsvSource({"READ, 3", "READ, 20", "READ, 40", "READ, 100", "OPEN, 50", "EXCHANGE_ID, 30", "CREATE_SESSION, 60"})
    void anAnswerThatIsCutIsToldAndDoesNotLast(NfsOp op, int length) throws IOException {
        if (op != NfsOp.EXCHANGE_ID && op != NfsOp.CREATE_SESSION) {
            store.write("a/b", bytes("old"));
        }
        server.next(op, Kind.CUT, length);
        assertThatThrownBy(() -> {
                    store.write("a/b", bytes("new"));
                    store.read("a/b", 10);
                })
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("malformed answer");
        store.write("a/b", bytes("newer"));
        assertThat(store.read("a/b", 10)).contains(bytes("newer"));
    }

    @Test
    void aServerThatIsSilentIsAskedOverAnotherConnection() throws IOException {
        try (NfsStore hasty = store("timeo=2,retrans=5")) {
            hasty.write("a/b", bytes("1"));
            int before = server.connections();
            server.next(NfsOp.READ, Kind.HOLD);
            assertThat(hasty.read("a/b", 10)).contains(bytes("1"));
            assertThat(server.connections()).isEqualTo(before + 1);
        } finally {
            server.release();
        }
    }

    @Test
    void aServerThatStaysSilentIsGivenUpInTime() throws IOException {
        try (NfsStore hasty = store("timeo=1,retrans=1")) {
            hasty.write("a/b", bytes("1"));
            for (int i = 0; i < 20; i++) {
                // Also what comes after the repetition.
                server.next(NfsOp.SEQUENCE, Kind.DROP_BEFORE);
            }
            assertThatThrownBy(() -> hasty.read("a/b", 10))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("no answer from 127.0.0.1, port")
                    .hasMessageContaining("timeo and retrans");
        }
    }

    @Test
    void nobodyAtThePortIsToldAtOnce() throws IOException {
        try (UnansweredPort port = new UnansweredPort();
                NfsStore absent = new NfsStore(NfsTarget.parse(URI.create("nfs://" + port.endpoint() + "/export/s")))) {
            assertThatThrownBy(() -> absent.read("a/b", 10))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot connect to 127.0.0.1, port " + port.port())
                    .hasMessageContaining("is the NFS server running there");
        }
    }

    @Test
    void anInterruptEndsTheCallAndTheStoreGoesOn() throws Exception {
        store.write("a/b", bytes("1"));
        int before = server.connections();
        server.next(NfsOp.READ, Kind.HOLD);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        AtomicBoolean flag = new AtomicBoolean();
        Thread reader = new Thread(() -> {
            try {
                store.read("a/b", 10);
            } catch (IOException e) {
                thrown.set(e);
            }
            flag.set(Thread.currentThread().isInterrupted());
        });
        reader.start();
        server.awaitHeld();
        reader.interrupt();
        reader.join(10_000);
        assertThat(thrown.get()).isInstanceOf(InterruptedIOException.class);
        assertThat(flag).isTrue();
        assertThat(store.read("a/b", 10)).contains(bytes("1"));
        assertThat(server.lastSlot()).isEqualTo(1);
        server.release();
        // Once the late answer is there its slot is used again.
        do {
            assertThat(store.read("a/b", 10)).contains(bytes("1"));
        } while (server.lastSlot() != 0);
        assertThat(server.connections()).isEqualTo(before);
        assertThat(server.executed(NfsOp.CREATE_SESSION)).isEqualTo(1);
    }

    @Test
    void aWriteThatIsInterruptedRemovesItsFile() throws Exception {
        store.write("a/b", bytes("1"));
        server.next(NfsOp.WRITE, Kind.HOLD);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread writer = new Thread(() -> {
            try {
                store.write("a/b", bytes("2"));
            } catch (IOException e) {
                thrown.set(e);
            }
        });
        writer.start();
        server.awaitHeld();
        writer.interrupt();
        writer.join(10_000);
        server.release();
        assertThat(thrown.get()).isInstanceOf(InterruptedIOException.class);
        assertOnlyObject(bytes("1"));
    }

    @Test
    void manyThreadsShareFewSlots() throws Exception {
        server.grantSlots(2);
        ExecutorService threads = Executors.newFixedThreadPool(6);
        try {
            List<Future<?>> writers = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                String key = "a/" + i;
                writers.add(threads.submit(() -> {
                    for (int round = 0; round < 5; round++) {
                        store.write(key, large());
                        assertThat(store.read(key, 1 << 20)).contains(large());
                    }
                    return null;
                }));
            }
            for (int i = 0; i < 5; i++) {
                server.dropConnections();
                assertThat(store.find("a/none")).isEmpty();
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(listed()).hasSize(6);
    }

    @Test
    void closingEndsTheSession() throws IOException {
        store.write("a/b", bytes("1"));
        store.close();
        store.close();
        assertThat(server.sessions()).isZero();
        assertThat(server.executed(NfsOp.DESTROY_CLIENTID)).isEqualTo(1);
        assertThatThrownBy(() -> store.read("a/b", 1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("closed");
    }
}
