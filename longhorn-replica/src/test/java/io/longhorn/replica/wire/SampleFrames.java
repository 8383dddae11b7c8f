package io.longhorn.replica.wire;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * One frame of every type with fixed content, by name. Golden vectors and damage tests use them. A sample never changes, as its vector
 * never does; for new things add new samples.
 */
final class SampleFrames {
    static final long EPOCH = 7;
    static final long REQUEST = 0x0102030405060708L;
    static final long SEQUENCE = 1001;
    static final long COMMITTED = 998;

    private static final UUID ENGINE = new UUID(0x1111222233334444L, 0x5555666677778888L);
    private static final UUID CLUSTER = new UUID(0xa0a1a2a3a4a5a6a7L, 0xb0b1b2b3b4b5b6b7L);
    private static final UUID VOLUME = new UUID(0xc0c1c2c3c4c5c6c7L, 0xd0d1d2d3d4d5d6d7L);
    private static final UUID REPLICA = new UUID(0xe0e1e2e3e4e5e6e7L, 0xf0f1f2f3f4f5f6f7L);
    private static final LayerId FROZEN = new LayerId(3, 400);
    private static final LayerId HEAD = new LayerId(5, 900);

    private SampleFrames() {}

    static Map<String, Message> messages() {
        Map<String, Message> samples = new LinkedHashMap<>();
        samples.put("hello", new Message.Hello(1, 1, 0, ENGINE, CLUSTER, "s3cret"));
        samples.put("hello-ok", new Message.HelloOk(1, 0, REPLICA, "boot-17", 2, 12, 1L << 40));
        samples.put("fence", new Message.Fence(EPOCH, ENGINE, CLUSTER, VOLUME, REPLICA, 42));
        samples.put(
                "fence-ok",
                new Message.FenceOk(
                        EPOCH,
                        5,
                        1000,
                        1000,
                        990,
                        980,
                        true,
                        false,
                        0,
                        1L << 30,
                        1L << 22,
                        -1,
                        List.of(new Message.EpochStart(3, 1), new Message.EpochStart(5, 700))));
        samples.put(
                "create-replica", new Message.CreateReplica(EPOCH, VOLUME, "orders", REPLICA, 1L << 30, 42, ENGINE));
        samples.put("delete-replica", new Message.DeleteReplica(EPOCH, VOLUME, REPLICA));
        samples.put("done", new Message.Done());
        samples.put("error", new Message.Failure(2207, 1002, 1005, "expected sequence 1002, found 1005"));
        samples.put("ping", new Message.Ping(EPOCH, -123456789L));
        samples.put("pong", new Message.Pong(EPOCH, -123456789L));
        samples.put("status", new Message.Status());
        samples.put("status-ok", new Message.StatusOk(1L << 30, 1000, 998, 950, 5L << 20, 1, layers()));
        samples.put(
                "map-query", new Message.MapQuery(Message.MapMode.CHANGED, LayerId.LIVE, 9, FROZEN, 400, 0, 262144));
        samples.put(
                "map-page",
                new Message.MapPage(
                        4096,
                        List.of(
                                new Message.MapRun(0, 16, BlockState.DATA, 0),
                                new Message.MapRun(16, 4000, BlockState.ABSENT, 0),
                                new Message.MapRun(4016, 80, BlockState.ZEROED, 0))));
        samples.put("records", new Message.Records(991, 1 << 20));
        samples.put("records-ok", new Message.RecordsOk(false, 1001));
        samples.put(
                "rebuild-begin",
                new Message.RebuildBegin(
                        EPOCH,
                        77,
                        700,
                        1000,
                        EPOCH,
                        1L << 30,
                        List.of(new Message.EpochStart(3, 1), new Message.EpochStart(EPOCH, 1000)),
                        layers()));
        samples.put("layer-read-range", new Message.LayerRead(HEAD, 700, 0, 1 << 18, List.of()));
        samples.put("layer-read-blocks", new Message.LayerRead(HEAD, 0, 0, 0, List.of(5L, 1L << 33)));
        samples.put("rebuild-progress", new Message.RebuildProgress(77, 60, 4));
        samples.put("rebuild-end", new Message.RebuildEnd(77, 1020));
        samples.put("joined", new Message.Joined(77, 43));
        samples.put("repair", new Message.Repair(HEAD, 5, 930, Checksum.block(block(5), 0), bytes(block(5))));
        samples.put("pin", new Message.Pin(9, FROZEN));
        samples.put("unpin", new Message.Unpin(9));
        samples.put("damage", new Message.Damage(FROZEN, 5, 388, 0xdeadbeef));
        samples.put("list-replicas", new Message.ListReplicas());
        samples.put(
                "list-replicas-ok",
                new Message.ListReplicasOk(
                        List.of(new Message.ReplicaInfo(VOLUME, "orders", REPLICA, EPOCH, 1L << 30))));
        samples.put("close-volume", new Message.CloseVolume(EPOCH, 1020));
        return samples;
    }

