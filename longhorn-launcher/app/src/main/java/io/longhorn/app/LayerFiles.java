package io.longhorn.app;

import io.longhorn.Volume;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The layer files of one volume in one disk's directory, looked at from outside, as a person with an editor would. */
final class LayerFiles {

    private final Path disk;
    private final String volume;

    LayerFiles(Path disk, String volume) {
        this.disk = disk;
        this.volume = volume;
    }

    /** The file that holds this content at this block's place; none while the block is only in the journal. */
    Optional<Path> holding(long block, ByteBuffer content) throws IOException {
        for (Path file : list()) {
            try {
                if (read(file, block).equals(content)) {
                    return Optional.of(file);
                }
            } catch (NoSuchFileException e) {
                // The server has merged the layer away meanwhile; the one above it holds what it held.
            }
        }
        return Optional.empty();
    }

    static boolean holds(Path file, long block, ByteBuffer content) throws IOException {
        return read(file, block).equals(content);
    }

    /** Inverts one bit of a block, as a failing disk might. */
    static void flip(Path file, long block, int byteInBlock) throws IOException {
        long position = block * Volume.BLOCK_BYTES + byteInBlock;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            FileSystemImage.read(channel, position, one);
            one.put(0, (byte) (one.get(0) ^ 1)).flip();
            if (channel.write(one, position) != 1) {
                throw new IOException("nothing was written to " + file);
            }
            channel.force(false);
        }
    }

    /** Looks at names only: the server may make and rename other files meanwhile. */
    private List<Path> list() throws IOException {
        List<Path> result = new ArrayList<>();
        try (DirectoryStream<Path> replicas = Files.newDirectoryStream(disk.resolve("replicas"), volume + "-*")) {
            for (Path replica : replicas) {
                try (DirectoryStream<Path> layers = Files.newDirectoryStream(replica, "*.data")) {
                    layers.forEach(result::add);
                }
            }
        }
        return result;
    }

    /** Shorter than a block where the file ends. */
    private static ByteBuffer read(Path file, long block) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(Volume.BLOCK_BYTES);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            int count;
            do {
                count = channel.read(content, block * Volume.BLOCK_BYTES + content.position());
            } while (count > 0);
        }
        return content.flip();
    }
}
