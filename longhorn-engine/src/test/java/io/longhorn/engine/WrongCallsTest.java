package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.FencedException;
import io.longhorn.Longhorn;
import io.longhorn.LonghornConfig;
import io.longhorn.OutOfRangeException;
import io.longhorn.Snapshot;
import io.longhorn.SnapshotExistsException;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.Volume;
import io.longhorn.VolumeClosedException;
import io.longhorn.VolumeExistsException;
import io.longhorn.VolumeInUseException;
import io.longhorn.VolumeNotFoundException;
import io.longhorn.VolumeSpec;
import io.longhorn.ZeroOption;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a program is told that asks for the wrong thing, and that nothing happens then. */
class WrongCallsTest {
    private static final int BLOCK = Volume.BLOCK_BYTES;
    private static final long SIZE = 16L * BLOCK;

    @TempDir
    Path directory;

    private Longhorn longhorn;
    private Volume volume;

    @BeforeEach
    void open() {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        volume = longhorn.create(VolumeSpec.named("orders").sizeBytes(SIZE).build());
    }

    @AfterEach
    void close() {
        longhorn.close();
    }

    @Test
    void nameThatIsNoneNeverReachesTheFiles() {
        for (String name : new String[] {"", "a", "../orders", "a/b", ".hidden", "-x", "with space", "n".repeat(64)}) {
            assertThatThrownBy(() -> longhorn.open(name))
                    .as(name)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("\"" + name + "\"");
            assertThatThrownBy(() -> longhorn.delete(name)).as(name).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> VolumeSpec.named(name)).as(name).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> volume.snapshot(name)).as(name).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(longhorn.volumes()).containsExactly("orders");
    }

    @Test
    void sizeIsNeededAndWhole() {
        VolumeSpec without = VolumeSpec.named("other").build();
        assertThatThrownBy(() -> longhorn.create(without))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("other");
        for (long size : new long[] {0, -BLOCK, 1, BLOCK - 1, BLOCK + 1}) {
            assertThatThrownBy(() -> VolumeSpec.named("other").sizeBytes(size).build())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(String.valueOf(size));
        }
        assertThat(longhorn.volumes()).containsExactly("orders");
    }

    @Test
    void nameThatIsTakenOrUnknownIsSaid() {
        assertThatThrownBy(() -> longhorn.create(
                        VolumeSpec.named("orders").sizeBytes(BLOCK).build()))
                .isInstanceOf(VolumeExistsException.class)
                .hasMessageContaining("orders");
        assertThatThrownBy(() -> longhorn.open("unknown"))
                .isInstanceOf(VolumeNotFoundException.class)
                .hasMessageContaining("unknown");
        assertThatThrownBy(() -> longhorn.delete("unknown")).isInstanceOf(VolumeNotFoundException.class);
        volume.snapshot("first");
        assertThatThrownBy(() -> volume.snapshot("first"))
                .isInstanceOf(SnapshotExistsException.class)
                .hasMessageContaining("first");
        assertThat(volume.sizeBytes()).isEqualTo(SIZE);
    }

    @Test
    void rangeBeyondTheVolumeIsRefusedAndMovesNoBuffer() {
        ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
        for (long offset : new long[] {-1, SIZE - BLOCK + 1, SIZE, SIZE + 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
            refused(() -> volume.read(offset, buffer));
            refused(() -> volume.write(offset, buffer));
            refused(() -> volume.readAsync(offset, buffer));
            refused(() -> volume.writeAsync(offset, buffer));
            refused(() -> volume.discard(offset, BLOCK));
            refused(() -> volume.writeZeroes(offset, BLOCK, ZeroOption.ALLOCATE));
            refused(() -> volume.compareAndWrite(offset, buffer, ByteBuffer.allocate(BLOCK)));
            refused(() -> volume.allocation(offset, BLOCK));
        }
        refused(() -> volume.discard(0, -1));
        refused(() -> volume.writeZeroes(0, SIZE + 1));
        refused(() -> volume.discard(1, Long.MAX_VALUE));
        assertThat(buffer.position()).isZero();
        volume.read(SIZE, ByteBuffer.allocate(0));
        volume.discard(SIZE, 0);
    }

    private static void refused(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(OutOfRangeException.class);
    }

    @Test
    void bufferThatCannotBeFilledIsRefused() {
        ByteBuffer readOnly = ByteBuffer.allocate(BLOCK).asReadOnlyBuffer();
        assertThatThrownBy(() -> volume.read(0, readOnly)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> volume.readAsync(0, readOnly)).isInstanceOf(IllegalArgumentException.class);
        volume.write(0, readOnly);
        assertThat(readOnly.hasRemaining()).isFalse();
        assertThatThrownBy(() -> volume.read(0, null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> volume.write(0, null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> volume.compareAndWrite(0, ByteBuffer.allocate(4), ByteBuffer.allocate(5)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> volume.compareAndWrite(0, ByteBuffer.allocate(65537), ByteBuffer.allocate(65537)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void volumeOnlyGrows() {
        for (long size : new long[] {SIZE - BLOCK, SIZE + 1, 0, -BLOCK}) {
            assertThatThrownBy(() -> volume.expandTo(size))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(String.valueOf(size));
        }
        assertThat(volume.sizeBytes()).isEqualTo(SIZE);
    }

    @Test
    void snapshotThatWasDeletedIsNotReadAndNotRevertedTo() {
        Snapshot first = volume.snapshot("first");
        Snapshot second = volume.snapshot("second");
        assertThat(second.parent())
                .hasValueSatisfying(parent -> assertThat(parent.name()).isEqualTo("first"));
        first.delete();
        assertThatThrownBy(() -> first.read(0, ByteBuffer.allocate(BLOCK)))
                .isInstanceOf(SnapshotNotFoundException.class);
        assertThatThrownBy(() -> volume.revertTo(first)).isInstanceOf(SnapshotNotFoundException.class);
        assertThatThrownBy(first::delete).isInstanceOf(SnapshotNotFoundException.class);
        assertThat(volume.snapshots()).extracting(Snapshot::name).containsExactly("second");
        assertThatThrownBy(() -> second.read(SIZE, ByteBuffer.allocate(1))).isInstanceOf(OutOfRangeException.class);
    }

    @Test
    void openVolumeIsTheSameObjectAndIsNotDeleted() {
        assertThat(longhorn.open("orders")).isSameAs(volume);
        assertThatThrownBy(() -> longhorn.delete("orders"))
                .isInstanceOf(VolumeInUseException.class)
                .hasMessageContaining("orders");
        volume.close();
        longhorn.delete("orders");
        assertThat(longhorn.volumes()).isEmpty();
    }

    @Test
    void volumeThatWasClosedSaysSo() {
        volume.close();
        volume.close();
        ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
        assertThatThrownBy(() -> volume.read(0, buffer)).isInstanceOf(VolumeClosedException.class);
        assertThatThrownBy(() -> volume.write(0, buffer)).isInstanceOf(VolumeClosedException.class);
        assertThatThrownBy(volume::flush).isInstanceOf(VolumeClosedException.class);
        assertThatThrownBy(() -> volume.snapshot("first")).isInstanceOf(VolumeClosedException.class);
        assertThatThrownBy(() -> volume.allocation(0, BLOCK)).isInstanceOf(VolumeClosedException.class);
        assertThatThrownBy(
                        () -> volume.writeAsync(0, buffer).toCompletableFuture().join())
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(VolumeClosedException.class);
        assertThat(buffer.position()).isZero();
        assertThat(longhorn.open("orders")).isNotSameAs(volume);
    }

    @Test
    void programThatIsClosedTakesNoMoreCalls() {
        longhorn.close();
        longhorn.close();
        assertThatThrownBy(() -> longhorn.open("orders")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(longhorn::volumes).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> volume.read(0, ByteBuffer.allocate(1))).isInstanceOf(VolumeClosedException.class);
    }

    @Test
    void endpointsAndTimesAreCheckedWhenTheConfigurationIsMade() {
        for (String endpoint : new String[] {"", "host", "host:", ":9500", "host:0", "host:65536", "host:x", "[::1"}) {
            assertThatThrownBy(() -> LonghornConfig.builder().replicaServer(endpoint))
                    .as(endpoint)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(endpoint);
        }
        assertThatThrownBy(() -> LonghornConfig.builder()
                        .registry(directory)
                        .replicaServer("127.0.0.1:9500")
                        .replicaServer("127.0.0.1:9500")
                        .build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() ->
                        LonghornConfig.builder().replicaServer("127.0.0.1:9500").build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("registry");
    }

    @Test
    void fencedIsAnErrorOfItsOwn() {
        assertThat(new FencedException("orders", 3, 4))
                .hasMessageContaining("orders")
                .hasMessageContaining("4");
    }
}
