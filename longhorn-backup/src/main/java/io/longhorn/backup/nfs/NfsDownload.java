package io.longhorn.backup.nfs;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Reads one object. Size and the first piece come with one call, the rest by the file's handle: so all pieces are of one object. If somebody replaces it meanwhile the server does
 * not know the handle any more, and reading begins again.
 */
final class NfsDownload {
    private static final int ATTEMPTS_MAX = 32;

    private final NfsClient client;
    private final NfsFolders folders;
    private final List<String> names;
    private final int bytesMax;

    NfsDownload(NfsClient client, NfsFolders folders, List<String> names, int bytesMax) {
        this.client = client;
        this.folders = folders;
        this.names = names;
        this.bytesMax = bytesMax;
    }

    Optional<ByteBuffer> run() throws IOException {
        TimeLimit pauses = client.patience();
        for (int attempt = 1; ; attempt++) {
            try {
                return read();
            } catch (SessionLostException e) {
                if (attempt == ATTEMPTS_MAX) {
                    throw e;
                }
                pauses.pause();
            } catch (NfsException e) {
                if (e.isAbsent()) {
                    return Optional.empty();
                }
                if (!e.isStale() || attempt == ATTEMPTS_MAX) {
                    throw e;
                }
                folders.forgetRoot();
            }
        }
    }

    private Optional<ByteBuffer> read() throws IOException {
        Optional<NfsFolders.Root> root = folders.root();
        if (root.isEmpty()) {
            return Optional.empty();
        }
        NfsSession session = client.session();
        int pieceBytes = (int) Math.min(
                root.get().readBytesMax(),
                Math.min(
                        client.target().options().readBytesMax(),
                        session.limits().readBytesMax()));
        int first = Math.min(pieceBytes, bytesMax);
        NfsFolders.Walk walk = folders.to(root.get().handle(), names);
        CompoundReply reply = walk.follow(client.call(
                walk.compound(client).getHandle().getFileAttributes().read(StateId.ANONYMOUS, 0, first)));
        FileHandle file = reply.handle();
        Attributes attributes = reply.attributes().whole();
        if (!attributes.isFile()) {
            return Optional.empty();
        }
        long size = attributes.sizeBytes();
        if (size > bytesMax) {
            throw new IOException(String.join("/", names) + " at "
                    + client.target().describe() + " has " + size + " bytes, more than the " + bytesMax
                    + " expected at most");
        }
        ByteBuffer content = ByteBuffer.allocate((int) size);
        try (Pipeline pipeline = new Pipeline(client, session)) {
            int end = Math.min(first, content.capacity());
            take(pipeline, file, reply.piece(first), content, 0, end);
            for (int from = end; from < content.capacity(); from += pieceBytes) {
                fetch(pipeline, file, content, from, Math.min(from + pieceBytes, content.capacity()));
            }
            pipeline.finish();
        }
        return Optional.of(content);
    }

    private void fetch(Pipeline pipeline, FileHandle file, ByteBuffer content, int from, int end) throws IOException {
        pipeline.add(
                client.compound().put(file).read(StateId.ANONYMOUS, from, end - from),
                reply -> take(pipeline, file, reply.done(NfsOp.PUTFH).piece(end - from), content, from, end));
    }

    /** Puts a piece in its place, and asks for what it lacks. */
    private void take(
            Pipeline pipeline, FileHandle file, CompoundReply.Piece piece, ByteBuffer content, int from, int end)
            throws IOException {
        ByteBuffer bytes = piece.bytes();
        int got = from + Math.min(bytes.remaining(), end - from);
        content.put(from, bytes, bytes.position(), got - from);
        if (got < end) {
            if (piece.endOfFile() || got == from) {
                throw new EOFException(String.join("/", names) + " at "
                        + client.target().describe() + " ends after " + got + " bytes, " + content.capacity()
                        + " were expected: somebody shortens it");
            }
            fetch(pipeline, file, content, got, end);
        }
    }
}
