package io.longhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class VolumeChannelTest {

    private final FakeVolume volume = new FakeVolume(8192);
    private final SeekableByteChannel channel = volume.asChannel();

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        channel.position(5000);
        assertThat(channel.write(bytes("hello"))).isEqualTo(5);
        assertThat(channel.position()).isEqualTo(5005);

        ByteBuffer destination = ByteBuffer.allocateDirect(5);
        assertThat(channel.position(5000).read(destination)).isEqualTo(5);
        assertThat(destination.flip()).isEqualTo(bytes("hello"));
    }

    @Test
    void sizeIsThatOfTheVolumeAlsoAfterExpansion() throws IOException {
        assertThat(channel.size()).isEqualTo(8192);
        volume.expandTo(12288);
        assertThat(channel.size()).isEqualTo(12288);
    }

    @Test
    void readStopsAtTheEndAndLeavesTheRestOfTheBuffer() throws IOException {
        ByteBuffer destination = ByteBuffer.allocate(100);

        assertThat(channel.position(8182).read(destination)).isEqualTo(10);
        assertThat(destination.position()).isEqualTo(10);
        assertThat(destination.limit()).isEqualTo(100);
        assertThat(channel.read(destination)).isEqualTo(-1);
    }

    @Test
    void readBehindTheEndFindsTheEnd() throws IOException {
        assertThat(channel.position(1L << 40).read(ByteBuffer.allocate(1))).isEqualTo(-1);
        assertThat(channel.position()).isEqualTo(1L << 40);
    }

    @Test
    void writeStopsAtTheEndAndThenFails() throws IOException {
        ByteBuffer source = bytes("0123456789");

        assertThat(channel.position(8188).write(source)).isEqualTo(4);
        assertThat(source.remaining()).isEqualTo(6);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> channel.write(source))
                .withMessageContaining("fake")
                .withMessageContaining("8192");
    }

    @Test
    void emptyBuffersTransferNothingAnywhere() throws IOException {
        channel.position(9000);
        assertThat(channel.read(ByteBuffer.allocate(0))).isZero();
        assertThat(channel.write(ByteBuffer.allocate(0))).isZero();
    }

    @Test
    void truncateNeverShrinks() throws IOException {
        assertThatThrownBy(() -> channel.truncate(4096)).isInstanceOf(IOException.class);
        channel.position(10000).truncate(9000);
        assertThat(channel.position()).isEqualTo(9000);
        assertThat(channel.size()).isEqualTo(8192);
    }

    @Test
    void negativePositionsAndSizesAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> channel.position(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> channel.truncate(-1));
    }

    @Test
    void everythingFailsOnceClosedButTheVolumeGoesOn() throws IOException {
        channel.close();
        channel.close();

        assertThat(channel.isOpen()).isFalse();
        assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1))).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> channel.write(ByteBuffer.allocate(1))).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(channel::size).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(channel::position).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> channel.position(0)).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> channel.truncate(0)).isInstanceOf(ClosedChannelException.class);
        volume.write(0, bytes("still open"));
    }

    @Test
    void aReadOnlyVolumeIsNotWritable() throws IOException {
        SeekableByteChannel readOnly = new FakeVolume(4096, true).asChannel();

        assertThat(readOnly.read(ByteBuffer.allocate(10))).isEqualTo(10);
        assertThatThrownBy(() -> readOnly.write(bytes("x"))).isInstanceOf(NonWritableChannelException.class);
        assertThatThrownBy(() -> readOnly.truncate(4096)).isInstanceOf(NonWritableChannelException.class);
    }

    @Test
    void failuresOfTheVolumeBecomeIOExceptionsAndMoveNothing() throws IOException {
        volume.failWith(new FencedException("fake", 3, 4));
        ByteBuffer destination = ByteBuffer.allocate(10000);

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> channel.read(destination))
                .withCauseInstanceOf(FencedException.class)
                .withMessageContaining("taken over");
        assertThat(channel.position()).isZero();
        assertThat(destination.position()).isZero();
        assertThat(destination.limit()).isEqualTo(10000);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }
}
