package io.longhorn.backup.nfs;

import io.longhorn.backup.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Writes one object: into a file of a temporary name beside its place, which is written, committed and closed, and then renamed. The rename is what a reader sees.
 *
 * <p>A session that is lost takes the opened file with it, so all begins again with another temporary file. Whether a rename was executed whose answer is missing can be seen: the
 * object is then the very file that was written.
 */
final class NfsUpload {
    /** Each of them takes a restart of the server, or an object replaced by somebody else, in just the wrong moment. */
    private static final int ATTEMPTS_MAX = 8;

    private static final int COMMITS_MAX = 4;
    private static final long CLEAN_UP_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final NfsClient client;
    private final NfsFolders folders;
    private final List<String> parents;
    private final String name;
    private final ByteBuffer content;

    NfsUpload(NfsClient client, NfsFolders folders, List<String> names, ByteBuffer content) {
        this.client = client;
        this.folders = folders;
        this.parents = names.subList(0, names.size() - 1);
        this.name = names.get(names.size() - 1);
        this.content = content;
    }

    /** An open temporary file. */
    private record Opened(NfsSession session, FileHandle directory, String name, FileHandle file, StateId state) {}

    void run() throws IOException {
        TimeLimit pauses = client.patience();
        for (int attempt = 1; ; attempt++) {
            try {
                write();
                return;
            } catch (SessionLostException e) {
                if (attempt == ATTEMPTS_MAX) {
                    throw e;
                }
            } catch (NfsException e) {
                if (!(e.isStale() || e.isStateLost()) || attempt == ATTEMPTS_MAX) {
                    throw e;
                }
                folders.forgetRoot();
            }
            pauses.pause();
        }
    }

    private void write() throws IOException {
        NfsFolders.Root root = folders.makeRoot();
        String temporary = ObjectKey.temporary(name);
        Opened opened = null;
        try {
            opened = open(root, temporary);
            writeContent(opened, root);
            close(opened);
            rename(opened);
        } catch (IOException | RuntimeException e) {
            cleanUp(root, temporary, opened, e);
            throw e;
        }
    }

    private Opened open(NfsFolders.Root root, String temporary) throws IOException {
        NfsFolders.Walk walk = folders.to(root.handle(), parents);
        try {
            return open(walk, temporary);
        } catch (NfsException e) {
            if (e.status() != NfsStatus.NOENT) {
                throw e;
            }
            FileHandle made = folders.make(root.handle(), parents);
            return open(new NfsFolders.Walk(made, List.of()), temporary);
        }
    }

    private Opened open(NfsFolders.Walk walk, String temporary) throws IOException {
        NfsSession session = client.session();
        CompoundReply reply = client.start(
                        session,
                        walk.compound(client)
                                .getHandle()
                                .createFile(session.clientId(), temporary)
                                .getHandle())
                .await();
        FileHandle directory = walk.follow(reply).handle();
        StateId state = reply.opened();
        return new Opened(session, directory, temporary, reply.handle(), state);
    }

    private void writeContent(Opened to, NfsFolders.Root root) throws IOException {
        int pieceBytes = (int) Math.min(
                root.writeBytesMax(),
                Math.min(
                        client.target().options().writeBytesMax(),
                        to.session.limits().writeBytesMax()));
        int stable = content.remaining() <= pieceBytes ? Compound.FILE_SYNC : Compound.UNSTABLE;
        for (int attempt = 1; !writeContent(to, pieceBytes, stable); attempt++) {
            if (attempt == COMMITS_MAX) {
                throw new IOException("the server loses what it has not committed, again and again");
            }
        }
    }

    /** Whether everything is durable now. */
    private boolean writeContent(Opened to, int pieceBytes, int stable) throws IOException {
        Progress progress = new Progress();
        try (Pipeline pipeline = new Pipeline(client, to.session)) {
            for (int from = 0; from < content.remaining(); from += pieceBytes) {
                send(pipeline, to, from, Math.min(from + pieceBytes, content.remaining()), stable, progress);
            }
            pipeline.finish();
        }
        return progress.isDurable(to);
    }

