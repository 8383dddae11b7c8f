package io.longhorn.backup.nfs;

import io.longhorn.backup.ObjectKey;
import io.longhorn.backup.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Objects as files of a directory at an NFS server, as {@link io.longhorn.backup.FolderStore} keeps them in one at hand; either reads what the other wrote. Connects with the first
 * call.
 */
final class NfsStore implements ObjectStore {
    private final NfsTarget target;
    private final NfsClient client;
    private final NfsFolders folders;
    private final NfsFault fault;

    NfsStore(NfsTarget target) {
        this.target = target;
        this.client = new NfsClient(target);
        this.folders = new NfsFolders(client);
        this.fault = new NfsFault(target);
    }

    /** Something done at the server. */
    private interface Action<T> {
        T run() throws IOException;
    }

    /** Does it, and explains what the server refuses. */
    private <T> T at(String doing, Action<T> action) throws IOException {
        try {
            return action.run();
        } catch (NfsException e) {
            throw fault.explain(doing, e);
        }
    }

    /** Does it, once more if the root of the store, or something on the way, has become another directory. */
    private <T> T again(Action<T> action) throws IOException {
        try {
            return action.run();
        } catch (NfsException e) {
            if (!e.isStale()) {
                throw e;
            }
            folders.forgetRoot();
            return action.run();
        }
    }

    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        List<String> names = ObjectKey.names(key);
        return at("reading " + key, () -> new NfsDownload(client, folders, names, bytesMax).run());
    }

    @Override
    public Optional<Entry> find(String key) throws IOException {
        List<String> names = ObjectKey.names(key);
        return at("looking for " + key, () -> again(() -> find(key, names)));
    }

    private Optional<Entry> find(String key, List<String> names) throws IOException {
        Optional<NfsFolders.Root> root = folders.root();
        if (root.isEmpty()) {
            return Optional.empty();
        }
        NfsFolders.Walk walk = folders.to(root.get().handle(), names);
        try {
            Attributes found = walk.follow(client.call(walk.compound(client).getFileAttributes()))
                    .attributes()
                    .whole();
            return found.isFile() ? Optional.of(entry(key, found)) : Optional.empty();
        } catch (NfsException e) {
            if (e.isAbsent()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static Entry entry(String key, Attributes attributes) {
        return new Entry(key, attributes.sizeBytes(), attributes.modifiedAt());
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        List<String> names = ObjectKey.names(key);
        at("writing " + key, () -> {
            new NfsUpload(client, folders, names, content.asReadOnlyBuffer()).run();
            return key;
        });
    }

    @Override
    public void delete(Collection<String> keys) throws IOException {
        List<List<String>> files = new ArrayList<>();
        for (String key : keys) {
            files.add(ObjectKey.names(key));
        }
        NfsDeletion deletion = new NfsDeletion(client, folders, files);
        at(
                "deleting " + files.size() + " objects",
                () -> again(() -> {
                    deletion.run();
                    return files;
                }));
    }

    @Override
    public void list(String folder, EntrySink sink) throws IOException {
        List<String> names = ObjectKey.names(folder);
        at("listing " + folder, () -> {
            list(new NfsListing(client, folders), names, folder, sink);
            return folder;
        });
    }

    private static void list(NfsListing listing, List<String> directory, String folder, EntrySink sink)
            throws IOException {
        listing.run(directory, (name, attributes) -> {
            String key = folder + "/" + name;
            if (attributes.isDirectory()) {
                list(listing, NfsListing.append(directory, name), key, sink);
            } else if (attributes.isFile() && !ObjectKey.isTemporary(name)) {
                sink.entry(entry(key, attributes));
            }
        });
    }

    @Override
    public List<String> names(String folder) throws IOException {
        List<String> directory = ObjectKey.names(folder);
        List<String> names = new ArrayList<>();
        at("listing " + folder, () -> {
            new NfsListing(client, folders).run(directory, (name, attributes) -> {
                if (attributes.isDirectory()) {
                    names.add(name + "/");
                } else if (attributes.isFile() && !ObjectKey.isTemporary(name)) {
                    names.add(name);
                }
            });
            return names;
        });
        Collections.sort(names);
        return names;
    }

    @Override
    public String describe() {
        return target.describe();
    }

    @Override
    public void close() {
        client.close();
    }
}
