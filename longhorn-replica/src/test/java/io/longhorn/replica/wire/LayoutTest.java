package io.longhorn.replica.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.longhorn.ErrorCode;
import io.longhorn.ProtocolException;
import java.nio.ByteBuffer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class LayoutTest {
    private final FramePool pool = new FramePool();

    @Test
    void aWriteReadsBackWhatWasEncoded() {
        ByteBuffer b = SampleFrames.write(pool, 3, FrameLayout.FLAG_FORCED).bytes();
        assertThat(RecordLayout.check(b, 0, RecordLayout.writeFrameLength(3))).isEqualTo(FrameFault.NONE);
        assertThat(FrameType.of(FrameLayout.type(b, 0))).isEqualTo(FrameType.WRITE);
        assertThat(FrameLayout.flags(b, 0)).isEqualTo(FrameLayout.FLAG_FORCED);
        assertThat(FrameLayout.epoch(b, 0)).isEqualTo(SampleFrames.EPOCH);
        assertThat(RecordLayout.sequence(b, 0)).isEqualTo(SampleFrames.SEQUENCE);
        assertThat(RecordLayout.committed(b, 0)).isEqualTo(SampleFrames.COMMITTED);
        assertThat(RecordLayout.offset(b, 0)).isEqualTo(3 * 4096);
        assertThat(RecordLayout.length(b, 0)).isEqualTo(3 * 4096);
        assertThat(RecordLayout.blockCount(b, 0)).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            assertThat(RecordLayout.blockCrc(b, 0, i)).isEqualTo(Checksum.block(SampleFrames.block(i), 0));
        }
        assertThat(RecordLayout.payloadMatches(b, 0)).isTrue();
        b.put(RecordLayout.writeHeaderLength(3) + 4096, (byte) 99);
        assertThat(RecordLayout.check(b, 0, RecordLayout.writeFrameLength(3))).isEqualTo(FrameFault.NONE);
        assertThat(RecordLayout.payloadMatches(b, 0)).isFalse();
    }

    @Test
    void aStampIsReadBackAndAllowedOnlyInTheJournal() {
        FrameBuffer frame = SampleFrames.write(pool, 1, 0);
        ByteBuffer b = frame.bytes();
        RecordLayout.stamp(b, 0, 17, 1L << 40, 9);
        assertThat(FrameLayout.slot(b, 0)).isEqualTo(17);
        assertThat(RecordLayout.durablePosition(b, 0)).isEqualTo(1L << 40);
        assertThat(RecordLayout.segment(b, 0)).isEqualTo(9);
        assertThat(RecordLayout.checkJournaled(b, 0, frame.length())).isEqualTo(FrameFault.NONE);
        assertThat(RecordLayout.check(b, 0, frame.length())).isEqualTo(FrameFault.FIELD);
    }

    @Test
    void aReplicasOwnRecordIsAllowedOnlyInTheJournal() {
        for (FrameType type : FrameType.values()) {
            FrameBuffer frame = pool.acquire(RecordLayout.TABLE_OFFSET + 8);
            frame.bytes().putLong(RecordLayout.TABLE_OFFSET, 5);
            RecordLayout.encodeWithBody(frame, type, 0, 1, 2, 1, 8);
            FrameFault inJournal = RecordLayout.checkJournaled(frame.bytes(), 0, frame.length());
            FrameFault onWire = RecordLayout.check(frame.bytes(), 0, frame.length());
            if (type.isLocal()) {
                assertThat(inJournal).as("%s", type).isEqualTo(FrameFault.NONE);
                assertThat(onWire).as("%s", type).isEqualTo(FrameFault.TYPE);
            } else if (type.isStructure()) {
                assertThat(inJournal).as("%s", type).isEqualTo(FrameFault.NONE);
                assertThat(onWire).as("%s", type).isEqualTo(FrameFault.NONE);
            } else if (type.isRecord()) {
                assertThat(onWire).as("%s", type).isEqualTo(FrameFault.COUNTS);
            } else {
                assertThat(inJournal).as("%s", type).isEqualTo(FrameFault.TYPE);
            }
        }
    }

    @Test
    void faultsOfAWriteAreNamed() {
        Damage write = new Damage(() -> SampleFrames.write(pool, 3, 0), RecordLayout::check);
        write.gives(FrameFault.MAGIC, b -> b.putInt(FrameLayout.MAGIC_OFFSET, 1));
        write.gives(FrameFault.LENGTHS, b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, 3));
        write.gives(FrameFault.LENGTHS, b -> b.putInt(FrameLayout.PAYLOAD_LENGTH_OFFSET, 4095));
        write.gives(FrameFault.LENGTHS, b -> b.putInt(FrameLayout.PAYLOAD_LENGTH_OFFSET, -4096));
        write.gives(FrameFault.LENGTHS, b -> b.putInt(FrameLayout.PAYLOAD_LENGTH_OFFSET, 260 << 10));
        write.gives(FrameFault.CUT, b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, 3 * 4096 + 1024));
        write.gives(FrameFault.LENGTHS, b -> b.putShort(FrameLayout.TYPE_OFFSET, (short) 2));
        write.gives(FrameFault.TYPE, b -> b.putShort(FrameLayout.TYPE_OFFSET, (short) 36));
        write.gives(FrameFault.COUNTS, b -> b.putInt(RecordLayout.BLOCK_COUNT_OFFSET, 2));
        write.gives(FrameFault.COUNTS, b -> b.putInt(RecordLayout.BLOCK_COUNT_OFFSET, -1));
        write.gives(FrameFault.COUNTS, b -> b.putInt(RecordLayout.BLOCK_COUNT_OFFSET, 1 << 20));
        write.gives(FrameFault.COUNTS, b -> b.putLong(RecordLayout.LENGTH_OFFSET, 4096));
        write.gives(FrameFault.RANGE, b -> b.putLong(RecordLayout.OFFSET_OFFSET, -4096));
        write.gives(FrameFault.RANGE, b -> b.putLong(RecordLayout.OFFSET_OFFSET, 4095));
        write.gives(FrameFault.RANGE, b -> b.putLong(RecordLayout.OFFSET_OFFSET, -4096 & Long.MAX_VALUE));
        write.gives(FrameFault.FIELD, b -> b.putInt(RecordLayout.TABLE_OFFSET + 12, 1));
        write.gives(FrameFault.FIELD, b -> b.putShort(FrameLayout.FLAGS_OFFSET, (short) FrameLayout.FLAG_ALLOCATE));
        write.gives(FrameFault.FIELD, b -> b.putShort(FrameLayout.FLAGS_OFFSET, (short) 4));
        write.gives(FrameFault.FIELD, b -> b.putLong(FrameLayout.EPOCH_OFFSET, 0));
        write.gives(FrameFault.FIELD, b -> b.putLong(FrameLayout.EPOCH_OFFSET, -1));
        write.gives(FrameFault.FIELD, b -> b.putLong(FrameLayout.NUMBER_OFFSET, 0));
        write.gives(FrameFault.FIELD, b -> b.putLong(RecordLayout.COMMITTED_OFFSET, -1));
        write.gives(FrameFault.FIELD, b -> b.putLong(RecordLayout.DURABLE_POSITION_OFFSET, 1));
        write.gives(FrameFault.FIELD, b -> b.putInt(RecordLayout.SEGMENT_OFFSET, 1));
        write.gives(FrameFault.FIELD, b -> b.putInt(FrameLayout.SLOT_OFFSET, 1));
    }

    @Test
    void aWriteWithoutBlocksIsRefused() {
        FrameBuffer frame = pool.acquire(RecordLayout.TABLE_OFFSET);
        RecordLayout.encodeWrite(frame, 0, 1, 2, 1, 0, 0);
        assertThat(RecordLayout.check(frame.bytes(), 0, frame.length())).isEqualTo(FrameFault.COUNTS);
    }

    @Test
    void theLargestWriteIsAcceptedAndFitsItsLimit() {
        FrameBuffer frame = SampleFrames.write(pool, FrameLayout.BLOCKS_MAX, 0);
        assertThat(RecordLayout.check(frame.bytes(), 0, frame.length())).isEqualTo(FrameFault.NONE);
        assertThat(frame.length()).isLessThanOrEqualTo(FrameLayout.RECORD_BYTES_MAX);
    }

    @Test
    void faultsOfARangeAreNamed() {
        for (FrameType type : new FrameType[] {FrameType.WRITE_ZEROES, FrameType.DISCARD}) {
            Damage range =
                    new Damage(() -> SampleFrames.range(pool, type, FrameLayout.FLAG_FORCED), RecordLayout::check);
            range.gives(FrameFault.NONE, b -> b.putLong(RecordLayout.LENGTH_OFFSET, FrameLayout.RANGE_BYTES_MAX));
            range.gives(
                    FrameFault.RANGE, b -> b.putLong(RecordLayout.LENGTH_OFFSET, FrameLayout.RANGE_BYTES_MAX + 4096));
            range.gives(FrameFault.RANGE, b -> b.putLong(RecordLayout.LENGTH_OFFSET, 0));
            range.gives(FrameFault.RANGE, b -> b.putLong(RecordLayout.LENGTH_OFFSET, 512));
            range.gives(FrameFault.RANGE, b -> b.putLong(RecordLayout.LENGTH_OFFSET, -4096));
            range.gives(FrameFault.COUNTS, b -> b.putInt(RecordLayout.BLOCK_COUNT_OFFSET, 1));
            range.gives(
                    type == FrameType.DISCARD ? FrameFault.FIELD : FrameFault.NONE,
                    b -> b.putShort(FrameLayout.FLAGS_OFFSET, (short) FrameLayout.FLAG_ALLOCATE));
        }
    }

    @Test
    void aStructuralRecordHasNoRange() {
        Damage expand = new Damage(
                () -> MessageCodec.encodeStructure(pool, 0, 1, 2, 1, new StructureOperation.Expand(4096)),
                RecordLayout::check);
        expand.gives(FrameFault.RANGE, b -> b.putLong(RecordLayout.OFFSET_OFFSET, 4096));
        expand.gives(FrameFault.RANGE, b -> b.putLong(RecordLayout.LENGTH_OFFSET, 4096));
        expand.gives(FrameFault.COUNTS, b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, 72));
    }

    @Test
    void anAckReadsBackAndItsFaultsAreNamed() {
        ByteBuffer ack = SampleFrames.ack(pool).bytes();
        assertThat(AckLayout.journaled(ack, 0)).isEqualTo(1001);
        assertThat(AckLayout.durable(ack, 0)).isEqualTo(990);
        assertThat(AckLayout.creditBytes(ack, 0)).isEqualTo(1 << 22);
        assertThat(AckLayout.diskFull(ack, 0)).isTrue();
        Damage damage = new Damage(() -> SampleFrames.ack(pool), AckLayout::check);
        damage.gives(FrameFault.FIELD, b -> b.putLong(AckLayout.JOURNALED_OFFSET, 989));
        damage.gives(FrameFault.FIELD, b -> b.putLong(AckLayout.DURABLE_OFFSET, -1));
        damage.gives(FrameFault.FIELD, b -> b.putLong(AckLayout.CREDIT_OFFSET, -1));
        damage.gives(FrameFault.FIELD, b -> b.putLong(AckLayout.DISK_FULL_OFFSET, 2));
        damage.gives(FrameFault.NONE, b -> b.putLong(AckLayout.DISK_FULL_OFFSET, 0));
        damage.gives(FrameFault.FIELD, b -> b.putLong(FrameLayout.NUMBER_OFFSET, 1));
        damage.gives(FrameFault.COUNTS, b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, 64));
        damage.gives(FrameFault.TYPE, b -> b.putShort(FrameLayout.TYPE_OFFSET, (short) 33));
    }

    @Test
    void commitAndFlushAreToldApart() {
        for (FrameType type : new FrameType[] {FrameType.COMMIT, FrameType.FLUSH}) {
            FrameType other = type == FrameType.COMMIT ? FrameType.FLUSH : FrameType.COMMIT;
            ByteBuffer b = SampleFrames.sequence(pool, type).bytes();
            assertThat(SequenceLayout.check(b, 0, 40, type)).isEqualTo(FrameFault.NONE);
            assertThat(SequenceLayout.check(b, 0, 40, other)).isEqualTo(FrameFault.TYPE);
            assertThat(FrameLayout.number(b, 0)).isEqualTo(SampleFrames.SEQUENCE);
            new Damage(
                            () -> SampleFrames.sequence(pool, type),
                            (buffer, length) -> SequenceLayout.check(buffer, 0, length, type))
                    .gives(FrameFault.FIELD, buffer -> buffer.putShort(FrameLayout.FLAGS_OFFSET, (short) 1));
        }
    }

    @Test
    void aReadReadsBackAndItsFaultsAreNamed() {
        ByteBuffer read = SampleFrames.read(pool).bytes();
        assertThat(new LayerId(ReadLayout.layerEpoch(read, 0), ReadLayout.layerSequence(read, 0)))
                .isEqualTo(new LayerId(3, 400));
        assertThat(ReadLayout.pin(read, 0)).isEqualTo(9);
        assertThat(ReadLayout.offset(read, 0)).isEqualTo(1 << 20);
        assertThat(ReadLayout.length(read, 0)).isEqualTo(8192);
        Damage damage = new Damage(() -> SampleFrames.read(pool), ReadLayout::checkRead);
        damage.gives(FrameFault.RANGE, b -> b.putLong(ReadLayout.OFFSET_OFFSET, 1));
        damage.gives(FrameFault.RANGE, b -> b.putLong(ReadLayout.OFFSET_OFFSET, Long.MIN_VALUE));
        damage.gives(FrameFault.RANGE, b -> b.putInt(ReadLayout.LENGTH_OFFSET, 0));
        damage.gives(FrameFault.RANGE, b -> b.putInt(ReadLayout.LENGTH_OFFSET, FrameLayout.PAYLOAD_BYTES_MAX + 4096));
        damage.gives(FrameFault.NONE, b -> b.putInt(ReadLayout.LENGTH_OFFSET, FrameLayout.PAYLOAD_BYTES_MAX));
        damage.gives(FrameFault.FIELD, b -> b.putLong(ReadLayout.LAYER_SEQUENCE_OFFSET, 0));
        damage.gives(FrameFault.FIELD, b -> b.putLong(ReadLayout.LAYER_EPOCH_OFFSET, -1));
        damage.gives(FrameFault.COUNTS, b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, 64));
    }

    @Test
    void anAnswerReadsBackAndItsFaultsAreNamed() {
        for (boolean allZero : new boolean[] {false, true}) {
            FrameBuffer frame = SampleFrames.readOk(pool, allZero);
            ByteBuffer b = frame.bytes();
            assertThat(ReadLayout.blockCount(b, 0)).isEqualTo(3);
            assertThat(FrameLayout.payloadLength(b, 0)).isEqualTo(allZero ? 0 : 3 * 4096);
            assertThat(ReadLayout.firstMismatch(b, 0, 0)).isEqualTo(-1);
            Damage damage = new Damage(() -> SampleFrames.readOk(pool, allZero), ReadLayout::checkAnswer);
            damage.gives(FrameFault.COUNTS, x -> x.putInt(ReadLayout.BLOCK_COUNT_OFFSET, 0));
            damage.gives(FrameFault.COUNTS, x -> x.putInt(ReadLayout.BLOCK_COUNT_OFFSET, 5));
            damage.gives(FrameFault.COUNTS, x -> x.putInt(ReadLayout.BLOCK_COUNT_OFFSET, -3));
            damage.gives(FrameFault.FIELD, x -> x.putInt(ReadLayout.BLOCK_COUNT_OFFSET + 4, 1));
            damage.gives(FrameFault.FIELD, x -> x.putInt(ReadLayout.TABLE_OFFSET + 12, 1));
        }
    }

    @Test
    void damagedBlocksOfAnAnswerAreFoundOneByOne() {
        ByteBuffer b = SampleFrames.readOk(pool, false).bytes();
        int payload = ReadLayout.answerHeaderLength(3);
        b.put(payload + 7, (byte) 1);
        b.put(payload + 2 * 4096 + 7, (byte) 1);
        assertThat(ReadLayout.firstMismatch(b, 0, 0)).isZero();
        assertThat(ReadLayout.firstMismatch(b, 0, 1)).isEqualTo(2);
        assertThat(ReadLayout.firstMismatch(b, 0, 3)).isEqualTo(-1);
        ByteBuffer zero = SampleFrames.readOk(pool, true).bytes();
        zero.putInt(ReadLayout.TABLE_OFFSET + 4, 77);
        assertThat(ReadLayout.firstMismatch(zero, 0, 0)).isEqualTo(1);
    }

    @Test
    void layerBlocksReadBackAndTheirFaultsAreNamed() {
        FrameBuffer frame = SampleFrames.layerBlocks(pool);
        ByteBuffer b = frame.bytes();
        assertThat(LayerBlocksLayout.check(b, 0, frame.length())).isEqualTo(FrameFault.NONE);
        assertThat(LayerBlocksLayout.session(b, 0)).isEqualTo(77);
        assertThat(LayerBlocksLayout.layer(b, 0)).isEqualTo(new LayerId(5, 900));
        assertThat(LayerBlocksLayout.nextBlock(b, 0)).isEqualTo(7);
        assertThat(LayerBlocksLayout.entryCount(b, 0)).isEqualTo(3);
        assertThat(LayerBlocksLayout.block(b, 0, 1)).isEqualTo(5);
        assertThat(LayerBlocksLayout.state(b, 0, 0)).isEqualTo(BlockState.ZEROED);
        assertThat(LayerBlocksLayout.state(b, 0, 1)).isEqualTo(BlockState.DATA);
        assertThat(LayerBlocksLayout.state(b, 0, 2)).isEqualTo(BlockState.ABSENT);
        assertThat(LayerBlocksLayout.sequence(b, 0, 1)).isEqualTo(802);
        assertThat(LayerBlocksLayout.matches(b, 0)).isTrue();
        b.put(frame.length() - 1, (byte) 1);
        assertThat(LayerBlocksLayout.matches(b, 0)).isFalse();

        int entry = LayerBlocksLayout.ENTRIES_OFFSET + LayerBlocksLayout.ENTRY_BYTES;
        Damage damage = new Damage(() -> SampleFrames.layerBlocks(pool), LayerBlocksLayout::check);
        damage.gives(FrameFault.COUNTS, x -> x.putInt(LayerBlocksLayout.ENTRY_COUNT_OFFSET, 2));
        damage.gives(FrameFault.COUNTS, x -> x.putInt(LayerBlocksLayout.ENTRY_COUNT_OFFSET, -1));
        damage.gives(FrameFault.COUNTS, x -> x.putInt(LayerBlocksLayout.ENTRY_COUNT_OFFSET, Integer.MAX_VALUE));
        damage.gives(FrameFault.COUNTS, x -> x.putLong(entry + 8, 802));
        damage.gives(FrameFault.FIELD, x -> x.putLong(entry + 8, 3L << 62));
        damage.gives(FrameFault.FIELD, x -> x.putLong(entry, -1));
        damage.gives(FrameFault.FIELD, x -> x.putInt(entry + 20, 1));
        damage.gives(FrameFault.FIELD, x -> x.putInt(LayerBlocksLayout.ENTRY_COUNT_OFFSET + 4, 1));
        damage.gives(FrameFault.FIELD, x -> x.putLong(LayerBlocksLayout.NEXT_BLOCK_OFFSET, -2));
        damage.gives(FrameFault.NONE, x -> x.putLong(LayerBlocksLayout.NEXT_BLOCK_OFFSET, -1));
        damage.gives(FrameFault.FIELD, x -> x.putLong(LayerBlocksLayout.LAYER_SEQUENCE_OFFSET, -1));
    }

    @Test
    void damagedEntriesHaveNoBytes() {
        FrameBuffer frame = SampleFrames.damagedLayerBlocks(pool);
        ByteBuffer b = frame.bytes();
        assertThat(LayerBlocksLayout.check(b, 0, frame.length())).isEqualTo(FrameFault.NONE);
        assertThat(LayerBlocksLayout.damaged(b, 0, 0)).isZero();
        assertThat(LayerBlocksLayout.damaged(b, 0, 1)).isEqualTo(2);
        assertThat(LayerBlocksLayout.damaged(b, 0, 3)).isEqualTo(-1);
        assertThat(LayerBlocksLayout.isDamaged(b, 0, 1)).isFalse();
        assertThat(LayerBlocksLayout.sequence(b, 0, 0)).isEqualTo(801);
        assertThat(LayerBlocksLayout.crc(b, 0, 0)).isEqualTo(0x12345678);
        assertThat(LayerBlocksLayout.matches(b, 0)).isTrue();
        assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> LayerBlocksLayout.state(b, 0, 0));
    }

    @Test
    void blockThatIsGivenUpLeavesItsFrameAndTheOthersStay() {
        int entries = 4;
        int header = LayerBlocksLayout.headerLength(entries);
        FrameBuffer frame = pool.acquire(header + 3 * FrameLayout.BLOCK_BYTES);
        ByteBuffer b = frame.bytes();
        for (int i = 0, data = 0; i < entries; i++) {
            if (i == 1) {
                LayerBlocksLayout.putEntry(b, i, i, BlockState.ZEROED, 10, 0);
            } else {
                int at = header + data++ * FrameLayout.BLOCK_BYTES;
                b.put(at, SampleFrames.block(i), 0, FrameLayout.BLOCK_BYTES);
                LayerBlocksLayout.putEntry(b, i, i, BlockState.DATA, 10 + i, Checksum.block(b, at));
            }
        }
        LayerBlocksLayout.encode(frame, 5, 6, LayerId.ROOT, -1, entries, 3);
        int bad = header + FrameLayout.BLOCK_BYTES;
        b.put(bad, (byte) ~b.get(bad));
        assertThat(LayerBlocksLayout.mismatch(b, 0, 0)).isEqualTo(2);

        LayerBlocksLayout.giveUp(b, 0, 2);
        LayerBlocksLayout.readdress(b, 0, 5, 6, 7);

        int length = FrameLayout.frameLength(b, 0);
        assertThat(length).isEqualTo(header + 2 * FrameLayout.BLOCK_BYTES);
        assertThat(LayerBlocksLayout.check(b, 0, length)).isEqualTo(FrameFault.NONE);
        assertThat(LayerBlocksLayout.matches(b, 0)).isTrue();
        assertThat(LayerBlocksLayout.isDamaged(b, 0, 2)).isTrue();
        assertThat(LayerBlocksLayout.sequence(b, 0, 2)).isEqualTo(12);
        LayerBlocksLayout.giveUp(b, 0, 0);
        LayerBlocksLayout.giveUp(b, 0, 3);
        LayerBlocksLayout.readdress(b, 0, 5, 6, 7);
        assertThat(FrameLayout.frameLength(b, 0)).isEqualTo(header);
        assertThat(LayerBlocksLayout.matches(b, 0)).isTrue();
    }

    @Test
    void theFullestLayerBlocksFit() {
        int header = LayerBlocksLayout.headerLength(LayerBlocksLayout.ENTRIES_MAX);
        FrameBuffer frame = pool.acquire(header);
        for (int i = 0; i < LayerBlocksLayout.ENTRIES_MAX; i++) {
            LayerBlocksLayout.putEntry(frame.bytes(), i, i, BlockState.ZEROED, (1L << 62) - 1, 0);
        }
        LayerBlocksLayout.encode(frame, 1, 2, LayerId.ROOT, -1, LayerBlocksLayout.ENTRIES_MAX, 0);
        assertThat(LayerBlocksLayout.check(frame.bytes(), 0, frame.length())).isEqualTo(FrameFault.NONE);
        assertThat(LayerBlocksLayout.sequence(frame.bytes(), 0, 9)).isEqualTo((1L << 62) - 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LayerBlocksLayout.putEntry(frame.bytes(), 0, 0, BlockState.DATA, 1L << 62, 0));
    }

    @Test
    void whatCannotBeginAFrameIsRefusedBeforeItsLengthIsBelieved() {
        assertStartRefused("magic 0x00000000", b -> b.putInt(FrameLayout.MAGIC_OFFSET, 0));
        assertStartRefused("2147483640 bytes", b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, 0x7ffffff8));
        assertStartRefused("-8 bytes", b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, -8));
        assertStartRefused("32 bytes", b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, 32));
        assertStartRefused("44 bytes", b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, 44));
        assertStartRefused("payload of 4096 bytes", b -> b.putInt(FrameLayout.PAYLOAD_LENGTH_OFFSET, 4096));
        assertStartRefused("65544 bytes", b -> b.putInt(FrameLayout.FRAME_LENGTH_OFFSET, (64 << 10) + 8));
    }

    private void assertStartRefused(String word, Consumer<ByteBuffer> change) {
        ByteBuffer b = SampleFrames.sequence(pool, FrameType.COMMIT).bytes();
        change.accept(b);
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> FrameLayout.checkStart(b, 0))
                .withMessageContaining(word);
    }

    @Test
    void onlyListsOfLayersAndReplicasMayBeLong() {
        for (FrameType type : FrameType.values()) {
            boolean isLong = type == FrameType.STATUS_OK
                    || type == FrameType.REBUILD_BEGIN
                    || type == FrameType.LIST_REPLICAS_OK;
            int expected = isLong ? 1 << 20 : type == FrameType.HELLO ? 4 << 10 : 64 << 10;
            assertThat(FrameLayout.headerBytesMax(type.code())).isEqualTo(expected);
        }
        assertThat(FrameLayout.headerBytesMax(9999)).isEqualTo(64 << 10);
    }

    @Test
    void codesNameOneTypeEach() {
        for (FrameType type : FrameType.values()) {
            assertThat(FrameType.of(type.code())).isEqualTo(type);
        }
        assertThat(FrameType.of(-1)).isNull();
        assertThat(FrameType.of(0)).isNull();
        assertThat(FrameType.of(128)).isNull();
        for (BlockState state : BlockState.values()) {
            assertThat(BlockState.of(state.code())).isEqualTo(state);
        }
        assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> BlockState.of(3));
        assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> BlockState.of(-1));
        assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> Message.MapMode.of(0));
        assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> Message.MapMode.of(4));
    }

    @Test
    void everyFaultHasAnErrorCode() {
        for (FrameFault fault : FrameFault.values()) {
            if (fault != FrameFault.NONE) {
                assertThat(fault.errorCode()).isNotNull();
            }
        }
        assertThat(FrameFault.CHECKSUM.errorCode()).isEqualTo(ErrorCode.CHECKSUM_REFUSED);
        assertThatIllegalStateException().isThrownBy(FrameFault.NONE::errorCode);
    }

    @Test
    void everySampleIsFoundGoodByItsTypesCheckAndDamagedByAnyFlippedBit() {
        SampleFrames.frames(pool).forEach((name, frame) -> {
            ByteBuffer b = frame.bytes();
            assertThat(FrameFault.of(b, 0, frame.length())).as(name).isEqualTo(FrameFault.NONE);
            for (int bit = 0; bit < 8 * Math.min(FrameLayout.headerLength(b, 0), 512); bit++) {
                b.put(bit / 8, (byte) (b.get(bit / 8) ^ 1 << bit % 8));
                assertThat(FrameFault.of(b, 0, frame.length()))
                        .as("%s, bit %d", name, bit)
                        .isNotEqualTo(FrameFault.NONE);
                b.put(bit / 8, (byte) (b.get(bit / 8) ^ 1 << bit % 8));
            }
            assertThat(FrameFault.of(b, 0, 39)).isEqualTo(FrameFault.CUT);
        });
    }

    @Test
    void typesThatMayNotArriveAreNamed() {
        FrameBuffer frame = SampleFrames.sequence(pool, FrameType.COMMIT);
        for (int code : new int[] {0, 10, 20, 21, 22, 95, 1000}) {
            frame.bytes().putShort(FrameLayout.TYPE_OFFSET, (short) code);
            frame.bytes().putInt(FrameLayout.HEADER_CRC_OFFSET, 0);
            assertThat(FrameFault.of(frame.bytes(), 0, 40)).isEqualTo(FrameFault.CHECKSUM);
            FrameLayout.seal(frame.bytes(), 0);
            FrameFault expected = code >= 20 && code <= 22 ? FrameFault.COUNTS : FrameFault.TYPE;
            assertThat(FrameFault.of(frame.bytes(), 0, 40)).as("%d", code).isEqualTo(expected);
        }
    }

    @Test
    void theChecksumIsCastagnolis() {
        ByteBuffer digits = ByteBuffer.wrap("123456789".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThat(Checksum.of(digits, 0, 9)).isEqualTo(0xe3069283);
        assertThat(Checksum.ZERO_BLOCK).isEqualTo(0x98f94189);
        digits.position(2).limit(5);
        Checksum.of(digits, 0, 9);
        assertThat(digits.position()).isEqualTo(2);
        assertThat(digits.limit()).isEqualTo(5);
    }

    private interface Check {
        FrameFault of(ByteBuffer b, int at, int available);
    }

    /** Changes a good frame, seals it again, and says what the check must find. */
    private static final class Damage {
        private final java.util.function.Supplier<FrameBuffer> good;
        private final BiFunction<ByteBuffer, Integer, FrameFault> check;

        Damage(java.util.function.Supplier<FrameBuffer> good, Check check) {
            this(good, (b, length) -> check.of(b, 0, length));
        }

        Damage(java.util.function.Supplier<FrameBuffer> good, BiFunction<ByteBuffer, Integer, FrameFault> check) {
            this.good = good;
            this.check = check;
            FrameBuffer frame = good.get();
            assertThat(check.apply(frame.bytes(), frame.length())).isEqualTo(FrameFault.NONE);
            frame.bytes().put(FrameLayout.EPOCH_OFFSET, (byte) 99);
            assertThat(check.apply(frame.bytes(), frame.length())).isEqualTo(FrameFault.CHECKSUM);
            assertThat(check.apply(frame.bytes(), frame.length() - 1)).isEqualTo(FrameFault.CUT);
            assertThat(check.apply(frame.bytes(), 39)).isEqualTo(FrameFault.CUT);
            assertThat(check.apply(frame.bytes(), -1)).isEqualTo(FrameFault.CUT);
            frame.release();
        }

        void gives(FrameFault expected, Consumer<ByteBuffer> change) {
            FrameBuffer frame = good.get();
            ByteBuffer b = frame.bytes();
            change.accept(b);
            if (FrameLayout.lengthsFit(b, 0) && FrameLayout.frameLength(b, 0) <= frame.length()) {
                FrameLayout.seal(b, 0);
            }
            assertThat(check.apply(b, frame.length())).isEqualTo(expected);
            frame.release();
        }
    }
}