    private void send(Pipeline pipeline, Opened to, int from, int end, int stable, Progress progress)
            throws IOException {
        ByteBuffer piece = content.slice(content.position() + from, end - from);
        pipeline.add(client.compound(piece.remaining()).put(to.file).write(to.state, from, stable, piece), reply -> {
            CompoundReply.Written written = reply.done(NfsOp.PUTFH).written(end - from);
            progress.add(written);
            if (written.count() < end - from) {
                send(pipeline, to, from + written.count(), end, stable, progress);
            }
        });
    }

    /** What is known of the pieces written. */
    private final class Progress {
        private boolean committed = true;
        private boolean sameVerifier = true;
        private @Nullable ByteBuffer verifier;

        void add(CompoundReply.Written written) {
            committed &= written.committed() == Compound.FILE_SYNC;
            addVerifier(written.verifier());
        }

        private void addVerifier(ByteBuffer seen) {
            sameVerifier &= verifier == null || verifier.equals(seen);
            verifier = seen;
        }

        boolean isDurable(Opened file) throws IOException {
            if (committed) {
                return true;
            }
            addVerifier(
                    client.start(file.session, client.compound().put(file.file).commit())
                            .await()
                            .done(NfsOp.PUTFH)
                            .committed());
            return sameVerifier;
        }
    }

    private void close(Opened opened) throws IOException {
        client.start(opened.session, client.compound().put(opened.file).close(opened.state))
                .await()
                .done(NfsOp.PUTFH)
                .closed();
    }

    private void rename(Opened opened) throws IOException {
        try {
            client.start(
                            opened.session,
                            client.compound().put(opened.directory).save().rename(opened.name, name))
                    .await()
                    .done(NfsOp.PUTFH)
                    .done(NfsOp.SAVEFH)
                    .renamed();
        } catch (SessionLostException e) {
            if (!isRenamed(opened)) {
                throw e;
            }
        }
    }

    private boolean isRenamed(Opened opened) throws IOException {
        try {
            return client.call(
                            client.compound().put(opened.directory).lookup(name).getHandle())
                    .done(NfsOp.PUTFH)
                    .done(NfsOp.LOOKUP)
                    .handle()
                    .equals(opened.file);
        } catch (NfsException e) {
            if (e.isAbsent()) {
                return false;
            }
            throw e;
        }
    }

    /** Closes and removes what can be, within a short time, also if the thread is interrupted. */
    private void cleanUp(NfsFolders.Root root, String temporary, @Nullable Opened opened, Exception cause) {
        if (opened == null && cause instanceof NfsException) {
            // The file was refused, or never tried.
            return;
        }
        boolean interrupted = Thread.interrupted();
        try {
            if (opened != null && !opened.session.hasEnded()) {
                closeIfOpen(opened);
            }
            NfsFolders.Walk walk = opened == null
                    ? new NfsFolders.Walk(root.handle(), parents)
                    : new NfsFolders.Walk(opened.directory, List.of());
            removeIfThere(walk, temporary);
        } catch (IOException e) {
            cause.addSuppressed(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void closeIfOpen(Opened opened) throws IOException {
        CompoundReply reply =
                client.callBriefly(client.compound().put(opened.file).close(opened.state), CLEAN_UP_NANOS);
        try {
            reply.done(NfsOp.PUTFH).closed();
        } catch (NfsException e) {
            if (!e.isStateLost() && !e.isStale()) {
                throw e;
            }
        }
    }

    private void removeIfThere(NfsFolders.Walk walk, String temporary) throws IOException {
        CompoundReply reply = client.callBriefly(walk.compound(client).remove(temporary), CLEAN_UP_NANOS);
        try {
            walk.follow(reply).removed();
        } catch (NfsException e) {
            if (!e.isAbsent() && !e.isStale()) {
                throw e;
            }
        }
    }
}
