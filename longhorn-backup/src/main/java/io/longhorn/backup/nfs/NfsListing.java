package io.longhorn.backup.nfs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Goes through directories by pages. Of each directory on the way down it holds a page, and the names if there is more than a page of them: should the server lose the place in
 * the directory, as it may when entries are deleted, that directory is read again and those names are left out.
 */
final class NfsListing {
    private static final int PAGE_BYTES = 64 << 10;
    private static final int VERIFIER_BYTES = 8;
    private static final int RESTARTS_MAX = 100;

    /** Takes what a directory has, files and directories. */
    @FunctionalInterface
    interface Sink {
        void entry(String name, Attributes attributes) throws IOException;
    }

    private final NfsClient client;
    private final NfsFolders folders;

    NfsListing(NfsClient client, NfsFolders folders) {
        this.client = client;
        this.folders = folders;
    }

    /** Everything directly in a directory; nothing if it is none. */
    void run(List<String> directory, Sink sink) throws IOException {
        Set<String> seen = new HashSet<>();
        Place place = Place.BEGINNING;
        int restarts = 0;
        while (!place.last) {
            CompoundReply.Page page;
            try {
                page = readPage(directory, place);
            } catch (NfsException e) {
                if (e.isAbsent()) {
                    return;
                }
                if (!isPlaceLost(e) || restarts == RESTARTS_MAX) {
                    throw e;
                }
                folders.forgetRoot();
                restarts++;
                place = Place.BEGINNING;
                continue;
            }
            place = new Place(page.nextCookie(), page.verifier(), page.last());
            boolean onlyPage = page.last() && seen.isEmpty();
            for (CompoundReply.DirectoryEntry entry : page.entries()) {
                if (onlyPage || seen.add(entry.name())) {
                    pass(directory, entry, sink);
                }
            }
        }
    }

    /** Where in a directory the next page begins. */
    private record Place(long cookie, byte[] verifier, boolean last) {
        static final Place BEGINNING = new Place(0, new byte[VERIFIER_BYTES], false);
    }

    /** Stale: the directory was deleted between the operations of one call, or the root of the store is another one now. */
    private static boolean isPlaceLost(NfsException e) {
        return e.status() == NfsStatus.BAD_COOKIE || e.status() == NfsStatus.NOT_SAME || e.isStale();
    }

    private CompoundReply.Page readPage(List<String> directory, Place place) throws IOException {
        Optional<NfsFolders.Root> root = folders.root();
        if (root.isEmpty()) {
            return new CompoundReply.Page(List.of(), 0, place.verifier, true);
        }
        NfsFolders.Walk walk = folders.to(root.get().handle(), directory);
        int bytesMax = Math.min(PAGE_BYTES, client.session().limits().readBytesMax());
        Compound compound = walk.compound(client).readDirectory(place.cookie, place.verifier, bytesMax);
        return walk.follow(client.call(compound)).page();
    }

    private void pass(List<String> directory, CompoundReply.DirectoryEntry entry, Sink sink) throws IOException {
        Attributes attributes = entry.attributes();
        if (attributes.readError() != NfsStatus.OK) {
            Optional<Attributes> found = find(append(directory, entry.name()));
            if (found.isEmpty()) {
                return;
            }
            attributes = found.get();
        }
        sink.entry(entry.name(), attributes.whole());
    }

    /** Empty if it was deleted meanwhile. */
    private Optional<Attributes> find(List<String> names) throws IOException {
        Optional<NfsFolders.Root> root = folders.root();
        if (root.isEmpty()) {
            return Optional.empty();
        }
        NfsFolders.Walk walk = folders.to(root.get().handle(), names);
        try {
            return Optional.of(walk.follow(client.call(walk.compound(client).getFileAttributes()))
                    .attributes());
        } catch (NfsException e) {
            if (e.isAbsent() || e.isStale()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    static List<String> append(List<String> names, String name) {
        List<String> longer = new ArrayList<>(names);
        longer.add(name);
        return longer;
    }
}
