package io.longhorn.frontend.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HeldSnapshot;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that others wrote, against a real volume. */
@Tag("real")
class NbdToolsTest {

    private static final int SIZE = 32 << 20;

    @TempDir
    private Path directory;

    private Longhorn longhorn;
    private Volume volume;
    private NbdServer server;
    private String uri;
    private String unixUri;

    @BeforeEach
    void serve() {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(VolumeSpec.named("disk").sizeBytes(SIZE).build());
        server = NbdServer.start(NbdSettings.builder()
                .listen(new HostPort("127.0.0.1", 0))
                .listen(directory.resolve("nbd.sock"))
                .build());
        server.serve(BlockDevice.of(volume), "the disk of a test");
        uri = server.uri("disk");
        unixUri = server.uri(server.addresses().get(1), "disk");
    }

    @AfterEach
    void close() {
        server.close();
        volume.close();
        longhorn.close();
    }

    @Test
    void nbdinfoSeesWhatIsServed() throws Exception {
        String list = ToolRun.output("nbdinfo", "--list", uri);
        assertThat(list).contains("export=\"disk\"", "the disk of a test", "base:allocation");
        String json = ToolRun.output("nbdinfo", "--json", unixUri);
        assertThat(json)
                .contains(
                        "\"protocol\": \"newstyle-fixed\"",
                        "\"TLS\": false",
                        "\"structured\": true",
                        "\"export-size\": " + SIZE,
                        "\"is_read_only\": false",
                        "\"block_size_minimum\": 1",
                        "\"block_size_preferred\": 4096",
                        "\"block_size_maximum\": " + (32 << 20));
        for (String can : new String[] {
            "read",
            "write",
            "flush",
            "fua",
            "trim",
            "zero",
            "fast-zero",
            "df",
            "multi-conn",
            "cache",
            "structured-reply"
        }) {
            assertThat(ToolRun.of("nbdinfo", "--can", can, uri).exitCode())
                    .as(can)
                    .isZero();
        }
        assertThat(ToolRun.of("nbdinfo", "--is", "read-only", uri).exitCode()).isEqualTo(2);
        assertThat(ToolRun.of("nbdinfo", "--is", "tls", uri).exitCode()).isEqualTo(2);
        assertThat(ToolRun.of("nbdinfo", server.uri("other")).exitCode()).isEqualTo(1);
    }

    @Test
    void nbdinfoMapsHolesAndData() throws Exception {
        volume.write(1 << 20, ByteBuffer.allocate(1 << 20));
        volume.discard((1 << 20) + 65536, 65536);
        assertThat(ToolRun.output("nbdinfo", "--map", uri).replaceAll(" +", " "))
                .isEqualTo("""
                         0 1048576 3 hole,zero
                         1048576 65536 0 data
                         1114112 65536 3 hole,zero
                         1179648 917504 0 data
                         2097152 31457280 3 hole,zero
                        """);
    }

    @Test
    void nbdcopyCopiesInAndOut() throws Exception {
        Path in = image("in.raw", SIZE, 1);
        Path out = directory.resolve("out.raw");
        ToolRun.output("nbdcopy", "--flush", "--connections=4", in.toString(), uri);
        ToolRun.output("nbdcopy", "--connections=4", unixUri, out.toString());
        assertThat(Files.mismatch(in, out)).isEqualTo(-1);
        Path piped = directory.resolve("piped.raw");
        ToolRun.output("sh", "-c", "nbdcopy '" + uri + "' - > '" + piped + "'");
        assertThat(Files.mismatch(in, piped)).isEqualTo(-1);
    }

    @Test
    void nbdshScriptDoesEveryCommand() throws Exception {
        String script = """
                import errno
                h.add_meta_context(nbd.CONTEXT_BASE_ALLOCATION)
                h.connect_uri("%s")
                assert h.get_size() == %d
                assert h.get_structured_replies_negotiated()
                h.pwrite(b"a" * 8192, 4096, nbd.CMD_FLAG_FUA)
                assert h.pread_structured(8192, 4096, lambda *chunk: None, nbd.CMD_FLAG_DF) == b"a" * 8192
                h.zero(4096, 4096, nbd.CMD_FLAG_FUA | nbd.CMD_FLAG_NO_HOLE | nbd.CMD_FLAG_FAST_ZERO)
                assert h.pread(8192, 4096) == bytes(4096) + b"a" * 4096
                h.trim(4096, 8192, nbd.CMD_FLAG_FUA)
                assert h.pread(4096, 8192) == bytes(4096)
                h.pwrite(b"b" * 10, 20001)
                h.cache(65536, 0)
                h.flush()
                seen = []
                def extent(name, offset, entries, err):
                    assert name == "base:allocation"
                    seen.append(entries)
                h.block_status(65536, 0, extent)
                assert sum(seen[0][::2]) == 65536, seen
                h.block_status(65536, 0, extent, nbd.CMD_FLAG_REQ_ONE)
                assert len(seen[1]) == 2, seen
                h.set_strict_mode(0)
                def fails(error, call):
                    try:
                        call()
                    except nbd.Error as e:
                        assert e.errno == error, e
                    else:
                        assert False, "no error"
                fails("EINVAL", lambda: h.pread(512, h.get_size()))
                fails("ENOSPC", lambda: h.pwrite(b"x", h.get_size()))
                fails("EINVAL", lambda: h.trim(512, h.get_size()))
                fails("EINVAL", lambda: h.flush(1 << 15))
                pending = [h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray([i] * 4096)), i * 4096) for i in range(200)]
                while pending:
                    h.poll(-1)
                    pending = [c for c in pending if not h.aio_command_completed(c)]
                for i in range(200):
                    assert h.pread(4096, i * 4096) == bytes([i]) * 4096
                h.shutdown()
                print("all done")
                """.formatted(uri, SIZE);
        assertThat(ToolRun.output("nbdsh", "-c", script)).contains("all done");
    }

