package io.longhorn;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;

/**
 * A volume as a channel; see {@link Volume#asChannel()} for the contract. All methods hold the channel's monitor, so that
 * position and transfer are one step, as the contract of file channels has it; the volume's own path has no locks.
 */
final class VolumeChannel implements SeekableByteChannel {

    private final Volume volume;
    private long positionBytes;
    private volatile boolean closed;

    VolumeChannel(Volume volume) {
        this.volume = volume;
    }

    @Override
    public synchronized int read(ByteBuffer destination) throws IOException {
        requireOpen();
        long leftBytes = size() - positionBytes;
        if (leftBytes <= 0) {
            return destination.hasRemaining() ? -1 : 0;
        }
        return transfer(destination, leftBytes, volume::read);
    }

    @Override
    public synchronized int write(ByteBuffer source) throws IOException {
        requireOpen();
        requireWritable();
        long leftBytes = size() - positionBytes;
        if (leftBytes <= 0 && source.hasRemaining()) {
            throw new IOException("volume " + volume.name() + " ends at " + size() + " bytes, cannot write at "
                    + positionBytes + "; expand it first");
        }
        return transfer(source, leftBytes, volume::write);
    }

    @Override
    public synchronized long position() throws IOException {
        requireOpen();
        return positionBytes;
    }

    @Override
    public synchronized SeekableByteChannel position(long newPosition) throws IOException {
        requireOpen();
        if (newPosition < 0) {
            throw new IllegalArgumentException("position must be 0 or more, was " + newPosition);
        }
        positionBytes = newPosition;
        return this;
    }

    @Override
    public synchronized long size() throws IOException {
        requireOpen();
        return volume.sizeBytes();
    }

    /** Only lowers the position, as the contract asks when the size is not below the current one. */
    @Override
    public synchronized SeekableByteChannel truncate(long size) throws IOException {
        requireOpen();
        requireWritable();
        if (size < 0) {
            throw new IllegalArgumentException("size must be 0 or more, was " + size);
        }
        if (size < size()) {
            throw new IOException(
                    "volume " + volume.name() + " of " + size() + " bytes cannot shrink to " + size + " bytes");
        }
        positionBytes = Math.min(positionBytes, size);
        return this;
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    /** Does not wait for a transfer that runs, and does not disturb it. */
    @Override
    public void close() {
        closed = true;
    }

    private int transfer(ByteBuffer buffer, long leftBytes, Transfer transfer) throws IOException {
        int lengthBytes = (int) Math.min(buffer.remaining(), leftBytes);
        if (lengthBytes <= 0) {
            return 0;
        }
        int limit = buffer.limit();
        buffer.limit(buffer.position() + lengthBytes);
        try {
            transfer.run(positionBytes, buffer);
        } catch (LonghornException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            buffer.limit(limit);
        }
        positionBytes += lengthBytes;
        return lengthBytes;
    }

    private void requireOpen() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    private void requireWritable() {
        if (volume.isReadOnly()) {
            throw new NonWritableChannelException();
        }
    }

    private interface Transfer {
        void run(long offsetBytes, ByteBuffer buffer);
    }
}
