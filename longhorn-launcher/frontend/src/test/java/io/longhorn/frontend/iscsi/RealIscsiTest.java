package io.longhorn.frontend.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HeldSnapshot;
import io.longhorn.HostPort;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.scsi.FileReservationStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A volume over iSCSI, with the initiators and the conformance tests of libiscsi and with QEMU. */
@Tag("real")
class RealIscsiTest {

    private static final String IQN = "iqn.2026-01.io.longhorn:disk";
    private static final String SNAPSHOT_IQN = "iqn.2026-01.io.longhorn:disk-before";
    private static final String CHAP_IQN = "iqn.2026-01.io.longhorn:guarded";
    private static final long SIZE = 512L << 20;
    private static final long PROGRAM_SECONDS_MAX = 120;

    /** 28 of the 230 tests need a removable, read-only or sanitizable unit or a second path, 16 commands that we do not have, 7 RESERVE(6); see docs/frontends.md. */
    private static final int PASSED_MIN = 178;

    private static final int TESTS = 230;
    private static final Pattern TEST = Pattern.compile("^  Test: (\\w+) \\.\\.\\.", Pattern.MULTILINE);
    private static final Pattern SKIPPED = Pattern.compile("\\[SKIPPED] *(.*)");
    private static final Pattern SUMMARY =
            Pattern.compile("Run Summary:.*?tests\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)", Pattern.DOTALL);

    @TempDir
    private Path directory;

    private Longhorn longhorn;
    private Volume volume;
    private HeldSnapshot snapshot;
    private IscsiPortal portal;

    @BeforeEach
    void serve() {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(VolumeSpec.named("disk").sizeBytes(SIZE).build());
        snapshot = volume.snapshot("before").hold();
        portal = IscsiPortal.start(IscsiSettings.builder()
                .listen(new HostPort("127.0.0.1", 0))
                .listen(new HostPort("127.0.0.1", 0))
                .build());
        BlockDevice device = BlockDevice.of(volume);
        portal.serve(IscsiTargetSpec.of(IQN, device)
                .reservations(new FileReservationStore(directory.resolve("reservations")))
                .build());
        portal.serve(IscsiTargetSpec.of(SNAPSHOT_IQN, BlockDevice.of(snapshot)).build());
        portal.serve(IscsiTargetSpec.of(CHAP_IQN, device)
                .chap(new ChapCredentials("user", "secret-of-users"))
                .build());
    }

    @AfterEach
    void stop() {
        portal.close();
        snapshot.close();
        volume.close();
        longhorn.close();
    }

    private String url(String iqn) {
        return portal.uri(iqn).orElseThrow();
    }

    @Test
    void toolsOfLibiscsiSeeTheTarget() throws Exception {
        assertThat(run("iscsi-ls", "iscsi://" + portal.address()))
                .contains("Target:" + IQN + " Portal:" + portal.address() + ",1", SNAPSHOT_IQN, CHAP_IQN);
        assertThat(run("iscsi-inq", url(IQN))).contains("Vendor:LONGHORN", "Peripheral Device Type:DIRECT_ACCESS");
        assertThat(run("iscsi-readcapacity16", url(IQN))).contains("Total size:" + SIZE);
    }

    @Test
    void qemuWritesAndReadsWithChapAndDigests() throws Exception {
        String guarded = url(CHAP_IQN).replace("iscsi://", "iscsi://user%secret-of-users@");
        String verified = run(
                "qemu-io",
                "-f",
                "raw",
                "-c",
                "write -P 0xab 0 1M",
                "-c",
                "write -P 0xcd 123456 70000",
                "-c",
                "flush",
                "-c",
                "read -P 0xab 0 123456",
                "-c",
                "read -P 0xcd 123456 70000",
                "-c",
                "write -z 2M 1M",
                "-c",
                "read -P 0 2M 1M",
                "-c",
                "discard 4M 1M",
                guarded);
        assertThat(verified).doesNotContain("verification failed", "error");
        assertThat(run(
                        "qemu-io",
                        "--object",
                        "secret,id=s0,data=secret-of-users",
                        "--image-opts",
                        "-c",
                        "read -P 0xab 0 64k",
                        "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=" + portal.address()
                                + ",file.target=" + CHAP_IQN
                                + ",file.lun=1,file.user=user,file.password-secret=s0,file.header-digest=crc32c"))
                .contains("read 65536/65536")
                .doesNotContain("verification failed");
        assertThat(fails(
                        "qemu-io",
                        "-f",
                        "raw",
                        "-c",
                        "read 0 4k",
                        url(CHAP_IQN).replace("iscsi://", "iscsi://user%wrong-secret-of@")))
                .contains("Failed to connect");
    }

