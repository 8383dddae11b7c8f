package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MessageCodecTest {
    private static final long SEED = Long.getLong("longhorn.seed", 20260301L);
    private static final int ROUNDS = 100;

    private final FramePool pool = new FramePool();

    @AfterEach
    void everyFrameWasReleased() {
        assertThat(pool.leased()).isZero();
    }

    @Test
    void everyMessageComesBackAsItWas() {
        RandomRecords records = new RandomRecords(SEED);
        for (Class<?> type : Message.class.getPermittedSubclasses()) {
            for (int round = 0; round < ROUNDS; round++) {
                Message message = records.message(type);
                FrameBuffer frame = MessageCodec.encode(pool, round, round * 3L, message);
                assertThat(MessageCodec.decode(frame.bytes(), 0))
                        .as("seed %d", SEED)
                        .isEqualTo(message);
                assertThat(FrameLayout.epoch(frame.bytes(), 0)).isEqualTo(round);
                assertThat(FrameLayout.number(frame.bytes(), 0)).isEqualTo(round * 3L);
                frame.release();
            }
        }
    }

    @Test
    void everyStructuralRecordComesBackAsItWas() {
        RandomRecords records = new RandomRecords(SEED);
        for (Class<?> type : StructureOperation.class.getPermittedSubclasses()) {
            for (int round = 0; round < ROUNDS; round++) {
                StructureOperation operation = records.structure(type);
                FrameBuffer frame = MessageCodec.encodeStructure(pool, 1, 7, 1 + round, round, operation);
                assertThat(RecordLayout.check(frame.bytes(), 0, frame.length())).isEqualTo(FrameFault.NONE);
                assertThat(MessageCodec.decodeStructure(frame.bytes(), 0))
                        .as("seed %d", SEED)
                        .isEqualTo(operation);
                assertThat(RecordLayout.sequence(frame.bytes(), 0)).isEqualTo(1 + round);
                assertThat(RecordLayout.committed(frame.bytes(), 0)).isEqualTo(round);
                frame.release();
            }
        }
    }

    @Test
    void everyTypeButTheDataPathAndLocalRecordsIsCoveredByASample() {
        EnumSet<FrameType> covered = EnumSet.noneOf(FrameType.class);
        Map<String, FrameBuffer> frames = SampleFrames.frames(pool);
        for (FrameBuffer frame : frames.values()) {
            covered.add(FrameType.of(FrameLayout.type(frame.bytes(), 0)));
            frame.release();
        }
        EnumSet<FrameType> wire = EnumSet.allOf(FrameType.class);
        wire.removeIf(FrameType::isLocal);
        assertThat(covered).isEqualTo(wire);
    }

    @Test
    void aFrameIsReadWhereItLies() {
        Message message = new Message.Pin(3, new LayerId(1, 2));
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, message);
        ByteBuffer larger = ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN);
        larger.put(104, frame.bytes(), 0, frame.length());
        assertThat(MessageCodec.decode(larger, 104)).isEqualTo(message);
        frame.release();
    }

    @Test
    void aStampedRecordIsStillReadAndAClearedOneIsAsItWasSent() {
        StructureOperation operation = new StructureOperation.Expand(1 << 30);
        FrameBuffer frame = MessageCodec.encodeStructure(pool, 0, 7, 8, 6, operation);
        byte[] sent = bytes(frame);
        RecordLayout.stamp(frame.bytes(), 0, 12, 3456, 78);
        assertThat(MessageCodec.decodeStructure(frame.bytes(), 0)).isEqualTo(operation);
        assertThat(RecordLayout.check(frame.bytes(), 0, frame.length())).isEqualTo(FrameFault.FIELD);
        RecordLayout.clearStamp(frame.bytes(), 0);
        assertThat(bytes(frame)).isEqualTo(sent);
        frame.release();
    }

    @Test
    void equalLabelsGiveEqualBytesWhateverTheirOrder() {
        TreeMap<String, String> rising = new TreeMap<>(Map.of("a", "1", "b", "2", "c", "3"));
        TreeMap<String, String> falling = new TreeMap<>(Collections.reverseOrder());
        falling.putAll(rising);
        assertThat(bytesOfSnapshot(rising)).isEqualTo(bytesOfSnapshot(falling));
    }

    private byte[] bytesOfSnapshot(Map<String, String> labels) {
        FrameBuffer frame = MessageCodec.encodeStructure(
                pool, 0, 1, 1, 0, new StructureOperation.CreateSnapshot("ab", true, 5, labels));
        byte[] bytes = bytes(frame);
        frame.release();
        return bytes;
    }

    @Test
    void theLargestLayerTreeFits() {
        List<Message.EpochStart> history = Collections.nCopies(Message.HISTORY_MAX, new Message.EpochStart(1, 2));
        List<Message.Layer> layers = new ArrayList<>();
        for (int i = 0; i < WireLimits.LAYERS_MAX; i++) {
            boolean removed = i > 250;
            layers.add(new Message.Layer(
                    new LayerId(i, i + 1),
                    LayerId.ROOT,
                    i,
                    "x".repeat(WireLimits.NAME_BYTES_MAX),
                    true,
                    removed,
                    1,
                    2,
                    3,
                    largestLabels()));
        }
        Message begin = new Message.RebuildBegin(1, 2, 3, 4, 5, 6, history, layers);
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, begin);
        assertThat(frame.length()).isBetween(800_000, FrameLayout.FRAME_BYTES_MAX);
        assertThat(FrameLayout.checkStart(frame.bytes(), 0)).isEqualTo(frame.length());
        assertThat(MessageCodec.decode(frame.bytes(), 0)).isEqualTo(begin);
        frame.release();
    }

    /** Exactly the limit: two pairs of (4 + 128 + 1024) and one of (4 + 128 + 628). */
    private static Map<String, String> largestLabels() {
        return Map.of(
                "k".repeat(128), "v".repeat(1024), "l".repeat(128), "w".repeat(1024), "m".repeat(128), "u".repeat(628));
    }

    @Test
    void theLongestListsFit() {
        List<Message.ReplicaInfo> replicas = Collections.nCopies(
                WireLimits.REPLICAS_MAX, new Message.ReplicaInfo(new UUID(1, 2), "n".repeat(63), new UUID(3, 4), 5, 6));
        assertRoundTrip(new Message.ListReplicasOk(replicas));
        assertRoundTrip(new Message.MapPage(
                -1, Collections.nCopies(Message.MapPage.RUNS_MAX, new Message.MapRun(1, 2, BlockState.DATA, 3))));
        assertRoundTrip(new Message.LayerRead(
                LayerId.LIVE, 0, 0, 0, Collections.nCopies(WireLimits.LAYER_READ_BLOCKS_MAX, 9L)));
    }

    private void assertRoundTrip(Message message) {
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, message);
        assertThat(MessageCodec.decode(frame.bytes(), 0)).isEqualTo(message);
        frame.release();
    }

    @Test
    void whatAReceiverWouldRefuseIsNotEncoded() {
        assertRefused("volume name", new Message.CreateReplica(1, id(), "n".repeat(64), id(), 1, 1, id()));
        assertRefused("volume name", new Message.CreateReplica(1, id(), "", id(), 1, 1, id()));
        assertRefused("size", new Message.CreateReplica(1, id(), "ab", id(), -4096, 1, id()));
        assertRefused("token", new Message.Hello(1, 1, 0, id(), id(), "t".repeat(1025)));
        assertRefused("oldest version", new Message.Hello(-1, 1, 0, id(), id(), ""));
        assertRefused("next block", new Message.MapPage(-2, List.of()));
        assertRefused(
                "runs",
                new Message.MapPage(
                        0,
                        Collections.nCopies(
                                Message.MapPage.RUNS_MAX + 1, new Message.MapRun(1, 2, BlockState.DATA, 3))));
        assertRefused("blocks", new Message.LayerRead(LayerId.LIVE, 0, 0, 0, Collections.nCopies(2049, 1L)));
        assertRefused("block", new Message.LayerRead(LayerId.LIVE, 0, 0, 0, List.of(-1L)));
        assertRefused("4095 bytes", new Message.Repair(LayerId.LIVE, 0, 0, 0, new byte[4095]));
        assertThatIllegalArgumentException().isThrownBy(() -> MessageCodec.encode(pool, -1, 0, new Message.Done()));
        assertThatIllegalArgumentException().isThrownBy(() -> MessageCodec.encode(pool, 0, -1, new Message.Done()));
    }

    private void assertRefused(String word, Message message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MessageCodec.encode(pool, 1, 2, message))
                .withMessageContaining(word);
    }

    @Test
    void labelsBeyondTheirLimitsAreNotEncoded() {
        assertLabelsRefused("label key", Map.of("", "empty"));
        assertLabelsRefused("label key", Map.of("k".repeat(129), ""));
        assertLabelsRefused("label value", Map.of("k", "v".repeat(1025)));
        Map<String, String> many = new TreeMap<>();
        for (int i = 0; i <= WireLimits.LABELS_MAX; i++) {
            many.put("key" + i, "");
        }
        assertLabelsRefused("labels", many);
        TreeMap<String, String> large = new TreeMap<>(largestLabels());
        large.replace("m".repeat(128), "u".repeat(629));
        assertLabelsRefused("3073 bytes", large);
    }

    private void assertLabelsRefused(String word, Map<String, String> labels) {
        StructureOperation operation = new StructureOperation.CreateSnapshot("ab", true, 5, labels);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MessageCodec.encodeStructure(pool, 0, 1, 1, 0, operation))
                .withMessageContaining(word);
    }

    @Test
    void theWordsOfAnErrorAreCutBetweenCharacters() {
        assertThat(detailAfterRoundTrip("x".repeat(5000))).isEqualTo("x".repeat(1024));
        assertThat(detailAfterRoundTrip("x".repeat(1022) + "\u20ac")).isEqualTo("x".repeat(1022));
        assertThat(detailAfterRoundTrip("x".repeat(1021) + "\u20ac")).isEqualTo("x".repeat(1021) + "\u20ac");
        assertThat(detailAfterRoundTrip("x".repeat(1021) + "\ud83d\ude00")).isEqualTo("x".repeat(1021));
    }

    private String detailAfterRoundTrip(String detail) {
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, new Message.Failure(1005, 1, 2, detail));
        Message.Failure back = (Message.Failure) MessageCodec.decode(frame.bytes(), 0);
        frame.release();
        return back.detail();
    }

    @Test
    void aRemovedLayerHasNoLabels() {
        Message.Layer layer =
                new Message.Layer(new LayerId(1, 2), LayerId.ROOT, 3, "gone", true, true, 4, 5, 6, Map.of("k", "v"));
        assertThat(layer.labels()).isEmpty();
    }

    @Test
    void anyFlippedBitOfAControlMessageIsRefused() {
        SampleFrames.messages().forEach((name, message) -> {
            FrameBuffer frame = MessageCodec.encode(pool, 1, 2, message);
            for (int bit = 0; bit < 8 * Math.min(frame.length(), 512); bit++) {
                flip(frame.bytes(), bit);
                assertThatExceptionOfType(ProtocolException.class)
                        .as("%s, bit %d", name, bit)
                        .isThrownBy(() -> MessageCodec.decode(frame.bytes(), 0));
                flip(frame.bytes(), bit);
            }
            frame.release();
        });
    }

    @Test
    void aFrameCutAnywhereIsRefused() {
        SampleFrames.frames(pool).forEach((name, frame) -> {
            for (int length = 0; length < Math.min(frame.length(), 512); length++) {
                ByteBuffer cut = frame.bytes().slice(0, length).order(ByteOrder.LITTLE_ENDIAN);
                assertThatExceptionOfType(ProtocolException.class)
                        .as("%s cut after %d", name, length)
                        .isThrownBy(() -> MessageCodec.decode(cut, 0));
                assertThatExceptionOfType(ProtocolException.class)
                        .as("%s cut after %d", name, length)
                        .isThrownBy(() -> MessageCodec.decodeStructure(cut, 0));
            }
            frame.release();
        });
    }

    @Test
    void bytesBehindTheLastFieldAreRefused() {
        for (int extra = 8; extra <= 16; extra += 8) {
            FrameBuffer frame = MessageCodec.encode(pool, 1, 2, new Message.Unpin(5));
            assertThat(frame.length()).isEqualTo(48);
            relength(frame, 48 + extra);
            assertDecodeRefused(frame, "bytes behind the last field");
        }
    }

    @Test
    void paddingThatIsNotZeroIsRefused() {
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, new Message.Unpin(5));
        frame.bytes().put(47, (byte) 1);
        FrameLayout.seal(frame.bytes(), 0);
        assertDecodeRefused(frame, "padding");
    }

    @Test
    void aBodyThatEndsInsideAFieldIsRefused() {
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, new Message.Joined(5, 6));
        relength(frame, 48);
        assertDecodeRefused(frame, "the body ends inside record version");
    }

    @Test
    void aCountBeyondItsLimitIsRefusedBeforeItIsBelieved() {
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, new Message.MapPage(-1, List.of()));
        frame.bytes().putShort(FrameLayout.HEADER_BYTES + 8, (short) 0xffff);
        FrameLayout.seal(frame.bytes(), 0);
        assertDecodeRefused(frame, "number of runs is 65535, expected at most 1024");
    }

    @Test
    void textThatIsNotUtf8IsRefused() {
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, new Message.Failure(1, 2, 3, "ab"));
        frame.bytes().put(FrameLayout.HEADER_BYTES + 22, (byte) 0xC0);
        FrameLayout.seal(frame.bytes(), 0);
        assertDecodeRefused(frame, "detail is not UTF-8");
    }

    @Test
    void aLayerIdThatNamesNothingIsRefused() {
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, new Message.Pin(1, new LayerId(3, 4)));
        frame.bytes().putLong(FrameLayout.HEADER_BYTES + 12, 0);
        FrameLayout.seal(frame.bytes(), 0);
        assertDecodeRefused(frame, "names no layer");
        assertThatIllegalArgumentException().isThrownBy(() -> new LayerId(3, 0));
    }

    @Test
    void theSameLabelTwiceIsRefused() {
        Message message = new Message.StatusOk(
                1,
                2,
                3,
                4,
                5,
                6,
                List.of(new Message.Layer(
                        new LayerId(1, 2), LayerId.LIVE, 0, "", true, false, 1, 2, 3, Map.of("k1", "", "k2", ""))));
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, message);
        for (int i = FrameLayout.HEADER_BYTES; i < frame.length() - 1; i++) {
            if (frame.bytes().get(i) == 'k' && frame.bytes().get(i + 1) == '2') {
                frame.bytes().put(i + 1, (byte) '1');
            }
        }
        FrameLayout.seal(frame.bytes(), 0);
        assertDecodeRefused(frame, "label key stands twice");
    }

    @Test
    void unknownAndForeignTypesAreRefusedByName() {
        FrameBuffer frame = MessageCodec.encode(pool, 1, 2, new Message.Done());
        for (int code : new int[] {0, 10, 20, 22, 31, 32, 63, 95, 127, 128, 0xffff}) {
            frame.bytes().putShort(FrameLayout.TYPE_OFFSET, (short) code);
            FrameLayout.seal(frame.bytes(), 0);
            assertThatThrownBy(() -> MessageCodec.decode(frame.bytes(), 0))
                    .isInstanceOf(ProtocolException.class)
                    .hasMessageContaining("frame type is " + code);
        }
        frame.release();
        FrameBuffer write = SampleFrames.write(pool, 1, 0);
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> MessageCodec.decodeStructure(write.bytes(), 0))
                .withMessageContaining("frame type is 1");
        write.release();
    }

    @Test
    void flagsSlotAndPayloadOfAControlMessageAreZero() {
        FrameBuffer flags = MessageCodec.encode(pool, 1, 2, new Message.Done());
        flags.bytes().putShort(FrameLayout.FLAGS_OFFSET, (short) 4);
        FrameLayout.seal(flags.bytes(), 0);
        assertDecodeRefused(flags, "flags of DONE is 4");
        FrameBuffer slot = MessageCodec.encode(pool, 1, 2, new Message.Done());
        slot.bytes().putInt(FrameLayout.SLOT_OFFSET, 9);
        FrameLayout.seal(slot.bytes(), 0);
        assertDecodeRefused(slot, "slot of DONE is 9");
    }

    private void assertDecodeRefused(FrameBuffer frame, String word) {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> MessageCodec.decode(frame.bytes(), 0))
                .withMessageContaining(word);
        frame.release();
    }

    private static void relength(FrameBuffer frame, int length) {
        for (int i = frame.length(); i < length; i++) {
            frame.bytes().put(i, (byte) 0);
        }
        frame.bytes().putInt(FrameLayout.FRAME_LENGTH_OFFSET, length);
        FrameLayout.seal(frame.bytes(), 0);
    }

    private static void flip(ByteBuffer b, int bit) {
        b.put(bit / 8, (byte) (b.get(bit / 8) ^ 1 << bit % 8));
    }

    private static byte[] bytes(FrameBuffer frame) {
        byte[] bytes = new byte[frame.length()];
        frame.bytes().get(0, bytes);
        return bytes;
    }

    private static UUID id() {
        return new UUID(1, 2);
    }
}
