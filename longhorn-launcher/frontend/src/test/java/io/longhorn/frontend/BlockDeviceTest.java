package io.longhorn.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Durability;
import io.longhorn.EventSubscription;
import io.longhorn.HeldSnapshot;
import io.longhorn.Longhorn;
import io.longhorn.ReadOnlyVolumeException;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.WriteOption;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockDeviceTest {

    @Test
    void snapshotIsReadOnlyAndStaysWhatItWas(@TempDir Path directory) {
        try (Longhorn longhorn = Longhorn.embedded(directory);
                Volume volume = longhorn.create(
                        VolumeSpec.named("disk").sizeBytes(1 << 20).build())) {
            BlockDevice device = BlockDevice.of(volume);
            join(device.writeAsync(4096, block(1), WriteOption.FORCED));
            try (HeldSnapshot held = volume.snapshot("before").hold()) {
                BlockDevice before = BlockDevice.of(held);
                join(device.writeAsync(4096, block(2)));
                join(device.flushAsync());
                assertThat(before.name()).isEqualTo("disk@before");
                assertThat(before.isReadOnly()).isTrue();
                assertThat(before.sizeBytes()).isEqualTo(1 << 20);
                assertThat(before.id()).isEqualTo(BlockDevice.of(held).id()).isNotEqualTo(device.id());
                assertThat(readByte(before, 4096)).isEqualTo((byte) 1);
                assertThat(readByte(device, 4096)).isEqualTo((byte) 2);
                assertThat(before.allocation(0, 1 << 20)).isEqualTo(held.allocation(0, 1 << 20));
                join(before.flushAsync());
                assertThatThrownBy(() -> join(before.writeAsync(0, block(3))))
                        .hasCauseInstanceOf(ReadOnlyVolumeException.class);
                assertThatThrownBy(() -> join(before.discardAsync(0, 4096)))
                        .hasCauseInstanceOf(ReadOnlyVolumeException.class);
            }
        }
    }

    @Test
    void newSizesAreTold(@TempDir Path directory) {
        try (Longhorn longhorn = Longhorn.embedded(directory);
                Volume volume = longhorn.create(
                        VolumeSpec.named("disk").sizeBytes(1 << 20).build())) {
            CompletableFuture<Long> told = new CompletableFuture<>();
            BlockDevice device = BlockDevice.of(volume);
            EventSubscription subscription = device.onResize(told::complete);
            volume.expandTo(2 << 20);
            assertThat(told.join()).isEqualTo(2 << 20);
            assertThat(device.sizeBytes()).isEqualTo(2 << 20);
            subscription.close();
        }
    }

    @Test
    void moreOperationsThanTheQueueTakesAllSucceed(@TempDir Path directory) {
        try (Longhorn longhorn = Longhorn.embedded(directory);
                Volume volume = longhorn.create(VolumeSpec.named("disk")
                        .sizeBytes(8 << 20)
                        .durability(Durability.ON_FLUSH)
                        .build())) {
            BlockDevice device = BlockDevice.of(volume);
            List<CompletionStage<Void>> writes = new ArrayList<>();
            for (int i = 0; i < 2048; i++) {
                writes.add(device.writeAsync(4096L * i, block(i)));
            }
            writes.forEach(BlockDeviceTest::join);
            assertThat(readByte(device, 4096L * 2047)).isEqualTo((byte) 2047);
        }
    }

    private static byte readByte(BlockDevice device, long offsetBytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1);
        join(device.readAsync(offsetBytes, buffer));
        return buffer.get(0);
    }

    private static ByteBuffer block(int value) {
        ByteBuffer block = ByteBuffer.allocate(Volume.BLOCK_BYTES);
        while (block.hasRemaining()) {
            block.put((byte) value);
        }
        return block.flip();
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