    @Test
    void qemuImgCreatesChecksConvertsAndMaps() throws Exception {
        Path raw = image("raw.raw", 16 << 20, 2);
        ToolRun.output("qemu-img", "create", "-f", "qcow2", uri, "24M");
        ToolRun.output("qemu-img", "convert", "-n", "-f", "raw", "-O", "qcow2", raw.toString(), unixUri);
        assertThat(ToolRun.output("qemu-img", "check", "-f", "qcow2", uri)).contains("No errors were found");
        ToolRun.output("qemu-img", "resize", "--shrink", "-f", "qcow2", uri, "16M");
        assertThat(ToolRun.output("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw.toString(), uri))
                .contains("identical");
        assertThat(ToolRun.output("qemu-img", "map", "--output=json", "-f", "raw", uri))
                .contains("\"zero\": true, \"data\": false", "\"data\": true");
    }

    @Test
    void qemuImgPutsAnOverlayOnTop() throws Exception {
        volume.write(0, ByteBuffer.allocate(4096).put(0, (byte) 9));
        Path overlay = directory.resolve("overlay.qcow2");
        Path flat = directory.resolve("flat.raw");
        ToolRun.output("qemu-img", "create", "-f", "qcow2", "-b", unixUri, "-F", "raw", overlay.toString());
        ToolRun.output("qemu-io", "-c", "write -P 0x55 1M 64k", overlay.toString());
        ToolRun.output("qemu-img", "convert", "-O", "raw", overlay.toString(), flat.toString());
        byte[] content = Files.readAllBytes(flat);
        assertThat(content[0]).isEqualTo((byte) 9);
        assertThat(content[1 << 20]).isEqualTo((byte) 0x55);
        assertThat(ToolRun.output("qemu-img", "rebase", "-u", "-b", uri, "-F", "raw", overlay.toString()))
                .isEmpty();
        assertThat(ToolRun.of("qemu-img", "compare", "-f", "raw", "-F", "raw", flat.toString(), uri)
                        .exitCode())
                .as("the base has not changed")
                .isEqualTo(1);
    }

    @Test
    void qemuIoVerifiesItsPatterns() throws Exception {
        String output = ToolRun.output(
                "qemu-io",
                "-f",
                "raw",
                "-c",
                "write -P 0xab 0 1M",
                "-c",
                "write -f -P 0xcd 1M 64k",
                "-c",
                "read -P 0xab 0 1M",
                "-c",
                "read -P 0xcd 1M 64k",
                "-c",
                "write -z 4k 4k",
                "-c",
                "write -zu 16k 4k",
                "-c",
                "read -P 0 4k 4k",
                "-c",
                "read -P 0 16k 4k",
                "-c",
                "discard 32k 32k",
                "-c",
                "read -P 0 32k 32k",
                "-c",
                "write -P 0x11 513 1023",
                "-c",
                "read -P 0x11 513 1023",
                "-c",
                "aio_write -P 0x22 2M 1M",
                "-c",
                "aio_write -P 0x33 3M 1M",
                "-c",
                "aio_flush",
                "-c",
                "read -P 0x22 2M 1M",
                "-c",
                "read -P 0x33 3M 1M",
                "-c",
                "flush",
                uri);
        assertThat(output).doesNotContain("Pattern verification failed").doesNotContain("error");
    }

    @Test
    void fioVerifiesWhatSeveralJobsWrote() throws Exception {
        String output = ToolRun.output(
                "fio",
                "--name=verify",
                "--ioengine=nbd",
                "--uri=" + unixUri,
                "--rw=randwrite",
                "--bsrange=512-64k",
                "--bs_unaligned=1",
                "--iodepth=32",
                "--size=4M",
                "--offset_increment=8M",
                "--numjobs=4",
                "--thread",
                "--verify=crc32c",
                "--do_verify=1",
                "--verify_fatal=1",
                "--verify_state_save=0",
                "--fsync=50",
                "--group_reporting");
        assertThat(output).contains("err= 0").doesNotContain("verify: bad");
    }

    @Test
    void snapshotStaysConstantWhileFioWrites() throws Exception {
        Path in = image("in.raw", SIZE, 3);
        ToolRun.output("nbdcopy", in.toString(), uri);
        try (HeldSnapshot monday = volume.snapshot("monday").hold()) {
            server.serve(BlockDevice.of(monday), "as of monday");
            String snapshotUri = server.uri("disk@monday");
            assertThat(ToolRun.of("nbdinfo", "--is", "read-only", snapshotUri).exitCode())
                    .isZero();
            Process fio = new ProcessBuilder(
                            "fio",
                            "--name=load",
                            "--ioengine=nbd",
                            "--uri=" + unixUri,
                            "--rw=randwrite",
                            "--bs=4k",
                            "--iodepth=16",
                            "--size=" + SIZE,
                            "--time_based",
                            "--runtime=60")
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("fio.out").toFile())
                    .start();
            try {
                for (int i = 0; i < 2; i++) {
                    Path out = directory.resolve("out.raw");
                    ToolRun.output("nbdcopy", "--destination-is-zero", snapshotUri, out.toString());
                    assertThat(Files.mismatch(in, out)).isEqualTo(-1);
                    Files.delete(out);
                }
                assertThat(fio.isAlive()).as("it wrote all the time").isTrue();
            } finally {
                fio.destroy();
                fio.waitFor();
            }
            assertThat(ToolRun.of("qemu-img", "compare", "-f", "raw", "-F", "raw", in.toString(), uri)
                            .exitCode())
                    .as("the disk has changed")
                    .isEqualTo(1);
            assertThat(server.withdraw("disk@monday")).isTrue();
        }
    }

    @Test
    void nbdClientListsTheExports() throws Exception {
        HostPort address = ((NbdAddress.Tcp) server.address()).hostPort();
        assertThat(ToolRun.output("nbd-client", "-l", address.host(), String.valueOf(address.port())))
                .contains("Negotiation: ..", "disk");
    }

    @Test
    void toolsTalkTls() throws Exception {
        Path certificates = Files.createDirectory(directory.resolve("certificates"));
        for (String name : new String[] {"ca-cert", "client-cert", "client-key"}) {
            Files.copy(NbdTlsTest.file(name), certificates.resolve(name + ".pem"));
        }
        NbdTls tls = NbdTls.ofKnownClients(
                NbdTlsTest.file("server-cert"), NbdTlsTest.file("server-key"), NbdTlsTest.file("ca-cert"));
        NbdSettings settings = NbdSettings.builder()
                .listen(new HostPort("127.0.0.1", 0))
                .tls(NbdTlsMode.REQUIRED, tls)
                .build();
        try (NbdServer secured = NbdServer.start(settings)) {
            secured.serve(BlockDevice.of(volume), "");
            String secure = secured.uri("disk") + "?tls-certificates=" + certificates;
            assertThat(ToolRun.output("nbdinfo", "--json", secure)).contains("\"TLS\": true");
            assertThat(ToolRun.of("nbdinfo", secured.uri("disk").replace("nbds:", "nbd:"))
                            .exitCode())
                    .as("without TLS")
                    .isEqualTo(1);
            Path in = image("in.raw", SIZE, 4);
            Path out = directory.resolve("out.raw");
            ToolRun.output("nbdcopy", in.toString(), secure);
            ToolRun.output("nbdcopy", secure, out.toString());
            assertThat(Files.mismatch(in, out)).isEqualTo(-1);
            HostPort address = ((NbdAddress.Tcp) secured.address()).hostPort();
            assertThat(ToolRun.output(
                            "qemu-img",
                            "info",
                            "--object",
                            "tls-creds-x509,id=tls0,endpoint=client,dir=" + certificates,
                            "--image-opts",
                            "driver=nbd,host=" + address.host() + ",port=" + address.port()
                                    + ",export=disk,tls-creds=tls0"))
                    .contains("virtual size: 32 MiB");
        }
    }

    /** Random data with holes between. */
    private Path image(String name, int size, long seed) throws IOException {
        byte[] content = new byte[size];
        Random random = new Random(seed);
        byte[] piece = new byte[700_000];
        for (int at = 0; at + piece.length < size; at += 2 * piece.length) {
            random.nextBytes(piece);
            System.arraycopy(piece, 0, content, at, piece.length);
        }
        return Files.write(directory.resolve(name), content);
    }
}
