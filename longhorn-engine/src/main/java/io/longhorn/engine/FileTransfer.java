package io.longhorn.engine;

import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.OutOfRangeException;
import io.longhorn.ProgressListener;
import io.longhorn.TransferException;
import io.longhorn.replica.wire.AlignedMemory;
import io.longhorn.replica.wire.LayerId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Copies a file into a volume, or a volume or snapshot into a file, both without what is zero. Several pieces are under way at once. */
final class FileTransfer {
    private static final int PIECE_BYTES = 1 << 20;
    private static final int PIECES_IN_FLIGHT = 8;

    private final EngineVolume volume;
    private final Path file;
    private final ProgressListener listener;

    FileTransfer(EngineVolume volume, Path file, ProgressListener listener) {
        this.volume = volume;
        this.file = file;
        this.listener = listener;
    }

    private record Piece(ByteBuffer buffer, long length, CompletionStage<Void> stage) {}

    /** File to volume; flushes at the end. */
    void read() {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long total = channel.size();
            OutOfRangeException.check(0, total, volume.sizeBytes());
            ArrayDeque<Piece> inFlight = new ArrayDeque<>();
            ArrayDeque<ByteBuffer> spare = new ArrayDeque<>();
            long done = 0;
            long at = 0;
            while (at < total || !inFlight.isEmpty()) {
                if (at < total && inFlight.size() < PIECES_IN_FLIGHT) {
                    ByteBuffer buffer = spare.isEmpty() ? AlignedMemory.allocate(PIECE_BYTES) : spare.pop();
                    int length = (int) Math.min(PIECE_BYTES, total - at);
                    fill(channel, buffer.clear().limit(length), at);
                    CompletionStage<Void> stage = isZero(buffer)
                            ? volume.writeZeroesAsync(at, length)
                            : volume.writeAsync(at, buffer.rewind());
                    inFlight.add(new Piece(buffer, length, stage));
                    at += length;
                } else {
                    Piece piece = inFlight.remove();
                    volume.await(piece.stage(), "import");
                    spare.push(piece.buffer());
                    done += piece.length();
                    listener.progress(done, total);
                }
            }
            volume.flush();
        } catch (NoSuchFileException e) {
            throw new TransferException(file, "there is no such file to import", e);
        } catch (IOException e) {
            throw new TransferException(file, "import failed: " + e.getMessage(), e);
        }
    }

    private void fill(FileChannel channel, ByteBuffer buffer, long at) throws IOException {
        long position = at;
        while (buffer.hasRemaining()) {
            int read = channel.read(buffer, position);
            if (read < 0) {
                throw new IOException("the file became shorter while it was read");
            }
            position += read;
        }
        buffer.flip();
    }

    private static boolean isZero(ByteBuffer buffer) {
        int i = 0;
        for (; i + 8 <= buffer.limit(); i += 8) {
            if (buffer.getLong(i) != 0) {
                return false;
            }
        }
        for (; i < buffer.limit(); i++) {
            if (buffer.get(i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Volume or snapshot to a new file, forced at the end. */
    void write(LayerId layer, int pin, long size) {
        FileChannel opened;
        try {
            opened = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException e) {
            throw new TransferException(file, "the file exists already; choose another, or move it away", e);
        } catch (IOException e) {
            throw exportFailed(e);
        }
        try (FileChannel channel = opened) {
            write(channel, layer, pin, size);
        } catch (IOException e) {
            TransferException failure = exportFailed(e);
            deleteBegun(failure);
            throw failure;
        } catch (RuntimeException e) {
            deleteBegun(e);
            throw e;
        }
    }

    private TransferException exportFailed(IOException cause) {
        return new TransferException(file, "export failed: " + cause.getMessage(), cause);
    }

    private void deleteBegun(RuntimeException failure) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private void write(FileChannel channel, LayerId layer, int pin, long size) throws IOException {
        long at = 0;
        while (at < size) {
            List<Extent> extents = volume.maps().allocation(volume, layer, pin, at, size - at);
            for (Extent extent : extents) {
                if (extent.state() == ExtentState.DATA) {
                    copy(channel, layer, pin, extent, size);
                }
                at = extent.endBytes();
                listener.progress(at, size);
            }
            if (extents.isEmpty()) {
                at = size;
            }
        }
        if (channel.size() < size) {
            channel.write(ByteBuffer.allocate(1), size - 1);
        }
        channel.force(true);
    }

    private void copy(FileChannel channel, LayerId layer, int pin, Extent extent, long size) throws IOException {
        ArrayDeque<Piece> inFlight = new ArrayDeque<>();
        long at = extent.offsetBytes();
        long written = at;
        while (written < extent.endBytes()) {
            if (at < extent.endBytes() && inFlight.size() < PIECES_IN_FLIGHT) {
                int length = (int) Math.min(PIECE_BYTES, extent.endBytes() - at);
                ByteBuffer buffer = AlignedMemory.allocate(length);
                inFlight.add(new Piece(buffer, length, volume.readLayerAsync(layer, pin, at, buffer, size)));
                at += length;
            } else {
                Piece piece = inFlight.remove();
                volume.await(piece.stage(), "export");
                ByteBuffer buffer = piece.buffer().flip();
                while (buffer.hasRemaining()) {
                    written += channel.write(buffer, written);
                }
                listener.progress(written, size);
            }
        }
    }
}
