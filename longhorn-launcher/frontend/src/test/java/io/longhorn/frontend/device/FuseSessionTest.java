package io.longhorn.frontend.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.DiskFullException;
import io.longhorn.VolumeClosedException;
import io.longhorn.frontend.MemoryDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The test is the kernel: it puts requests in, and looks at the bytes that come out. The bytes are those of a little-endian machine. */
class FuseSessionTest {

    private static final int SIZE_BYTES = 1 << 20;
    private static final Set<Integer> WITHOUT_ANSWER = Set.of(2, 36, 42);

    private final MemoryDevice device = new MemoryDevice(SIZE_BYTES);
    private final List<byte[]> answers = new ArrayList<>();
    private final List<FuseRequest> returned = new ArrayList<>();
    private final FuseSession session = new FuseSession(device, this::end, 0, 0);
    private final FuseRequest reused = newRequest();

    private void end(FuseRequest request, int lengthBytes) {
        if (lengthBytes > 0) {
            byte[] answer = new byte[lengthBytes];
            request.frame().get(0, answer);
            answers.add(answer);
        }
        returned.add(request);
    }

    private FuseRequest request(byte[] bytes) {
        FuseRequest request = device.isHolding() ? newRequest() : reused;
        request.frame().put(0, bytes);
        return request;
    }

    private FuseRequest newRequest() {
        return new FuseRequest(session, 0, ByteBuffer.allocateDirect(FuseSession.FRAME_BYTES));
    }

    /** Sends a request and returns the answer in hexadecimal digits; empty if there is none. */
    private String send(byte[] bytes) {
        int before = answers.size();
        session.handle(request(bytes), bytes.length);
        return answers.size() == before ? "" : HexFormat.of().formatHex(answers.get(before));
    }

    private String send(int opcode, long unique, String bodyHex) {
        byte[] body = HexFormat.of().parseHex(bodyHex.replace(" ", ""));
        return send(request(opcode, unique, body));
    }

    private static byte[] request(int opcode, long unique, byte[] body) {
        ByteBuffer request = ByteBuffer.allocate(40 + body.length).order(ByteOrder.LITTLE_ENDIAN);
        request.putInt(40 + body.length).putInt(opcode).putLong(unique).putLong(1);
        request.putInt(0).putInt(0).putInt(4711).putInt(0).put(body);
        return request.array();
    }

    private void negotiate() {
        send(26, 1, "07000000 2d000000 00000200 fbffff73" + "00".repeat(48));
        answers.clear();
    }

    private static String hex(String spaced) {
        return spaced.replace(" ", "");
    }

    private static String error(long unique, int errno) {
        ByteBuffer answer = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        answer.putInt(16).putInt(-errno).putLong(unique);
        return HexFormat.of().formatHex(answer.array());
    }

    @Test
    void negotiationAgreesOnLargeAsynchronousTransfersAndNothingElse() {
        // What Linux 6.18 sends: version 7.45, all its flags.
        String answer = send(26, 2, "07000000 2d000000 00000200 fbffff73" + "00".repeat(48));
        assertThat(answer)
                .isEqualTo(hex("50000000 00000000 0200000000000000 07000000 1f000000 00000200 21804000 4000 4000"
                                + " 00001000 01000000 0001 0000")
                        + "00".repeat(32));
    }

    @Test
    void flagsThatTheKernelDoesNotOfferAreNotTaken() {
        String answer = send(26, 2, "07000000 1f000000 00000000 20000000");
        assertThat(answer.substring(28 * 2, 32 * 2)).isEqualTo("20000000");
    }

    @Test
    void olderKernelsAreRefusedAndNewerOnesAskedAgain() {
        assertThat(send(26, 2, "07000000 1e000000 00000000 00000000")).isEqualTo(error(2, 71));
        assertThat(send(26, 3, "06000000 63000000 00000000 00000000")).isEqualTo(error(3, 71));
        assertThat(send(26, 4, "08000000 00000000 00000000 ffffffff"))
                .startsWith(hex("50000000 00000000 0400000000000000 07000000 1f000000 00000000 00000000"));
        assertThat(send(3, 5, "00".repeat(16))).isEqualTo(error(5, 71));
        assertThat(send(26, 6, "07000000 1f000000 00000000 ffffffff")).startsWith(hex("50000000 00000000 06"));
        assertThat(send(3, 7, "00".repeat(16))).startsWith(hex("78000000 00000000 07"));
    }

    @Test
    void attributesAreThoseOfAPlainFile() {
        negotiate();
        assertThat(send(3, 9, "00".repeat(16)))
                .isEqualTo(
                        hex(
                                "78000000 00000000 0900000000000000 0000000000000000 00000000 00000000"
                                        + " 0100000000000000 0000100000000000 0008000000000000"
                                        + " 0000000000000000 0000000000000000 0000000000000000"
                                        + " 00000000 00000000 00000000 80810000 01000000 00000000 00000000 00000000 00100000 00000000"));
    }