    static Map<String, StructureOperation> structures() {
        Map<String, StructureOperation> samples = new LinkedHashMap<>();
        samples.put(
                "snapshot",
                new StructureOperation.CreateSnapshot(
                        "before-migration", true, 1_700_000_000_000L, Map.of("owner", "ops", "caf\u00e9", "\u20ac")));
        samples.put("snapshot-delete", new StructureOperation.DeleteSnapshot(FROZEN));
        samples.put("revert", new StructureOperation.Revert(FROZEN));
        samples.put("expand", new StructureOperation.Expand(1L << 31));
        samples.put("view", new StructureOperation.ViewChange(43, List.of(REPLICA, VOLUME)));
        samples.put("epoch-start", new StructureOperation.BeginEpoch(ENGINE, 42, List.of(REPLICA)));
        return samples;
    }

    /** Every sample as an encoded frame. */
    static Map<String, FrameBuffer> frames(FramePool pool) {
        Map<String, FrameBuffer> frames = new LinkedHashMap<>();
        frames.put("write-1-block-forced", write(pool, 1, FrameLayout.FLAG_FORCED));
        frames.put("write-2-blocks", write(pool, 2, 0));
        frames.put("write-zeroes", range(pool, FrameType.WRITE_ZEROES, FrameLayout.FLAG_ALLOCATE));
        frames.put("discard", range(pool, FrameType.DISCARD, 0));
        structures()
                .forEach((name, operation) ->
                        frames.put(name, MessageCodec.encodeStructure(pool, 0, EPOCH, SEQUENCE, COMMITTED, operation)));
        frames.put("ack", ack(pool));
        frames.put("commit", sequence(pool, FrameType.COMMIT));
        frames.put("flush", sequence(pool, FrameType.FLUSH));
        frames.put("read", read(pool));
        frames.put("read-ok", readOk(pool, false));
        frames.put("read-ok-zero", readOk(pool, true));
        messages().forEach((name, message) -> frames.put(name, MessageCodec.encode(pool, EPOCH, REQUEST, message)));
        frames.put("layer-blocks", layerBlocks(pool));
        frames.put("layer-blocks-damaged", damagedLayerBlocks(pool));
        return frames;
    }

    static FrameBuffer write(FramePool pool, int blocks, int flags) {
        FrameBuffer frame = pool.acquire(RecordLayout.writeFrameLength(blocks));
        for (int i = 0; i < blocks; i++) {
            int at = RecordLayout.writeHeaderLength(blocks) + i * FrameLayout.BLOCK_BYTES;
            frame.bytes().put(at, block(i), 0, FrameLayout.BLOCK_BYTES);
        }
        RecordLayout.encodeWrite(frame, flags, EPOCH, SEQUENCE, COMMITTED, 3L * FrameLayout.BLOCK_BYTES, blocks);
        return frame;
    }

    static FrameBuffer range(FramePool pool, FrameType type, int flags) {
        FrameBuffer frame = pool.acquire(RecordLayout.TABLE_OFFSET);
        RecordLayout.encodeRange(frame, type, flags, EPOCH, SEQUENCE, COMMITTED, 1 << 20, 1 << 16);
        return frame;
    }

    static FrameBuffer ack(FramePool pool) {
        FrameBuffer frame = pool.acquire(AckLayout.FRAME_BYTES);
        AckLayout.encode(frame, EPOCH, 1001, 990, 1L << 22, true);
        return frame;
    }

    static FrameBuffer sequence(FramePool pool, FrameType type) {
        FrameBuffer frame = pool.acquire(SequenceLayout.FRAME_BYTES);
        SequenceLayout.encode(frame, type, EPOCH, SEQUENCE);
        return frame;
    }

