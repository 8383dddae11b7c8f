package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.longhorn.DamagedFileException;
import io.longhorn.replica.disk.DamageList;
import io.longhorn.replica.disk.GoldenFile;
import io.longhorn.replica.disk.MemoryDisk;
import io.longhorn.replica.journal.JournalRig;
import io.longhorn.replica.layer.LayerRig;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.RecordLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

class ParkedTailTest {
    private static final String NAME = LayerRig.PLACE + "/" + ParkedTail.FILE;

    private final JournalRig rig = new JournalRig();
    private final MemoryDisk disk = rig.disk;

    ParkedTailTest() {
        disk.createDirectories(LayerRig.PLACE);
    }

    private void write(List<ByteBuffer> frames) throws IOException {
        Iterator<ByteBuffer> next = frames.iterator();
        ParkedTail.write(disk, LayerRig.PLACE, LayerRig.REPLICA, target -> {
            if (!next.hasNext()) {
                return false;
            }
            target.put(next.next().duplicate());
            return true;
        });
    }

    private List<ByteBuffer> read() throws IOException {
        List<ByteBuffer> frames = new ArrayList<>();
        ParkedTail.read(disk, LayerRig.PLACE, LayerRig.REPLICA, (b, at) -> {
            int length = FrameLayout.frameLength(b, at);
            frames.add(ByteBuffer.allocate(length).put(0, b, at, length));
        });
        return frames;
    }

    @Test
    void recordsAreReadAsTheyWereParkedWithoutTheirStamp() throws IOException {
        assertThat(ParkedTail.exists(disk, LayerRig.PLACE)).isFalse();
        List<ByteBuffer> frames = List.of(
                rig.write(7, 64),
                rig.discard(8),
                rig.write(9, 1),
                rig.write(10, 64),
                rig.write(11, 64),
                rig.write(12, 64));
        List<ByteBuffer> stamped = new ArrayList<>();
        for (ByteBuffer frame : frames) {
            ByteBuffer copy = ByteBuffer.allocate(frame.limit())
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .put(0, frame, 0, frame.limit());
            RecordLayout.stamp(copy, 0, 3, 4096, 17);
            stamped.add(copy);
        }
        write(stamped);
        disk.forgetUnsynced();
        assertThat(ParkedTail.exists(disk, LayerRig.PLACE)).isTrue();
        assertThat(read()).isEqualTo(frames);
        write(List.of());
        assertThat(read()).isEmpty();
        ParkedTail.delete(disk, LayerRig.PLACE);
        ParkedTail.delete(disk, LayerRig.PLACE);
        disk.forgetUnsynced();
        assertThat(ParkedTail.exists(disk, LayerRig.PLACE)).isFalse();
        assertThat(disk.open).isZero();
    }

    @Test
    void aDamagedRecordIsNotParked() throws IOException {
        ByteBuffer good = rig.write(7, 1);
        write(List.of(good));
        for (int at : new int[] {0, 40, 81, 2000}) {
            ByteBuffer bad = ByteBuffer.allocate(good.limit())
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .put(0, good, 0, good.limit());
            bad.put(at, (byte) (bad.get(at) ^ 1));
            assertThatExceptionOfType(DamagedFileException.class).isThrownBy(() -> write(List.of(bad)));
        }
        assertThat(read()).containsExactly(good);
    }

    @Test
    void aDamagedFileIsRefusedBeforeAnyRecordIsGiven() throws IOException {
        write(List.of(rig.discard(8), rig.discard(9)));
        List<Integer> given = new ArrayList<>();
        DamageList.Reader reader = () -> {
            given.clear();
            try {
                ParkedTail.read(disk, LayerRig.PLACE, LayerRig.REPLICA, (b, at) -> given.add(at));
            } catch (io.longhorn.ReplicaException e) {
                assertThat(given).isEmpty();
                throw e;
            }
        };
        DamageList damage = new DamageList(disk, NAME, reader);
        damage.check();
        damage.checkOwner();
        damage.refuseBody("half a record", Arrays.copyOf(damage.body(), 120));
        damage.refuseBody("half a header", Arrays.copyOf(damage.body(), 30));
        byte[] flipped = damage.body();
        flipped[90] ^= 1;
        damage.refuseBody("a record that does not match its own checksum", flipped);
        disk.unreadable.add(NAME + "@0");
        assertThatExceptionOfType(DamagedFileException.class).isThrownBy(reader::read);
        disk.unreadable.clear();
        reader.read();
        assertThat(given).hasSize(2);
    }

    @Test
    void aParkedTailFollowsItsVector() throws IOException {
        write(List.of(rig.discard(8), rig.allocate(9), rig.discard(10)));
        GoldenFile.check("replica/v1/tail-parked", disk.bytes(NAME), file -> {
            disk.put(NAME, file);
            StringBuilder words = new StringBuilder("replica " + LayerRig.REPLICA + "\n");
            read().forEach(frame -> {
                ByteBuffer b = frame.order(ByteOrder.LITTLE_ENDIAN);
                words.append("type ").append(FrameLayout.type(b, 0));
                words.append(", sequence ").append(RecordLayout.sequence(b, 0)).append('\n');
            });
            return words.toString();
        });
    }
}