    @Test
    void theFileIsOpenedForDirectParallelIo() {
        negotiate();
        assertThat(send(14, 9, "02000000 00000000"))
                .isEqualTo(hex("20000000 00000000 0900000000000000 0000000000000000 61000000 00000000"));
    }

    @Test
    void statisticsTellTheGrainOfDiscards() {
        negotiate();
        assertThat(send(17, 9, ""))
                .isEqualTo(hex("60000000 00000000 0900000000000000 0001000000000000")
                        + "00".repeat(32)
                        + hex("00100000 ff000000 00100000 00000000")
                        + "00".repeat(24));
    }

    @Test
    void writtenBytesAreRead() {
        negotiate();
        String range = "0000000000000000 0010000000000000 04000000 00000000 0000000000000000 00000000 00000000";
        assertThat(send(16, 10, range + "cafebabe"))
                .isEqualTo(hex("18000000 00000000 0a00000000000000 04000000 00000000"));
        assertThat(send(15, 11, range)).isEqualTo(hex("14000000 00000000 0b00000000000000 cafebabe"));
        assertThat(device.asked()).containsExactly("write 4096 4", "read 4096 4");
    }

    @Test
    void readsEndWhereTheDeviceEnds() {
        negotiate();
        assertThat(send(15, 10, "0000000000000000 feff0f0000000000 10000000 00000000" + "00".repeat(16)))
                .isEqualTo(hex("12000000 00000000 0a00000000000000 0000"));
        assertThat(send(15, 11, "0000000000000000 0000100000000000 10000000 00000000" + "00".repeat(16)))
                .isEqualTo(hex("10000000 00000000 0b00000000000000"));
        assertThat(send(15, 12, "0000000000000000 ffffffffffffffff 10000000 00000000" + "00".repeat(16)))
                .isEqualTo(error(12, 22));
        assertThat(send(15, 13, "0000000000000000 0000000000000000 01001000 00000000" + "00".repeat(16)))
                .isEqualTo(error(13, 22));
    }

    @Test
    void writesOutsideOrOfAnotherLengthAreRefused() {
        negotiate();
        assertThat(send(16, 10, "0000000000000000 feff0f0000000000 04000000 00000000" + "00".repeat(16) + "cafebabe"))
                .isEqualTo(error(10, 28));
        assertThat(send(16, 11, "0000000000000000 0000000000000000 05000000 00000000" + "00".repeat(16) + "cafebabe"))
                .isEqualTo(error(11, 22));
        assertThat(send(16, 12, "0000000000000000 ffffffffffffff7f 04000000 00000000" + "00".repeat(16) + "cafebabe"))
                .isEqualTo(error(12, 28));
        assertThat(device.asked()).isEmpty();
    }

    @Test
    void closingAsksForNothingAndNeitherDoesAFlushBeforeTheFirstChange() {
        negotiate();
        assertThat(send(25, 10, "00".repeat(24))).isEqualTo(error(10, 38));
        assertThat(send(18, 11, "00".repeat(24))).isEqualTo(error(11, 0));
        device.hold();
        assertThat(send(20, 12, "00".repeat(16))).isEqualTo(error(12, 0));
        assertThat(device.asked()).isEmpty();
    }

    @Test
    void fsyncFlushesWhatWasChanged() {
        negotiate();
        send(16, 10, "00".repeat(16) + "04000000 00000000" + "00".repeat(16) + "cafebabe");
        assertThat(send(20, 12, "00".repeat(16))).isEqualTo(error(12, 0));
        assertThat(device.asked()).containsExactly("write 0 4", "flush");
    }

    @Test
    void holesAreDiscardsAndZeroRangesKeepTheirSpace() {
        negotiate();
        String range = "0000000000000000 0010000000000000 0020000000000000";
        assertThat(send(43, 10, range + "03000000 00000000")).isEqualTo(error(10, 0));
        assertThat(send(43, 11, range + "11000000 00000000")).isEqualTo(error(11, 0));
        assertThat(send(43, 12, range + "00000000 00000000")).isEqualTo(error(12, 95));
        // The last one reaches beyond the end.
        assertThat(send(43, 13, "0000000000000000 00f00f0000000000 ffffffffffffff7f 03000000 00000000"))
                .isEqualTo(error(13, 0));
        assertThat(send(43, 14, "0000000000000000 0000100000000000 0010000000000000 03000000 00000000"))
                .isEqualTo(error(14, 0));
        assertThat(send(43, 15, "0000000000000000 0000000000000000 ffffffffffffffff 03000000 00000000"))
                .isEqualTo(error(15, 22));
        assertThat(device.asked())
                .containsExactly("discard 4096 8192", "zero 4096 8192 [ALLOCATE]", "discard 1044480 4096");
    }

