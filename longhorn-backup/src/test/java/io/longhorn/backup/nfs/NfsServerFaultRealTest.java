package io.longhorn.backup.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.backup.FolderStore;
import io.longhorn.backup.ObjectKey;
import io.longhorn.backup.ObjectStore;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real server that is killed, cut off, full, read-only or refuses us; and much at once. */
@Tag("real")
class NfsServerFaultRealTest {
    private static final int LARGE_BYTES = 8 << 20;

    @TempDir
    private Path directory;

    private Path exported;

    @BeforeEach
    void makeExport() throws IOException {
        exported = Files.createDirectory(directory.resolve("exported"));
    }

    private GaneshaServer server(String exportOptions) throws IOException {
        return GaneshaServer.start(directory.resolve("server"), exported, exportOptions);
    }

    private static NfsStore store(URI uri) {
        return new NfsStore(NfsTarget.parse(uri));
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static ByteBuffer random(int seed, int length) {
        byte[] content = new byte[length];
        new Random(seed).nextBytes(content);
        return ByteBuffer.wrap(content);
    }

    private static List<String> listed(ObjectStore store, String folder) throws IOException {
        List<String> keys = new ArrayList<>();
        store.list(folder, entry -> keys.add(entry.key()));
        keys.sort(null);
        return keys;
    }

    private List<String> files(String folder) throws IOException {
        try (Stream<Path> files = Files.list(exported.resolve(folder))) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void aFolderStoreReadsWhatWasWrittenAndTheOtherWayRound() throws IOException {
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(server.url("s/t", ""));
                FolderStore folder = new FolderStore(exported.resolve("s/t"))) {
            ByteBuffer content = random(1, LARGE_BYTES + 77);
            store.write("a/b", content);
            assertThat(folder.read("a/b", LARGE_BYTES + 77)).contains(content);
            folder.write("a/c \u00e4", content);
            assertThat(store.read("a/c \u00e4", LARGE_BYTES + 77)).contains(content);
            assertThat(store.names("a")).isEqualTo(folder.names("a"));
            assertThat(store.find("a/b").orElseThrow().modifiedAt())
                    .isEqualTo(folder.find("a/b").orElseThrow().modifiedAt());
        }
    }

    @Test
    void piecesOfOtherSizesMakeTheSameObject() throws IOException {
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(server.url("s", "rsize=5000,wsize=3000"))) {
            ByteBuffer content = random(1, 100_001);
            store.write("a/b", content);
            assertThat(store.read("a/b", 1 << 20)).contains(content);
        }
    }

