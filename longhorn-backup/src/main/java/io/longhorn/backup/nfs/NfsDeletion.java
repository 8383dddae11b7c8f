package io.longhorn.backup.nfs;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Removes files, some at a time. Those that are not there count as removed. */
final class NfsDeletion {
    private static final int ATTEMPTS_MAX = 8;

    private final NfsClient client;
    private final NfsFolders folders;
    private final List<List<String>> files;

    NfsDeletion(NfsClient client, NfsFolders folders, List<List<String>> files) {
        this.client = client;
        this.folders = folders;
        this.files = files;
    }

    void run() throws IOException {
        TimeLimit pauses = client.patience();
        for (int attempt = 1; ; attempt++) {
            try {
                removeAll();
                return;
            } catch (SessionLostException e) {
                if (attempt == ATTEMPTS_MAX) {
                    throw e;
                }
                pauses.pause();
            }
        }
    }

    private void removeAll() throws IOException {
        Optional<NfsFolders.Root> root = folders.root();
        if (root.isEmpty()) {
            return;
        }
        try (Pipeline pipeline = new Pipeline(client, client.session())) {
            for (List<String> file : files) {
                remove(pipeline, root.get().handle(), file);
            }
            pipeline.finish();
        }
    }

    private void remove(Pipeline pipeline, FileHandle root, List<String> file) throws IOException {
        int last = file.size() - 1;
        NfsFolders.Walk walk = folders.to(root, file.subList(0, last));
        pipeline.add(walk.compound(client).remove(file.get(last)), reply -> {
            try {
                walk.follow(reply).removed();
            } catch (NfsException e) {
                if (!e.isAbsent()) {
                    throw e;
                }
            }
        });
    }
}