    @Test
    void whatTheKernelCanDoWithoutIsNotImplemented() {
        negotiate();
        for (int opcode : new int[] {4, 22, 34, 39, 46, 47, 50, 4096}) {
            assertThat(send(opcode, 10, "00".repeat(88))).isEqualTo(error(10, 38));
        }
        assertThat(send(1, 11, "766f6c756d6500")).isEqualTo(error(11, 2));
        assertThat(send(38, 12, "")).isEqualTo(error(12, 0));
    }

    @Test
    void someRequestsHaveNoAnswer() {
        negotiate();
        returned.clear();
        assertThat(send(2, 10, "0100000000000000")).isEmpty();
        assertThat(send(42, 0, "00000000 00000000")).isEmpty();
        assertThat(send(36, 11, "0a00000000000000")).isEmpty();
        assertThat(returned).hasSize(3);
    }

    @Test
    void answersComeInTheOrderInWhichTheDeviceIsDone() throws Exception {
        negotiate();
        send(16, 9, "00".repeat(16) + "04000000 00000000" + "00".repeat(16) + "cafebabe");
        answers.clear();
        device.hold();
        String read = "0000000000000000 0000000000000000 10000000 00000000" + "00".repeat(16);
        assertThat(send(15, 10, read)).isEmpty();
        assertThat(send(20, 11, "00".repeat(16))).isEmpty();
        assertThat(send(3, 12, "00".repeat(16))).startsWith(hex("78000000 00000000 0c"));
        device.letNewestGo();
        device.letGo();
        assertThat(answers).hasSize(3);
        assertThat(answers.get(1)[8]).isEqualTo((byte) 11);
        assertThat(answers.get(2)).hasSize(32);
        assertThat(answers.get(2)[8]).isEqualTo((byte) 10);
    }

    @Test
    void failuresOfTheVolumeAreErrorsOfTheRequest() {
        negotiate();
        send(43, 9, "00".repeat(16) + "0010000000000000 03000000 00000000");
        device.failWith(new VolumeClosedException("memory"));
        assertThat(send(20, 10, "00".repeat(16))).isEqualTo(error(10, 5));
        device.failWith(new DiskFullException("memory", 2, 1));
        assertThat(send(20, 11, "00".repeat(16))).isEqualTo(error(11, 28));
    }

    @Test
    void aSnapshotIsNotOpenedForWriting() {
        device.makeReadOnly();
        negotiate();
        assertThat(send(14, 10, "02000000 00000000")).isEqualTo(error(10, 30));
        assertThat(send(14, 11, "00000000 00000000")).startsWith(hex("20000000 00000000 0b"));
        assertThat(send(3, 12, "00".repeat(16)).substring(92 * 2, 96 * 2)).isEqualTo("00810000");
        assertThat(send(16, 13, "00".repeat(16) + "04000000 00000000" + "00".repeat(16) + "cafebabe"))
                .isEqualTo(error(13, 30));
    }

    @Test
    void eachMalformedRequestIsEndedOnceAndAnsweredIfItHasANumber() {
        negotiate();
        returned.clear();
        Random random = new Random(5);
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = malformed(random, i);
            int before = returned.size();
            String answer = send(bytes);
            assertThat(returned)
                    .as("request %s", HexFormat.of().formatHex(bytes))
                    .hasSize(before + 1);
            assertThat(answer.isEmpty()).isEqualTo(bytes.length < 40 || WITHOUT_ANSWER.contains((int) bytes[4] & 0xFF));
            if (!answer.isEmpty()) {
                ByteBuffer header =
                        ByteBuffer.wrap(answers.get(answers.size() - 1)).order(ByteOrder.LITTLE_ENDIAN);
                assertThat(header.getInt(0)).isEqualTo(header.capacity());
                assertThat(header.getLong(8)).isEqualTo(i);
            }
            answers.clear();
            returned.clear();
        }
    }

    /** Any opcode below 64, any body, cut anywhere, with a length that is right or not. */
    private static byte[] malformed(Random random, int unique) {
        byte[] body = new byte[random.nextInt(120)];
        if (random.nextBoolean()) {
            random.nextBytes(body);
        } else if (body.length > 0) {
            body[random.nextInt(body.length)] = (byte) random.nextInt();
        }
        byte[] request = request(random.nextInt(64), unique, body);
        if (random.nextInt(8) == 0) {
            request[random.nextInt(4)] ^= (byte) (1 << random.nextInt(8));
        }
        return random.nextInt(8) == 0 ? Arrays.copyOf(request, random.nextInt(request.length)) : request;
    }
}