    @Test
    void imageIsTheSameAfterARoundTrip() throws Exception {
        Path image = directory.resolve("image");
        byte[] content = new byte[64 << 20];
        new Random(1).nextBytes(content);
        Arrays.fill(content, 8 << 20, 24 << 20, (byte) 0);
        Files.write(image, content);
        run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image.toString(), url(IQN));
        Path copy = directory.resolve("copy");
        run("qemu-img", "dd", "-f", "raw", "-O", "raw", "bs=1M", "count=64", "if=" + url(IQN), "of=" + copy);
        assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
        assertThat(run("qemu-img", "info", url(IQN))).contains("virtual size: 512 MiB");
        // The snapshot is older.
        run("qemu-io", "-r", "-f", "raw", "-c", "read -P 0 0 8M", url(SNAPSHOT_IQN));
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void conformanceTestsPass() throws Exception {
        List<String> suites = new ArrayList<>();
        for (String line : run("iscsi-test-cu", "-l").split("\n", -1)) {
            if (line.matches("ALL\\.\\w+")) {
                suites.add(line);
            }
        }
        int ran = 0;
        int skipped = 0;
        List<String> failed = new ArrayList<>();
        StringBuilder table =
                new StringBuilder("| suite | tests | passed | skipped | why skipped |\n|---|---|---|---|---|\n");
        for (String suite : suites) {
            String output = suite(suite, url(IQN));
            Matcher summary = SUMMARY.matcher(output);
            assertThat(summary.find()).as(output).isTrue();
            int tests = Integer.parseInt(summary.group(2));
            Map<String, String> reasons = skipped(output);
            ran += tests;
            skipped += reasons.size();
            if (!summary.group(4).equals("0")) {
                failed.add(output);
            }
            table.append(String.format(
                    "| %s | %d | %d | %d | %s |%n",
                    suite.substring(4),
                    tests,
                    Integer.parseInt(summary.group(3)) - reasons.size(),
                    reasons.size(),
                    String.join("; ", new TreeSet<>(reasons.values()))));
        }
        Files.writeString(Path.of("target", "iscsi-conformance.md"), table);
        assertThat(failed).isEmpty();
        assertThat(ran).isEqualTo(TESTS);
        assertThat(ran - skipped).as("really passed").isGreaterThanOrEqualTo(PASSED_MIN);
    }

    @Test
    void conformanceTestsOfTwoPathsPass() throws Exception {
        HostPort other = portal.addresses().get(1);
        String second = url(IQN).replace(portal.address().toString(), other.toString());
        assertAllReallyPass(suite("ALL.MultipathIO", url(IQN), second));
    }

    @Test
    void conformanceTestOfReadOnlyUnitsPassesOnASnapshot() throws Exception {
        assertAllReallyPass(suite("ALL.ReadOnly", url(SNAPSHOT_IQN)));
    }

    private static void assertAllReallyPass(String output) {
        Matcher summary = SUMMARY.matcher(output);
        assertThat(summary.find()).as(output).isTrue();
        assertThat(summary.group(4)).as(output).isEqualTo("0");
        assertThat(skipped(output)).as(output).isEmpty();
    }

    /** All of a suite, also what loses data. With the names of the tests (-v), without which skipped ones cannot be told apart. */
    private String suite(String suite, String... urls) throws Exception {
        List<String> command = new ArrayList<>(List.of("iscsi-test-cu", "-d", "-f", "-v", "-t", suite + ".*"));
        command.addAll(List.of(urls));
        return output(command).text();
    }

    /** The first reason of each test that says so: the program counts them as passed. */
    private static Map<String, String> skipped(String output) {
        Map<String, String> reasons = new TreeMap<>();
        Matcher test = TEST.matcher(output);
        int at = test.find() ? test.start() : output.length();
        while (at < output.length()) {
            String name = test.group(1);
            int end = test.find() ? test.start() : output.length();
            Matcher reason = SKIPPED.matcher(output.substring(at, end));
            if (reason.find()) {
                reasons.put(name, reason.group(1).strip());
            }
            at = end;
        }
        return reasons;
    }

    private record Output(int exitCode, String text) {}

    private String run(String... command) throws Exception {
        Output output = output(List.of(command));
        assertThat(output.exitCode).as(output.text).isZero();
        return output.text;
    }

    private String fails(String... command) throws Exception {
        Output output = output(List.of(command));
        assertThat(output.exitCode).as(output.text).isNotZero();
        return output.text;
    }

    private Output output(List<String> command) throws IOException, InterruptedException {
        Path file = Files.createTempFile(directory, "output", "");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(file.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .start();
        boolean ended = process.waitFor(PROGRAM_SECONDS_MAX, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertThat(ended).as("ended in time: " + command + "\n" + text).isTrue();
        return new Output(process.exitValue(), text);
    }
}
