package io.longhorn.replica.transport;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** Bytes as they are. */
final class PlainWire implements SocketWire {
    private final SocketChannel channel;
    private final FrameInput input;
    private final OutputQueue output;

    PlainWire(SocketChannel channel, FrameInput input, OutputQueue output) {
        this.channel = channel;
        this.input = input;
        this.output = output;
    }

    @Override
    public boolean begin(NioLoop loop) {
        return true;
    }

    @Override
    public Progress read(NioLoop loop) throws IOException {
        ByteBuffer shared = loop.buffers().receive();
        int read = input.readFrom(channel, shared, loop.pool());
        if (read < 0) {
            return Progress.ENDED;
        }
        // If the socket had less than there was room for, asking again would only cost a system call.
        return shared.hasRemaining() ? Progress.DRAINED : Progress.MORE;
    }

    @Override
    public void write(NioLoop loop) throws IOException {
        output.writeTo(channel);
    }

    @Override
    public boolean wantsToWrite() {
        return !output.isEmpty();
    }

    @Override
    public boolean wantsToRead() {
        return true;
    }

    @Override
    public int bytesUnderway() {
        return 0;
    }

    @Override
    public void writeEnd(NioLoop loop) {
        // The end of the stream says it all.
    }

    @Override
    public void leaveLoop() {
        // Nothing is kept here.
    }

    @Override
    public void arriveAtLoop(NioLoop loop) {
        // Nothing was kept here.
    }

    @Override
    public void release() {
        // Nothing is kept here.
    }
}
