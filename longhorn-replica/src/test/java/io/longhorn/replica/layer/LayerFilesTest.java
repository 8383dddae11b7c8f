package io.longhorn.replica.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.longhorn.DamagedFileException;
import io.longhorn.MissingFileException;
import io.longhorn.replica.disk.GoldenFile;
import io.longhorn.replica.disk.OpenFiles;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class LayerFilesTest {
    private final LayerRig rig;

    LayerFilesTest() throws IOException {
        rig = new LayerRig();
    }

    private static ByteBuffer blocks(int count, int value) {
        ByteBuffer b = ByteBuffer.allocate(count * 4096);
        Arrays.fill(b.array(), (byte) value);
        return b;
    }

    private ByteBuffer read(long block, int count) throws IOException {
        ByteBuffer b = blocks(count, 99);
        rig.layer.read(block, b);
        assertThat(b.hasRemaining()).isFalse();
        return b.flip();
    }

    @Test
    void fileNamesTellTheLayer() {
        assertThat(LayerFiles.baseName(new LayerId(5, 900))).isEqualTo("layer-0000000000000005-0000000000000384");
        assertThat(LayerFiles.layerOf("layer-0000000000000005-0000000000000384.map"))
                .contains(new LayerId(5, 900));
        assertThat(LayerFiles.layerOf("layer-0000000000000005-0000000000000384.data"))
                .contains(new LayerId(5, 900));
        for (String other : List.of(
                "replica.meta",
                "layer-5-900.map",
                "layer-0000000000000005-0000000000000384.map.new",
                "layer-0000000000000005-0000000000000000.map",
                "layer-ffffffffffffffff-0000000000000384.map",
                "layer-0000000000000005-ffffffffffffffff.data")) {
            assertThat(LayerFiles.layerOf(other)).as(other).isEmpty();
        }
    }

    @Test
    void blocksAreReadWhereTheyWereWritten() throws IOException {
        rig.layer.retain();
        rig.layer.write(10, blocks(3, 7));
        rig.layer.syncData();
        rig.layer.release();
        assertThat(read(9, 5))
                .isEqualTo(ByteBuffer.allocate(5 * 4096).put(4096, blocks(3, 7).array()));
        assertThat(rig.layer.allocatedBytes()).isBetween(3 * 4096L, 6 * 4096L);
        assertThatIllegalArgumentException().isThrownBy(() -> rig.layer.read(-1, blocks(1, 0)));
        long last = LayerRig.SIZE_BYTES / 4096 - 1;
        rig.layer.read(last, blocks(1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> rig.layer.read(last, blocks(2, 0)));
        assertThatIllegalArgumentException().isThrownBy(() -> rig.layer.read(0, ByteBuffer.allocate(4095)));
    }

    @Test
    void punchedBlocksTakeNoSpace() throws IOException {
        rig.layer.retain();
        rig.layer.write(10, blocks(8, 7));
        long before = rig.layer.allocatedBytes();
        assertThat(rig.layer.punch(11, 4)).isTrue();
        assertThat(before - rig.layer.allocatedBytes()).isEqualTo(4 * 4096);
        rig.layer.release();
        assertThat(read(11, 4)).isEqualTo(blocks(4, 0));
        assertThat(read(15, 1)).isEqualTo(blocks(1, 7));
    }

    @Test
    void aNewLayerIsDurableWhenCreateReturns() throws IOException {
        rig.disk.forgetUnsynced();
        rig.layer.verify();
        assertThat(rig.layer.map().entry(0)).isEqualTo(MapEntry.ABSENT);
        assertThat(rig.disk.open).isEqualTo(rig.openFiles.open());
    }

    @Test
    void creatingReplacesLeftovers() throws IOException {
        rig.update(BlockState.DATA, 5, 3);
        rig.layer.close();
        LayerFiles.create(rig.disk, LayerRig.PLACE, LayerRig.LAYER, LayerRig.SIZE_BYTES);
        assertThat(new LayerRig(rig.disk).map().entry(3)).isEqualTo(MapEntry.ABSENT);
    }

    @Test
    void expandingKeepsWhatIsThereAndIsDurable() throws IOException {
        rig.update(BlockState.DATA, 5, 3);
        LayerFiles.expand(rig.disk, LayerRig.PLACE, LayerRig.LAYER, 3 * LayerRig.SIZE_BYTES);
        LayerFiles.expand(rig.disk, LayerRig.PLACE, LayerRig.LAYER, 2 * LayerRig.SIZE_BYTES);
        rig.disk.forgetUnsynced();
        rig.layer.sizeBytes(3 * LayerRig.SIZE_BYTES);
        rig.layer.verify();
        rig.layer.read(3 * LayerRig.SIZE_BYTES / 4096 - 1, blocks(1, 0));
        assertThat(rig.layer.map().entry(3)).isEqualTo(LayerRig.data(5));
    }

    @Test
    void filesMissingOrCutShortAreNoticed() throws IOException {
        rig.layer.verify();
        for (String name : List.of(LayerRig.DATA_FILE, LayerRig.MAP_FILE)) {
            byte[] good = rig.disk.bytes(name);
            rig.disk.delete(name);
            assertThatExceptionOfType(MissingFileException.class).isThrownBy(() -> rig.layer.verify());
            for (int length : new int[] {0, 4096, good.length - 1}) {
                rig.disk.put(name, Arrays.copyOf(good, length));
                assertThatExceptionOfType(DamagedFileException.class).isThrownBy(() -> rig.layer.verify());
            }
            rig.disk.put(name, good);
            rig.layer.verify();
        }
    }

    @Test
    void deletingRemovesBothFilesAndTwiceIsFine() throws IOException {
        rig.layer.map().entry(0);
        rig.layer.close();
        LayerFiles.delete(rig.disk, LayerRig.PLACE, LayerRig.LAYER);
        LayerFiles.delete(rig.disk, LayerRig.PLACE, LayerRig.LAYER);
        assertThat(rig.disk.list(LayerRig.PLACE)).isEmpty();
        assertThat(rig.openFiles.open()).isZero();
        assertThat(rig.disk.open).isZero();
    }

    @Test
    void aRetainedLayerIsNotClosed() throws IOException {
        rig.layer.retain();
        assertThatIllegalStateException().isThrownBy(() -> rig.layer.close());
        rig.layer.release();
        assertThatIllegalStateException().isThrownBy(() -> rig.layer.release());
        rig.layer.close();
    }

    /** Layers that share the disk, the open files and the cache of the rig. */
    private List<LayerFiles> layers(int count) throws IOException {
        List<LayerFiles> layers = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            LayerId id = new LayerId(1, i);
            LayerFiles.create(rig.disk, LayerRig.PLACE, id, 40960);
            layers.add(new LayerFiles(rig.openFiles, rig.cache, LayerRig.PLACE, LayerRig.REPLICA, id, 40960));
        }
        return layers;
    }

    @Test
    void onlySoManyFilesAreOpenWhateverIsUsed() throws IOException {
        List<LayerFiles> layers = layers(40);
        for (int round = 0; round < 3; round++) {
            for (LayerFiles layer : layers) {
                layer.read(0, blocks(1, 0));
                layer.map().entry(round);
                assertThat(rig.openFiles.open()).isLessThanOrEqualTo(10);
                assertThat(rig.disk.open).isEqualTo(rig.openFiles.open());
            }
        }
        rig.openFiles.close();
        assertThat(rig.disk.open).isZero();
        layers.get(0).read(0, blocks(1, 0));
        assertThat(rig.openFiles.open()).isEqualTo(1);
    }

    @Test
    void filesInUseOrUnsyncedStayOpen() throws IOException {
        List<LayerFiles> layers = layers(40);
        for (LayerFiles layer : layers.subList(0, 15)) {
            layer.retain();
        }
        assertThat(rig.openFiles.open()).isEqualTo(30);
        for (LayerFiles layer : layers.subList(0, 15)) {
            layer.write(1, blocks(1, 5));
            layer.release();
        }
        for (LayerFiles layer : layers.subList(15, 40)) {
            layer.read(0, blocks(1, 0));
        }
        rig.disk.failingSync = "layer";
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> layers.get(0).syncData());
        rig.disk.failingSync = "-none-";
        int opened = rig.disk.open;
        for (LayerFiles layer : layers.subList(0, 15)) {
            layer.syncData();
        }
        assertThat(rig.disk.open).as("none of them had to be opened again").isEqualTo(opened);
        for (int round = 0; round < 3; round++) {
            for (LayerFiles layer : layers.subList(15, 40)) {
                layer.read(0, blocks(1, 0));
            }
        }
        assertThat(rig.openFiles.open()).isLessThan(opened);
    }

    @Test
    void openFilesNeedRoomForOne() {
        assertThatIllegalArgumentException().isThrownBy(() -> new OpenFiles(rig.disk, 0));
    }

    @Test
    void aMapPageFollowsItsVector() throws IOException {
        rig.update(BlockState.DATA, 7, 0, 5);
        rig.update(BlockState.ZEROED, 8, 5, 335);
        byte[] written = Arrays.copyOf(rig.disk.bytes(LayerRig.MAP_FILE), BlockMap.PAGE_FILE_BYTES);
        GoldenFile.check("layer/v1/map-page", written, file -> {
            LayerRig reader = new LayerRig();
            reader.disk.poke(LayerRig.MAP_FILE, 0, file);
            StringBuilder words =
                    new StringBuilder("replica " + LayerRig.REPLICA + ", layer " + LayerRig.LAYER + ", page 0\n");
            reader.map().walk(0, MapPage.ENTRIES, 0, (block, entry, crc) -> {
                words.append("block ").append(block).append(": ").append(MapEntry.state(entry));
                words.append(", sequence ")
                        .append(MapEntry.sequence(entry))
                        .append(", crc ")
                        .append(crc)
                        .append('\n');
                return true;
            });
            return words.toString();
        });
    }
}