    @Test
    void aServerThatIsKilledAndStartedAgainIsNoticedByNobody() throws Exception {
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(server.url("s", "timeo=100,retrans=5"))) {
            store.write("a/before", bytes("1"));
            AtomicInteger written = new AtomicInteger();
            ExecutorService thread = Executors.newSingleThreadExecutor();
            try {
                Future<?> writer = thread.submit(() -> {
                    for (int i = 0; i < 200; i++) {
                        store.write("a/" + i % 10, random(i, 100_000));
                        assertThat(store.read("a/" + i % 10, 100_000)).contains(random(i, 100_000));
                        written.incrementAndGet();
                    }
                    return null;
                });
                for (int kill = 1; kill <= 4; kill++) {
                    while (written.get() < 40 * kill && !writer.isDone()) {
                        Thread.onSpinWait();
                    }
                    server.kill();
                    server.start();
                }
                writer.get(2, TimeUnit.MINUTES);
            } finally {
                thread.shutdownNow();
            }
            assertThat(written).hasValue(200);
            assertThat(store.read("a/before", 1)).contains(bytes("1"));
            assertThat(listed(store, "a")).hasSize(11);
            assertThat(files("s/a")).hasSize(11);
        }
    }

    @Test
    void aConnectionCutInTheMiddleOfAnUploadAndADownloadDoesNoHarm() throws IOException {
        try (GaneshaServer server = server("Access_Type = RW;");
                CuttableProxy proxy = new CuttableProxy(server.port());
                NfsStore store = store(URI.create("nfs://127.0.0.1:" + proxy.port() + "/exp/s?nfsOptions=timeo=100"))) {
            ByteBuffer content = random(1, LARGE_BYTES);
            for (long bytes : new long[] {100, 1_500_000, 5_000_000, LARGE_BYTES}) {
                proxy.cutUpAfter(bytes);
                store.write("a/b", content);
                proxy.cutDownAfter(bytes);
                assertThat(store.read("a/b", LARGE_BYTES)).contains(content);
            }
            assertThat(proxy.cuts()).isEqualTo(8);
            assertThat(files("s/a")).containsExactly("b");
        }
    }

    @Test
    void thousandsOfFilesAreListedByPages() throws IOException {
        List<String> expected = new ArrayList<>();
        Path folder = Files.createDirectories(exported.resolve("s/many"));
        for (int i = 0; i < 3000; i++) {
            String name = "object-with-a-name-of-some-length-" + i + ".blk";
            Files.writeString(folder.resolve(name), "x".repeat(i % 7));
            expected.add("many/" + name);
        }
        expected.sort(null);
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(server.url("s", ""))) {
            List<String> keys = new ArrayList<>();
            List<Long> sizes = new ArrayList<>();
            store.list("many", entry -> {
                keys.add(entry.key());
                sizes.add(entry.sizeBytes());
            });
            assertThat(keys).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(sizes.stream().mapToLong(Long::longValue).sum())
                    .isEqualTo(Stream.iterate(0, i -> i + 1)
                            .limit(3000)
                            .mapToLong(i -> i % 7)
                            .sum());
            assertThat(store.names("many")).hasSize(3000).isSorted();

            // While everything is deleted: no failure, nothing twice.
            List<String> left = new ArrayList<>();
            store.list("many", entry -> {
                if (left.isEmpty()) {
                    store.delete(expected.subList(0, 2900));
                }
                left.add(entry.key());
            });
            assertThat(left).doesNotHaveDuplicates().containsAll(expected.subList(2900, 3000));
            assertThat(listed(store, "many")).isEqualTo(expected.subList(2900, 3000));
        }
    }

    @Test
    void anExportThatIsMissingIsNamed() throws IOException {
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(URI.create("nfs://127.0.0.1:" + server.port() + "/wrong/s"))) {
            for (ObjectAction action : List.<ObjectAction>of(
                    () -> store.read("a/b", 1), () -> store.names("a"), () -> store.write("a/b", bytes("1")))) {
                assertThatThrownBy(action::run)
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("no directory 'wrong' in /")
                        .hasMessageContaining("export");
            }
        }
    }

    private interface ObjectAction {
        void run() throws IOException;
    }

    @Test
    void aReadOnlyExportIsReadAndSaysSo() throws IOException {
        Files.createDirectories(exported.resolve("s/a"));
        Files.writeString(exported.resolve("s/a/b"), "old");
        try (GaneshaServer server = server("Access_Type = RO;");
                NfsStore store = store(server.url("s", ""))) {
            assertThat(store.read("a/b", 3)).contains(bytes("old"));
            assertThatThrownBy(() -> store.write("a/b", bytes("new")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("NFS4ERR_ROFS")
                    .hasMessageContaining("the export is read-only");
        }
    }

    @Test
    void anotherUserIsRefusedAndToldAsWhomWeCame() throws IOException {
        Files.createDirectory(
                exported.resolve("s"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(server.url("s", "uid=1234,gid=99"))) {
            assertThatThrownBy(() -> store.write("a/b", bytes("1")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("uid 1234, gid 99");
        }
        try (GaneshaServer server = GaneshaServer.start(directory.resolve("other"), exported)) {
            Files.setPosixFilePermissions(exported.resolve("s"), PosixFilePermissions.fromString("rwxrwxrwx"));
            try (NfsStore store = store(server.url("s", "uid=1234,gid=99"))) {
                store.write("a/b", bytes("1"));
                assertThat(Files.getAttribute(exported.resolve("s/a/b"), "unix:uid"))
                        .isEqualTo(1234);
                assertThat(Files.getAttribute(exported.resolve("s/a/b"), "unix:gid"))
                        .isEqualTo(99);
            }
        }
    }

    @Test
    void anExportForReservedPortsOnlySaysWhichOptionItNeeds() throws IOException {
        try (GaneshaServer server = server("Access_Type = RW; PrivilegedPort = true;");
                NfsStore store = store(server.url("s", ""))) {
            assertThatThrownBy(() -> store.write("a/b", bytes("1")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("insecure");
        }
    }

    @Test
    void eightThreadsWriteReadListAndDelete() throws Exception {
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(server.url("s", ""))) {
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<?>> workers = new ArrayList<>();
                for (int thread = 0; thread < 8; thread++) {
                    String folder = "shared/" + thread % 3 + "/of-" + thread;
                    int seed = thread;
                    workers.add(threads.submit(() -> {
                        for (int i = 0; i < 25; i++) {
                            ByteBuffer content = random(seed * 100 + i, 1 << (i % 21 + 1));
                            store.write(folder + "/" + i, content);
                            assertThat(store.read(folder + "/" + i, 2 << 20)).contains(content);
                            assertThat(listed(store, folder)).hasSize(i / 2 + 1);
                            if (i % 2 == 0) {
                                store.delete(List.of(folder + "/" + i));
                            }
                        }
                        return null;
                    }));
                }
                for (Future<?> worker : workers) {
                    worker.get();
                }
            } finally {
                threads.shutdownNow();
            }
            assertThat(listed(store, "shared")).hasSize(8 * 12);
        }
    }

    @Test
    void aFullDiskIsToldAndLeavesNothing() throws Exception {
        run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", exported.toString());
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(server.url("s", ""))) {
            store.write("a/b", random(1, 1 << 20));
            assertThatThrownBy(() -> store.write("a/c", random(2, LARGE_BYTES)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("NFS4ERR_NOSPC")
                    .hasMessageContaining("full");
            assertThat(files("s/a")).containsExactly("b");
            assertThat(store.read("a/b", 1 << 20)).contains(random(1, 1 << 20));
            store.write("a/c", random(3, 1 << 20));
            assertThat(store.read("a/c", 1 << 20)).contains(random(3, 1 << 20));
        } finally {
            run("umount", exported.toString());
        }
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as(String.join(" ", command) + ": " + output)
                .isZero();
    }

    @Test
    void aWriterThatDiesBeforeTheRenameLeavesOnlyATemporaryFile() throws IOException {
        try (GaneshaServer server = server("Access_Type = RW;");
                NfsStore store = store(server.url("s", ""))) {
            store.write("a/b", bytes("old"));
            // What such a writer does, up to its death.
            NfsClient dying = new NfsClient(NfsTarget.parse(server.url("s", "")));
            NfsSession session = dying.session();
            NfsFolders folders = new NfsFolders(dying);
            FileHandle folder = folders.make(folders.makeRoot().handle(), List.of("a"));
            CompoundReply opened = dying.start(
                            session,
                            dying.compound()
                                    .put(folder)
                                    .createFile(session.clientId(), ObjectKey.temporary("b"))
                                    .getHandle())
                    .await()
                    .done(NfsOp.PUTFH);
            StateId state = opened.opened();
            dying.call(dying.compound().put(opened.handle()).write(state, 0, Compound.FILE_SYNC, bytes("new")))
                    .done(NfsOp.PUTFH)
                    .written(3);

            assertThat(files("s/a")).hasSize(2);
            assertThat(listed(store, "a")).containsExactly("a/b");
            assertThat(store.names("a")).containsExactly("b");
            assertThat(store.read("a/b", 3)).contains(bytes("old"));
            store.write("a/b", bytes("newer"));
            assertThat(store.read("a/b", 5)).contains(bytes("newer"));
            dying.close();
        }
    }
}
