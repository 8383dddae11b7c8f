package io.longhorn.backup.nfs;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the way through directories. Only the root of the store is remembered; everything below is looked up by each compound, so nothing else can become stale. Safe for any
 * thread.
 */
final class NfsFolders {
    /** Operations of a compound that are not lookups. */
    private static final int OTHER_OPERATIONS = 6;

    /** Between two attempts somebody may delete what was just made; for ever, it does not. */
    private static final int ATTEMPTS_MAX = 10;

    /**
     * The root of a store.
     *
     * @param readBytesMax of one READ, as all sides allow it
     */
    record Root(FileHandle handle, long readBytesMax, long writeBytesMax) {}

    private final NfsClient client;
    private volatile @Nullable Root root;

    NfsFolders(NfsClient client) {
        this.client = client;
    }

    /** Looks the root up again next time. */
    void forgetRoot() {
        root = null;
    }

    /**
     * The root; empty if it has not been made yet but could be.
     *
     * @throws IOException if it is not there and cannot be made by us
     */
    Optional<Root> root() throws IOException {
        Root known = root;
        if (known != null) {
            return Optional.of(known);
        }
        FileHandle top = client.call(client.compound().putRoot().getHandle())
                .done(NfsOp.PUTROOTFH)
                .handle();
        Found found = walk(top, client.target().path());
        if (found.missing.isEmpty()) {
            return Optional.of(remember(found.last));
        }
        checkCanBeMade(found);
        return Optional.empty();
    }

    private Root remember(FileHandle handle) throws IOException {
        Attributes limits = client.call(client.compound().put(handle).getLimits())
                .done(NfsOp.PUTFH)
                .attributes();
        Root found = new Root(handle, limits.maxRead(), limits.maxWrite());
        root = found;
        return found;
    }

    private void checkCanBeMade(Found found) throws IOException {
        int wanted = Compound.ACCESS_MODIFY | Compound.ACCESS_EXTEND;
        int granted = client.call(client.compound().put(found.last).access(wanted))
                .done(NfsOp.PUTFH)
                .access();
        if ((granted & wanted) == 0) {
            throw new IOException("the server has no directory '" + found.missing.get(0) + "' in /"
                    + String.join("/", found.there(client.target().path()))
                    + ", and does not let us make one there: is the path that of an export which this client may use? It"
                    + " needs the option insecure, since this client comes from an ordinary port");
        }
    }

    /** A compound that goes to the directory, or file, of these names below the root. What is added to it must be few operations. */
    Walk to(FileHandle from, List<String> names) throws IOException {
        int room = client.session().limits().operationsMax() - OTHER_OPERATIONS;
        FileHandle start = from;
        List<String> left = names;
        while (left.size() > room) {
            start = reach(start, left.subList(0, room));
            left = left.subList(room, left.size());
        }
        return new Walk(start, left);
    }

    private FileHandle reach(FileHandle from, List<String> names) throws IOException {
        Walk walk = new Walk(from, names);
        return walk.follow(client.call(walk.compound(client).getHandle())).handle();
    }

    /** The last part of a way, short enough for one compound. */
    record Walk(FileHandle from, List<String> names) {

        Compound compound(NfsClient client) {
            Compound compound = client.compound().put(from);
            names.forEach(compound::lookup);
            return compound;
        }

        /** Reads the results of that; the next one is of what was added. */
        CompoundReply follow(CompoundReply reply) throws IOException {
            return reply.done(NfsOp.PUTFH).done(NfsOp.LOOKUP, names.size());
        }
    }

    /** How far a way goes. */
    private record Found(FileHandle last, List<String> missing) {
        List<String> there(List<String> all) {
            return all.subList(0, all.size() - missing.size());
        }
    }

    /** As far as there are directories of these names. */
    private Found walk(FileHandle from, List<String> names) throws IOException {
        FileHandle last = from;
        int room = (client.session().limits().operationsMax() - OTHER_OPERATIONS) / 2;
        List<String> left = names;
        while (!left.isEmpty()) {
            List<String> now = left.subList(0, Math.min(room, left.size()));
            Compound compound = client.compound().put(last);
            now.forEach(name -> compound.lookup(name).getHandle());
            CompoundReply reply = client.call(compound).done(NfsOp.PUTFH);
            for (int i = 0; i < now.size(); i++) {
                try {
                    last = reply.done(NfsOp.LOOKUP).handle();
                } catch (NfsException e) {
                    if (e.status() != NfsStatus.NOENT) {
                        throw e;
                    }
                    return new Found(last, left.subList(i, left.size()));
                }
            }
            left = left.subList(now.size(), left.size());
        }
        return new Found(last, List.of());
    }

    /** The root, made if it is missing. */
    Root makeRoot() throws IOException {
        Optional<Root> known = root();
        if (known.isPresent()) {
            return known.get();
        }
        FileHandle top = client.call(client.compound().putRoot().getHandle())
                .done(NfsOp.PUTROOTFH)
                .handle();
        return remember(make(top, client.target().path()));
    }

    /** The directory of these names, made as far as it is missing. Others may make the same ones meanwhile. */
    FileHandle make(FileHandle from, List<String> names) throws IOException {
        for (int attempt = 1; ; attempt++) {
            Found found = walk(from, names);
            if (found.missing.isEmpty()) {
                return found.last;
            }
            if (attempt == ATTEMPTS_MAX * names.size()) {
                throw new IOException("the directory '" + found.missing.get(0) + "' is deleted again and again");
            }
            try {
                client.call(client.compound().put(found.last).makeDirectory(found.missing.get(0)))
                        .done(NfsOp.PUTFH)
                        .madeDirectory();
            } catch (NfsException e) {
                if (e.status() != NfsStatus.EXIST) {
                    throw e;
                }
            }
        }
    }
}