    static FrameBuffer read(FramePool pool) {
        FrameBuffer frame = pool.acquire(ReadLayout.READ_BYTES);
        ReadLayout.encodeRead(frame, EPOCH, REQUEST, FROZEN, 9, 1 << 20, 2 * FrameLayout.BLOCK_BYTES);
        return frame;
    }

    static FrameBuffer readOk(FramePool pool, boolean allZero) {
        int blocks = 3;
        int header = ReadLayout.answerHeaderLength(blocks);
        FrameBuffer frame = pool.acquire(header + blocks * FrameLayout.BLOCK_BYTES);
        for (int i = 0; i < blocks; i++) {
            int crc = Checksum.ZERO_BLOCK;
            if (!allZero) {
                int at = header + i * FrameLayout.BLOCK_BYTES;
                frame.bytes().put(at, block(i), 0, FrameLayout.BLOCK_BYTES);
                crc = Checksum.block(frame.bytes(), at);
            }
            frame.bytes().putInt(ReadLayout.TABLE_OFFSET + 4 * i, crc);
        }
        ReadLayout.encodeAnswer(frame, EPOCH, REQUEST, blocks, allZero);
        return frame;
    }

    static FrameBuffer layerBlocks(FramePool pool) {
        int entries = 3;
        int header = LayerBlocksLayout.headerLength(entries);
        FrameBuffer frame = pool.acquire(header + FrameLayout.BLOCK_BYTES);
        ByteBuffer b = frame.bytes();
        b.put(header, block(5), 0, FrameLayout.BLOCK_BYTES);
        LayerBlocksLayout.putEntry(b, 0, 4, BlockState.ZEROED, 801, 0);
        LayerBlocksLayout.putEntry(b, 1, 5, BlockState.DATA, 802, Checksum.block(b, header));
        LayerBlocksLayout.putEntry(b, 2, 6, BlockState.ABSENT, 0, 0);
        LayerBlocksLayout.encode(frame, EPOCH, REQUEST, HEAD, 7, entries, 1);
        LayerBlocksLayout.readdress(b, 0, EPOCH, REQUEST, 77);
        return frame;
    }

    /** One block that is there, one whose bytes are lost, and one whose entry is lost too. */
    static FrameBuffer damagedLayerBlocks(FramePool pool) {
        int entries = 3;
        int header = LayerBlocksLayout.headerLength(entries);
        FrameBuffer frame = pool.acquire(header + FrameLayout.BLOCK_BYTES);
        ByteBuffer b = frame.bytes();
        b.put(header, block(5), 0, FrameLayout.BLOCK_BYTES);
        LayerBlocksLayout.putDamaged(b, 0, 4, 801, 0x12345678);
        LayerBlocksLayout.putEntry(b, 1, 5, BlockState.DATA, 802, Checksum.block(b, header));
        LayerBlocksLayout.putDamaged(b, 2, 6, 0, 0);
        LayerBlocksLayout.encode(frame, EPOCH, REQUEST, HEAD, 7, entries, 1);
        LayerBlocksLayout.readdress(b, 0, EPOCH, REQUEST, 77);
        return frame;
    }

    /** Content of a block that differs by {@code seed} and compresses well enough for a vector to stay readable. */
    static ByteBuffer block(int seed) {
        ByteBuffer block = ByteBuffer.allocate(FrameLayout.BLOCK_BYTES);
        for (int i = 0; i < 16; i++) {
            block.put(i * 256, (byte) (seed + i + 1));
        }
        return block;
    }

    static byte[] bytes(ByteBuffer block) {
        byte[] bytes = new byte[block.capacity()];
        block.get(0, bytes);
        return bytes;
    }

    private static List<Message.Layer> layers() {
        return List.of(
                new Message.Layer(
                        LayerId.ROOT, LayerId.LIVE, 400, "", false, true, 1_690_000_000_000L, 1L << 29, 4096, Map.of()),
                new Message.Layer(
                        FROZEN,
                        LayerId.ROOT,
                        900,
                        "nightly-1",
                        true,
                        false,
                        1_700_000_000_000L,
                        1L << 30,
                        1L << 20,
                        Map.of("job", "nightly")),
                new Message.Layer(HEAD, FROZEN, 0, "", false, false, 0, 1L << 30, 1L << 18, Map.of()));
    }
}
